package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"overnight/internal/redisconn"
	"overnight/results"
	"overnight/results/redisstore"
)

// redis checks the servers of a store.
func (c *checks) redis(ctx context.Context, url string, f doctorFlags) {
	s, err := c.a.openRedis(ctx, url)
	if err != nil {
		c.say(false, "%v", err)
		return
	}
	defer s.Close()
	i, ok := s.(inspector)
	if !ok {
		c.say(false, "%s can't be inspected", redisconn.Redact(url))
		return
	}
	r, err := i.Inspect(ctx)
	if err != nil {
		c.say(false, "%v", err)
		return
	}
	for _, n := range r.Nodes {
		c.node(n, f)
	}
	// A lease is written and given up: this user may write.
	me := holder()
	by, err := s.Lease(ctx, "doctor", me, time.Second)
	if err == nil {
		_, err = s.Lease(ctx, "doctor", me, 0)
	}
	c.say(err == nil && by == me, "this user may read and write the store%s", because(err))
	if k, ok := s.(results.Checker); ok {
		c.damage(ctx, k)
	}
}

// inspector is a store that tells how its servers are set up.
type inspector interface {
	Inspect(ctx context.Context) (redisstore.Report, error)
}

// node checks one Redis.
func (c *checks) node(n redisstore.Node, f doctorFlags) {
	c.say(!n.Loading, "%s: %s %s, %s, %d replicas", n.Addr, n.Software, n.Version, n.Role, max(n.Replicas, 0))
	c.say(n.Role != "slave", "%s takes writes (it is a %s)", n.Addr, n.Role)
	c.say(n.SkewWithin < 50*time.Millisecond, "%s answers in %v", n.Addr, (2 * n.SkewWithin).Round(10*time.Microsecond))
	c.say(n.Skew.Abs() < time.Minute, "the clock of %s is %v ahead of this machine's, to within %v (nothing depends on it)", n.Addr, n.Skew.Round(time.Millisecond), n.SkewWithin.Round(10*time.Microsecond))
	if len(n.Refused) > 0 {
		c.say(true, "note: this user may not use %s on %s; what they would tell is not checked", strings.Join(n.Refused, ", "), n.Addr)
	}
	infos := !slices.Contains(n.Refused, "info")
	if infos {
		switch {
		case n.AOF:
			c.say(!n.AOFFailed, "%s has an append-only file (appendfsync %s)%s", n.Addr, orUnknown(n.AppendFsync), map[bool]string{true: ", and the last write to it failed: is its disk full?"}[n.AOFFailed])
		case f.acceptLoss:
			c.say(true, "%s has no append-only file: all results are lost when it dies (--accept-loss)", n.Addr)
		default:
			c.say(false, "%s has no append-only file: all results are lost when it dies; set appendonly yes, or say --accept-loss", n.Addr)
		}
		if n.MaxMemoryPolicy != "" {
			c.say(n.MaxMemoryPolicy == "noeviction", "%s has maxmemory-policy %s (noeviction keeps what is stored)", n.Addr, n.MaxMemoryPolicy)
		}
		if n.MaxMemory > 0 {
			c.say(float64(n.UsedMemory) < 0.8*float64(n.MaxMemory), "%s uses %s of %s", n.Addr, byteCount(uint64(n.UsedMemory)), byteCount(uint64(n.MaxMemory)))
		} else if n.MaxMemory == 0 {
			c.say(true, "%s uses %s; it has no maxmemory", n.Addr, byteCount(uint64(max(n.UsedMemory, 0))))
		}
	}
	if n.ListpackEntries >= 0 {
		c.say(n.ListpackEntries >= 128 && n.ListpackValue >= 64, "%s stores records compactly (hash-max-listpack-entries %d, of 128 or more; hash-max-listpack-value %d, of 64 or more)", n.Addr, n.ListpackEntries, n.ListpackValue)
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
