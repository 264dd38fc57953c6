package natsstore

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// throttle logs at most one warning a second, and how many it left out.
type throttle struct {
	log *zap.Logger

	mu      sync.Mutex
	last    time.Time
	skipped int
}

func (t *throttle) warn(what string, fields ...zap.Field) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if !t.last.IsZero() && now.Sub(t.last) < time.Second {
		t.skipped++
		return
	}
	t.log.Warn(what, append(fields, zap.Int("left_out", t.skipped))...)
	t.last, t.skipped = now, 0
}
