package asynqqueue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	most    = 256             // commands of one pipeline
	flights = 2               // pipelines on their way at once
	answer  = 5 * time.Second // for one command or pipeline
)

// pipe is a client whose scripts, called from several goroutines, travel
// together: asynq sends one a round trip. What is sent is what asynq sends.
type pipe struct {
	redis.UniversalClient
	ctx context.Context // ends with cut
	cut context.CancelFunc

	mu      sync.Mutex
	waiting []*call
	flying  int
}

type call struct {
	cmd  *redis.Cmd
	done chan struct{}
}

func newPipe(rdb redis.UniversalClient) *pipe {
	p := &pipe{UniversalClient: rdb}
	p.ctx, p.cut = context.WithCancel(context.Background())
	return p
}

// EvalSha runs a script that the server knows.
func (p *pipe) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return p.run(ctx, script(ctx, "evalsha", sha, keys, args))
}

// Eval runs a script.
func (p *pipe) Eval(ctx context.Context, text string, keys []string, args ...any) *redis.Cmd {
	return p.run(ctx, script(ctx, "eval", text, keys, args))
}

func script(ctx context.Context, name, text string, keys []string, args []any) *redis.Cmd {
	all := make([]any, 0, 3+len(keys)+len(args))
	all = append(all, name, text, len(keys))
	for _, k := range keys {
		all = append(all, k)
	}
	cmd := redis.NewCmd(ctx, append(all, args...)...)
	if len(keys) > 0 {
		cmd.SetFirstKeyPos(3)
	}
	return cmd
}

// run sends a command with those that others send, and waits for its answer or
// for ctx: then it may still be carried out.
func (p *pipe) run(ctx context.Context, cmd *redis.Cmd) *redis.Cmd {
	c := &call{cmd: cmd, done: make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, c)
	if p.flying < flights {
		p.flying++
		go p.fly()
	}
	p.mu.Unlock()
	select {
	case <-c.done:
		note(ctx, cmd.Err())
		return cmd
	case <-ctx.Done():
		return failed(ctx, cmd, ctx.Err())
	case <-p.ctx.Done():
		return failed(ctx, cmd, errCut)
	}
}

var (
	errCut    = errors.New("the queue is closed")
	errSilent = fmt.Errorf("Redis gives no answer within %v", answer)
)

func failed(ctx context.Context, cmd *redis.Cmd, err error) *redis.Cmd {
	note(ctx, err)
	other := redis.NewCmd(ctx, cmd.Name())
	other.SetErr(err)
	return other
}

// fly sends pipelines until nothing waits.
func (p *pipe) fly() {
	for {
		p.mu.Lock()
		n := min(most, len(p.waiting))
		batch := p.waiting[:n:n]
		if p.waiting = p.waiting[n:]; n == 0 {
			p.waiting = nil
			p.flying--
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		cmds := make([]*redis.Cmd, n)
		for i, c := range batch {
			cmds[i] = c.cmd
		}
		p.send(cmds)
		for _, c := range batch {
			close(c.done)
		}
	}
}

// send sends commands in one round trip. Each has its answer or error then.
func (p *pipe) send(cmds []*redis.Cmd) {
	ctx, cancel := context.WithTimeout(p.ctx, answer)
	defer cancel()
	if len(cmds) == 1 {
		_ = p.Process(ctx, cmds[0])
	} else {
		line := p.Pipeline()
		for _, cmd := range cmds {
			_ = line.Process(ctx, cmd)
		}
		_, _ = line.Exec(ctx)
	}
	for _, cmd := range cmds { // this is no context of the caller's
		if errors.Is(cmd.Err(), context.DeadlineExceeded) {
			cmd.SetErr(errSilent)
		}
	}
}

// bound sends a command that asynq sends without a script. asynq waits for it as
// long as it takes, when it shuts down too; and go-redis, where a server accepts
// connections and then says nothing, for several times the context's.
func (p *pipe) bound(ctx context.Context, send func(context.Context) *redis.IntCmd) *redis.IntCmd {
	ctx, cancel := context.WithTimeout(ctx, answer)
	sent := make(chan *redis.IntCmd, 1)
	go func() {
		defer cancel()
		sent <- send(ctx)
	}()
	cmd := redis.NewIntCmd(ctx)
	select {
	case cmd = <-sent:
	case <-ctx.Done():
		cmd.SetErr(errSilent)
	case <-p.ctx.Done():
		cmd.SetErr(errCut)
	}
	note(ctx, cmd.Err())
	return cmd
}

// SAdd adds to a set.
func (p *pipe) SAdd(ctx context.Context, key string, members ...any) *redis.IntCmd {
	return p.bound(ctx, func(ctx context.Context) *redis.IntCmd { return p.UniversalClient.SAdd(ctx, key, members...) })
}

// ZAdd adds to a sorted set.
func (p *pipe) ZAdd(ctx context.Context, key string, members ...redis.Z) *redis.IntCmd {
	return p.bound(ctx, func(ctx context.Context) *redis.IntCmd { return p.UniversalClient.ZAdd(ctx, key, members...) })
}

// ZAddXX changes what is in a sorted set.
func (p *pipe) ZAddXX(ctx context.Context, key string, members ...redis.Z) *redis.IntCmd {
	return p.bound(ctx, func(ctx context.Context) *redis.IntCmd { return p.UniversalClient.ZAddXX(ctx, key, members...) })
}

// ZRem takes from a sorted set.
func (p *pipe) ZRem(ctx context.Context, key string, members ...any) *redis.IntCmd {
	return p.bound(ctx, func(ctx context.Context) *redis.IntCmd { return p.UniversalClient.ZRem(ctx, key, members...) })
}

// Subscribe returns a subscription that is closed. asynq would listen for tasks
// to be cancelled, which nobody does here, on a connection of its own that
// nothing bounds in time.
func (p *pipe) Subscribe(ctx context.Context, _ ...string) *redis.PubSub {
	s := p.UniversalClient.Subscribe(ctx)
	_ = s.Close()
	return s
}

// causeKey is where a context has a *error for what Redis said: asynq turns
// errors into text.
type causeKey struct{}

func note(ctx context.Context, err error) {
	if cause, ok := ctx.Value(causeKey{}).(*error); ok && err != nil {
		*cause = err
	}
}
