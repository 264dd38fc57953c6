package asynqqueue

import (
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"go.uber.org/zap"

	"overnight/jobs"
)

const (
	// places bounds what a Server holds. The gate is what limits it.
	places = 1 << 14
	// forwardEvery is how often returned jobs are looked for that are due.
	forwardEvery = 500 * time.Millisecond
)

// serve starts asynq's Server with the first Take: who only publishes has none.
func (q *Queue) serve() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return jobs.ErrClosed
	}
	if q.server != nil {
		return nil
	}
	level := asynq.FatalLevel
	if q.log.Core().Enabled(zap.DebugLevel) {
		level = asynq.DebugLevel
	}
	g := &gate{pipe: q.pipe, q: q, pending: key(q.name, "pending"), batch: 1}
	s := asynq.NewServerFromRedisClient(g, asynq.Config{
		Concurrency:              places,
		Queues:                   map[string]int{q.name: 1},
		TaskCheckInterval:        time.Millisecond, // the gate waits
		DelayedTaskCheckInterval: forwardEvery,
		JanitorInterval:          time.Hour, // for finished tasks that are kept: none
		ShutdownTimeout:          shutFor,
		IsFailure:                func(err error) bool { return !errors.As(err, new(back)) && !errors.Is(err, asynq.ErrLeaseExpired) },
		RetryDelayFunc:           func(_ int, err error, _ *asynq.Task) time.Duration { return delay(err) },
		Logger:                   lines{q.log.Named("asynq").WithOptions(zap.AddCallerSkip(2))},
		LogLevel:                 level,
	})
	if err := s.Start(asynq.HandlerFunc(q.handle)); err != nil {
		return fmt.Errorf("start asynq: %w", err)
	}
	q.server = s
	q.calls.Go(q.sweeper)
	return nil
}

// delay is how long a task is kept back. asynq cuts the time at which it is due
// to whole seconds, so that a delay needs almost one more in order not to be too
// short.
func delay(err error) time.Duration {
	var b back
	if !errors.As(err, &b) || b.after <= 0 {
		return 0
	}
	return b.after + time.Second - 1
}

// lines is an asynq.Logger. What asynq has to say concerns developers: the queue
// itself logs what has gone wrong.
type lines struct{ log *zap.Logger }

var _ asynq.Logger = lines{}

func (l lines) Debug(v ...any) { l.log.Debug(fmt.Sprint(v...)) }
func (l lines) Info(v ...any)  { l.log.Debug(fmt.Sprint(v...)) }
func (l lines) Warn(v ...any)  { l.log.Debug(fmt.Sprint(v...)) }
func (l lines) Error(v ...any) { l.log.Debug(fmt.Sprint(v...)) }
func (l lines) Fatal(v ...any) { l.log.Error(fmt.Sprint(v...)) }
