package redisstore

import (
	"context"
	"embed"
	"errors"
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
}

func loadScripts() (scripts, error) {
	var s scripts
	for name, into := range map[string]**script{
		"create": &s.create, "swap": &s.swap, "delete": &s.delete, "forget": &s.forget, "intern": &s.intern,
		"commit": &s.commit, "settle": &s.settle, "stale": &s.stale, "remove": &s.remove, "adjust": &s.adjust, "addpoints": &s.addPoints,
		"checkpoint": &s.checkpoint, "putblob": &s.putBlob, "dropblob": &s.dropBlob, "beat": &s.beat, "give": &s.give, "lease": &s.takeLease,
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
	c := &call{script: sc, keys: keys, args: args}
	if err := s.runAll(ctx, []*call{c}, false); err != nil {
		return nil, err
	}
	return c.value()
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
	node := redis.Cmdable(s.rdb)
	if cluster, ok := s.rdb.(*redis.ClusterClient); ok && wait {
		// WAIT speaks of its own connection; the cluster's pipeline would send it
		// to any node.
		master, err := cluster.MasterForKey(ctx, calls[0].keys[0])
		if err != nil {
			return err
		}
		node = master
	}
	var waited *redis.IntCmd
	_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range calls {
			c.reply = add(p, c)
		}
		if wait {
			waited = p.Wait(ctx, s.options.Wait.Replicas, s.options.Wait.Timeout)
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
	if wait && int(waited.Val()) < s.options.Wait.Replicas {
		return &replicaError{got: int(waited.Val()), want: s.options.Wait.Replicas, within: s.options.Wait.Timeout}
	}
	return nil
}
