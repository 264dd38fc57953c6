package asynqqueue

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

const (
	// sweepEvery is short enough that a damaged task, whose lease nobody extends,
	// is gone before asynq's recovery meets it, 30 s after the lease has ended.
	sweepEvery = 10 * time.Second
	sweepPage  = 100
)

//go:embed sweep.lua
var sweepText string

// sweeper looks for damaged tasks until the queue closes.
func (q *Queue) sweeper() {
	for {
		t := time.NewTimer(jitter(sweepEvery))
		select {
		case <-t.C:
		case <-q.open.Done():
			t.Stop()
			return
		}
		ctx, cancel := context.WithTimeout(q.open, sweepEvery)
		if err := q.sweep(ctx, time.Now()); err != nil && q.open.Err() == nil {
			q.log.Debug("queue is not swept", zap.Error(err))
		}
		cancel()
	}
}

// sweep buries the damaged ones among the held tasks whose lease ended before
// now. A clock that is wrong makes it look at more or fewer tasks: what it buries
// goes by the message alone.
func (q *Queue) sweep(ctx context.Context, now time.Time) error {
	lease, last := key(q.name, "lease"), strconv.FormatInt(now.Unix(), 10)
	script := redis.NewScript(sweepText)
	for offset := 0; ; {
		ids, err := q.rdb.ZRangeByScore(ctx, lease, &redis.ZRangeBy{Min: "-inf", Max: last, Offset: int64(offset), Count: sweepPage}).Result()
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			offset++
			msg, err := q.rdb.HGet(ctx, taskKey(q.name, id), "msg").Result()
			has := "1"
			var damage error
			switch {
			case errors.Is(err, redis.Nil):
				has, damage = "0", errors.New("its message is gone")
			case err != nil:
				return err
			default:
				damage = q.damage(id, msg)
			}
			if damage == nil {
				continue
			}
			letter := DeadLetter{ID: id, Reason: damage.Error(), Payload: []byte(msg)}
			n, err := script.Run(ctx, q.rdb, []string{key(q.name, "active"), lease, taskKey(q.name, id), key(q.name, "overnight:dead")},
				id, has, msg, letter.encode(), MaxDead).Int()
			if err != nil {
				return err
			}
			if n == 1 {
				offset--
				q.log.Warn("damaged task dropped", zap.String("task", id), zap.Error(damage))
			}
		}
	}
}

// damage tells what is wrong with the message of task id.
func (q *Queue) damage(id, msg string) error {
	if err := q.sane(msg); err != nil {
		return err
	}
	if m, err := decode(msg); err != nil || field(m, "id").String() != id {
		return fmt.Errorf("its message belongs to another task")
	}
	return nil
}
