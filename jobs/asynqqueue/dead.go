package asynqqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"overnight/jobs"
)

// MaxDead is how many dead letters are kept, the latest ones.
const MaxDead = 1000

// maxReason bounds a reason, in bytes.
const maxReason = 300

// DeadLetter is a message that was dropped: one that was rejected, that the Codec
// refused, or that asynq could not have ended.
type DeadLetter struct {
	At      time.Time `json:"at"` // by the clock of who dropped it
	ID      string    `json:"id"` // the task's
	Reason  string    `json:"reason"`
	Payload []byte    `json:"payload"` // its first jobs.MaxJobBytes bytes
}

// letter is a dead letter without a payload: what was rejected could be read.
func (d *delivery) letter(reason string) DeadLetter { return DeadLetter{ID: d.job.ID, Reason: reason} }

// encode returns what is kept of a letter.
func (l DeadLetter) encode() []byte {
	l.At = time.Now().UTC()
	l.ID = clip(l.ID, maxReason)
	l.Reason = clip(l.Reason, maxReason)
	l.Payload = l.Payload[:min(len(l.Payload), jobs.MaxJobBytes)]
	b, _ := json.Marshal(l) // of strings, bytes and a time of this age
	return b
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// bury keeps a dead letter, if Redis takes it: the log has it anyway.
func (q *Queue) bury(ctx context.Context, l DeadLetter) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answer)
	defer cancel()
	list := key(q.name, "overnight:dead")
	_, err := q.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.LPush(ctx, list, l.encode())
		p.LTrim(ctx, list, 0, MaxDead-1)
		return nil
	})
	if err != nil {
		q.log.Warn("dead letter is not kept", zap.String("task", l.ID), zap.Error(err))
	}
}

// DeadLetters returns at most n of the letters of the queue's engine version, the
// latest first.
func (q *Queue) DeadLetters(ctx context.Context, n int) ([]DeadLetter, error) {
	if n < 1 {
		return nil, nil
	}
	kept, err := q.rdb.LRange(ctx, key(q.name, "overnight:dead"), 0, int64(min(n, MaxDead))-1).Result()
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	letters := make([]DeadLetter, 0, len(kept))
	for _, k := range kept {
		l, err := decodeLetter(k)
		if err != nil {
			l = DeadLetter{Reason: "this letter can't be read: " + err.Error()}
		}
		letters = append(letters, l)
	}
	return letters, nil
}

func decodeLetter(s string) (DeadLetter, error) {
	var l DeadLetter
	if len(s) > 16<<10 {
		return l, fmt.Errorf("it has %d bytes", len(s))
	}
	err := json.Unmarshal([]byte(s), &l)
	return l, err
}
