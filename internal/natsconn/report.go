package natsconn

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// reporter logs what happens to a connection.
type reporter struct {
	log     *zap.Logger
	servers string

	mu   sync.Mutex
	last map[string]time.Time // when an error was logged
}

// quiet is for how long an error that comes again is not logged again.
const quiet = time.Minute

func (r *reporter) options() []nats.Option {
	return []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err == nil { // it was closed
				return
			}
			r.log.Warn("connection to NATS lost, it is tried again", zap.String("servers", r.servers), zap.Error(err))
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			r.log.Info("connected to NATS again", zap.String("servers", r.servers))
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			r.log.Debug("NATS does not answer yet", zap.String("servers", r.servers), zap.Error(err))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if r.fresh(err.Error()) {
				r.log.Warn("NATS connection", zap.String("servers", r.servers), zap.Error(err))
			}
		}),
	}
}

// fresh tells whether an error was not logged for a while. It remembers 100 of
// them.
func (r *reporter) fresh(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.last[text]; ok && time.Since(at) < quiet {
		return false
	}
	if r.last == nil || len(r.last) >= 100 {
		r.last = map[string]time.Time{}
	}
	r.last[text] = time.Now()
	return true
}
