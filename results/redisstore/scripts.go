package redisstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// script is a Lua script, sent by its hash and, where the server does not know
// it, whole.
type script struct {
	name   string
	source string
	hash   string
}

// scripts are those of folder lua.
type scripts struct {
	create, swap, delete, forget, intern                 *script
	commit, settle, stale, remove, adjust, addPoints     *script
	checkpoint, putBlob, dropBlob, beat, give, takeLease *script
	snapshot                                             *script
}

func loadScripts() (scripts, error) {
	var s scripts
	for name, into := range map[string]**script{
		"create": &s.create, "swap": &s.swap, "delete": &s.delete, "forget": &s.forget, "intern": &s.intern,
		"commit": &s.commit, "settle": &s.settle, "stale": &s.stale, "remove": &s.remove, "adjust": &s.adjust, "addpoints": &s.addPoints,
		"snapshot": &s.snapshot, "checkpoint": &s.checkpoint, "putblob": &s.putBlob, "dropblob": &s.dropBlob, "beat": &s.beat, "give": &s.give, "lease": &s.takeLease,
	} {
		data, err := luaFiles.ReadFile("lua/" + name + ".lua")
		if err != nil {
			return s, err
		}
		source := string(data)
		*into = &script{name: name, source: source, hash: redis.NewScript(source).Hash()}
	}
	return s, nil
}

// call is one call of a script.
type call struct {
	script *script
	keys   []string
	args   []any
	reply  *redis.Cmd
}

// run calls a script. A reply of false is nil.
func (s *Store) run(ctx context.Context, sc *script, keys []string, args ...any) (any, error) {
	return within(ctx, func() (any, error) {
		c := &call{script: sc, keys: keys, args: args}
		if err := s.runAll(ctx, []*call{c}, false); err != nil {
			return nil, err
		}
		return c.value()
	})
}

// runInt calls a script that returns an integer.
func (s *Store) runInt(ctx context.Context, sc *script, keys []string, args ...any) (int64, error) {
	v, err := s.run(ctx, sc, keys, args...)
	if err != nil {
		return 0, err
	}
	n, _ := v.(int64)
	return n, nil
}

// value returns the reply.
func (c *call) value() (any, error) {
	if c.reply == nil {
		return nil, errors.New("it was not sent")
	}
	v, err := c.reply.Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return v, err
}

// runAll calls scripts whose keys are all in one slot, one behind the other in
// one round trip. wait makes it wait for replicas, as Options say. It returns the
// first error; the calls that have a reply keep it.
func (s *Store) runAll(ctx context.Context, calls []*call, wait bool) error {
	err := s.send(ctx, calls, wait, func(p redis.Pipeliner, c *call) *redis.Cmd {
		return p.EvalSha(ctx, c.script.hash, c.keys, c.args...)
	})
	if err == nil || !isNoScript(err) {
		return err
	}
	// Those that were answered are not sent again; what they did needs no second
	// wait, since replicas get all in order.
	var unknown []*call
	for _, c := range calls {
		if isNoScript(c.reply.Err()) {
			unknown = append(unknown, c)
		}
	}
	return s.send(ctx, unknown, wait, func(p redis.Pipeliner, c *call) *redis.Cmd {
		return p.Eval(ctx, c.script.source, c.keys, c.args...)
	})
}

func isNoScript(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") }

// send sends calls in one pipeline.
func (s *Store) send(ctx context.Context, calls []*call, wait bool, add func(redis.Pipeliner, *call) *redis.Cmd) error {
	wait = wait && s.options.Wait.Replicas > 0
	var node redis.Cmdable = s.rdb
	if wait {
		var err error
		if node, err = s.waiter(ctx, calls[0].keys[0]); err != nil {
			return err
		}
	}
	var waited *redis.Cmd
	_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range calls {
			c.reply = add(p, c)
		}
		if wait {
			waited = p.Do(ctx, "wait", s.options.Wait.Replicas, s.options.Wait.Timeout.Milliseconds())
		}
		return nil
	})
	for _, c := range calls {
		if e := c.reply.Err(); e != nil && !errors.Is(e, redis.Nil) {
			return e
		}
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if !wait {
		return nil
	}
	got, err := waited.Int()
	if err == nil && got < s.options.Wait.Replicas {
		err = &replicaError{got: got, want: s.options.Wait.Replicas, within: s.options.Wait.Timeout}
	}
	return err
}

// waiter returns a client of the master that has a key: WAIT speaks of its own
// connection, and a cluster's pipeline would send it to any node. It waits for
// answers as much longer as WAIT may take.
func (s *Store) waiter(ctx context.Context, key string) (redis.Cmdable, error) {
	var master *redis.Client
	switch c := s.rdb.(type) {
	case *redis.Client:
		master = c
	case *redis.ClusterClient:
		var err error
		if master, err = c.MasterForKey(ctx, key); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("a client of type %T can't wait for replicas; use redis.Client or redis.ClusterClient", s.rdb)
	}
	return master.WithTimeout(max(0, master.Options().ReadTimeout) + s.options.Wait.Timeout), nil
}
