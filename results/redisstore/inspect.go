package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Report is how the servers of a store are set up.
type Report struct {
	Cluster bool
	Nodes   []Node // the masters, by address
}

// Node is one server. What it would not tell is "" or -1, and named in Refused.
type Node struct {
	Addr      string // as the client knows it
	Software  string // "redis" or "valkey"
	Version   string
	Role      string // "master" or "slave"
	Replicas  int    // connected
	Loading   bool   // it reads its files
	Cluster   bool   // it runs in cluster mode
	AOF       bool   // it has an append-only file
	AOFFailed bool   // the last write to it failed

	AppendFsync     string        // "always", "everysec" or "no"
	MaxMemoryPolicy string        // "noeviction" keeps what is stored
	UsedMemory      int64         // bytes
	MaxMemory       int64         // bytes; 0: no limit
	ListpackValue   int64         // hash-max-listpack-value: records up to this size are stored compactly
	ListpackEntries int64         // hash-max-listpack-entries, which should be 128 or more
	Skew            time.Duration // its clock less this machine's
	SkewWithin      time.Duration // how far Skew may be off: half a round trip
	Refused         []string      // commands that the user may not use
}

// Inspect asks the servers how they are set up. A user who may not use CONFIG or
// INFO gets a report without what these tell.
func (s *Store) Inspect(ctx context.Context) (Report, error) {
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	var r Report
	switch c := s.rdb.(type) {
	case *redis.ClusterClient:
		r.Cluster = true
		var mu sync.Mutex
		err := c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			n, err := s.inspect(ctx, node, node.Options().Addr)
			mu.Lock()
			defer mu.Unlock()
			r.Nodes = append(r.Nodes, n)
			return err
		})
		if err != nil {
			return r, err
		}
		slices.SortFunc(r.Nodes, func(a, b Node) int { return strings.Compare(a.Addr, b.Addr) })
	case *redis.Client:
		n, err := s.inspect(ctx, c, c.Options().Addr)
		if err != nil {
			return r, err
		}
		r.Nodes = []Node{n}
	default:
		return r, fmt.Errorf("inspect the store: a client of type %T is unknown", s.rdb)
	}
	return r, nil
}

func (s *Store) inspect(ctx context.Context, c *redis.Client, addr string) (Node, error) {
	n := Node{Addr: addr, UsedMemory: -1, MaxMemory: -1, ListpackValue: -1, ListpackEntries: -1, Replicas: -1}
	before := time.Now()
	clock, err := c.Time(ctx).Result()
	took := time.Since(before)
	if err != nil {
		return n, s.failure("inspect "+addr, err)
	}
	n.Skew, n.SkewWithin = clock.Sub(before.Add(took/2)), took/2
	text, err := c.Info(ctx).Result()
	if err := n.refused(s, "info", err); err != nil {
		return n, err
	}
	n.readInfo(text)
	for _, setting := range []string{"appendfsync", "maxmemory-policy", "maxmemory", "hash-max-listpack-value", "hash-max-listpack-entries"} {
		values, err := c.ConfigGet(ctx, setting).Result()
		if err := n.refused(s, "config|get", err); err != nil {
			return n, err
		}
		if err != nil {
			break
		}
		n.readSetting(setting, values[setting])
	}
	return n, nil
}

// refused notes a command that the user may not use, and returns other errors.
// Managed servers have no CONFIG at all.
func (n *Node) refused(s *Store, command string, err error) error {
	if err == nil {
		return nil
	}
	if strings.HasPrefix(err.Error(), "NOPERM") || strings.HasPrefix(err.Error(), "ERR unknown command") {
		n.Refused = append(n.Refused, command)
		return nil
	}
	return s.failure("inspect "+n.Addr, err)
}

// readInfo reads the answer of INFO.
func (n *Node) readInfo(text string) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		number, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "redis_version":
			if n.Version == "" {
				n.Software, n.Version = "redis", value
			}
		case "valkey_version":
			n.Software, n.Version = "valkey", value
		case "role":
			n.Role = value
		case "connected_slaves":
			n.Replicas = int(number)
		case "loading":
			n.Loading = number == 1
		case "cluster_enabled":
			n.Cluster = number == 1
		case "aof_enabled":
			n.AOF = number == 1
		case "aof_last_write_status":
			n.AOFFailed = value != "ok"
		case "used_memory":
			n.UsedMemory = number
		case "maxmemory":
			n.MaxMemory = number
		case "maxmemory_policy":
			n.MaxMemoryPolicy = value
		}
	}
}

func (n *Node) readSetting(setting, value string) {
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		number = -1
	}
	switch setting {
	case "appendfsync":
		n.AppendFsync = value
	case "maxmemory-policy":
		n.MaxMemoryPolicy = value
	case "maxmemory":
		n.MaxMemory = number
	case "hash-max-listpack-value":
		n.ListpackValue = number
	case "hash-max-listpack-entries":
		n.ListpackEntries = number
	}
}
