package asynqqueue

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// gate is the client of asynq's Server. The Server asks for the next task whenever
// it has a free place, and sleeps when there is none. Here it has always a free
// place, and the gate lets it ask when a Take waits, for as many tasks in one
// round trip as are waited for. Everything else passes.
type gate struct {
	*pipe
	q       *Queue
	pending string // the key that only a task's dequeueing names first

	// Used by the Server's one dequeueing goroutine:
	batch int           // how many to ask for
	pause time.Duration // between questions in vain
	since time.Time     // of the first of the errors that came one after the other
}

const (
	leastPause = time.Millisecond
	mostBatch  = 128
	patience   = 3 * time.Second // with errors, before a Take returns one
)

// EvalSha runs a script that the server knows.
func (g *gate) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if g.dequeues(keys) {
		return g.next(ctx, "evalsha", sha, keys, args)
	}
	return g.pipe.EvalSha(ctx, sha, keys, args...)
}

// Eval runs a script.
func (g *gate) Eval(ctx context.Context, text string, keys []string, args ...any) *redis.Cmd {
	if g.dequeues(keys) {
		return g.next(ctx, "eval", text, keys, args)
	}
	return g.pipe.Eval(ctx, text, keys, args...)
}

func (g *gate) dequeues(keys []string) bool { return len(keys) == 4 && keys[0] == g.pending }

// next returns the next task, once somebody waits for it. It returns none when
// the queue closes, and the error that the script is not known, which asynq
// answers itself.
func (g *gate) next(ctx context.Context, name, text string, keys []string, args []any) *redis.Cmd {
	result := redis.NewCmd(ctx, name)
	for {
		msg, want, open := g.q.wanted()
		if msg != "" {
			result.SetVal(msg)
			return result
		}
		if !open {
			result.SetErr(redis.Nil)
			return result
		}
		if name == "eval" {
			want = 1
		}
		n := max(1, min(want, g.batch, mostBatch))
		msgs, err := g.ask(ctx, n, name, text, keys, args)
		g.q.fetched(msgs)
		switch {
		case err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT"):
			result.SetErr(err)
			return result
		case err != nil:
			g.trouble(err)
		case len(msgs) == 0:
			g.well()
			g.batch = 1
			g.pause = min(max(2*g.pause, leastPause), g.q.o.CheckInterval)
			g.q.rest(g.pause)
		default:
			g.well()
			g.pause = 0
			if g.batch *= 2; len(msgs) < n {
				g.batch = 1
			}
			g.batch = min(g.batch, mostBatch)
		}
	}
}

// ask takes at most n tasks from Redis. An error may come with some.
func (g *gate) ask(ctx context.Context, n int, name, text string, keys []string, args []any) (msgs []string, err error) {
	cmds := make([]*redis.Cmd, n)
	for i := range cmds {
		cmds[i] = script(ctx, name, text, keys, args)
	}
	sent := make(chan struct{})
	go func() {
		g.pipe.send(cmds)
		close(sent)
	}()
	select {
	case <-sent:
	case <-g.pipe.ctx.Done():
		return nil, errCut
	}
	for _, cmd := range cmds {
		msg, e := cmd.Text()
		if e != nil {
			if !errors.Is(e, redis.Nil) {
				err = e
			}
			continue
		}
		if e := g.q.sane(msg); e != nil {
			// asynq could not end it. It stays among the held ones until it is swept.
			g.q.log.Warn("task in the queue is damaged", zap.Error(e))
			continue
		}
		msgs = append(msgs, msg)
	}
	return msgs, err
}

// trouble waits after an error. When there was nothing else for a while, those
// that wait in Take get it.
func (g *gate) trouble(err error) {
	if g.since.IsZero() {
		g.since = time.Now()
		g.q.log.Warn("queue does not answer", zap.Error(err))
	}
	g.batch = 1
	g.q.fail(g.since, err)
	g.pause = min(max(2*g.pause, 20*time.Millisecond), time.Second)
	g.q.rest(g.pause)
}

func (g *gate) well() {
	if !g.since.IsZero() {
		g.q.log.Info("queue answers again", zap.Duration("after", time.Since(g.since)))
		g.since, g.pause = time.Time{}, 0
	}
}

// jitter keeps processes from asking in step.
func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2+1) }
