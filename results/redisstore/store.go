// Package redisstore keeps plans, results and everything beside them in Redis:
// the store of a cluster. Start with New and Store.Commit.
//
// One Lua script commits a batch of records with all that is counted of them -
// tally, ledger, leaderboard, events - so that counters can't drift from records.
// Every write is idempotent, since clients send again after a lost connection.
// What Commit has answered survives a kill of redis-server where it has an
// append-only file (appendfsync always: a loss of power too); Options.Wait has
// replicas confirm it. Inspect tells how a server is set up.
//
// Keys are <namespace>:{<study>}:..., all keys of a study with one hash tag, so
// that Redis Cluster, Sentinel and Valkey serve as well as one server.
//
// # Bytes
//
// Measured on Redis 7.0 by used_memory: a record with three metrics takes 50 to 55
// bytes in all (24 of metrics, fewer where low bytes are zero, some 20 of worker,
// times and CRC, and what the bucket adds), with five 71. Up to five it stays
// within hash-max-listpack-value, 64 bytes by default; with six it takes 135, with
// twelve 183. For studies with more than five set that to 8 x metrics + 30. A
// curve of 200 points takes 2.1 KB: 8 bytes a point, a byte for each X that is an
// integer, and what the allocator rounds up; curves that repeat values are
// compressed. record.curves.points in the study file bounds it. Error texts are
// stored as they are, at most 16 KiB each. The leaderboard takes 12 bytes a point.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"overnight/results"
)

// format is the version of what is stored. A store of the version before is read
// and written as it is.
const format = 1

// Options configure a store.
type Options struct {
	// Namespace begins every key: letters, digits and any of -_.@. Stores of
	// different namespaces share nothing. Defaults to "overnight".
	Namespace string
	// Wait makes every commit wait for replicas.
	Wait Wait
	// Log gets what nobody is told otherwise. Defaults to none.
	Log *zap.Logger
}

// Wait is how many replicas must have confirmed a commit before it is answered.
// Where fewer do within Timeout, Commit returns an error; to try again is to wait
// again.
type Wait struct {
	// Replicas is their number. Defaults to 0: none is waited for.
	Replicas int
	// Timeout is how long to wait. Defaults to 2 s.
	Timeout time.Duration
}

// Store is a store in Redis. Its methods may be called concurrently.
type Store struct {
	rdb     redis.UniversalClient
	options Options
	scripts scripts
	keep    keepTimes

	heads   sync.Map // study -> *head as it was read last
	names   sync.Map // study -> *workerNames
	commits combiner
	builds  sync.Mutex // one leaderboard at a time is built here

	boardless bool // keeps no leaderboards

	life context.Context // ends with Close
	end  context.CancelFunc
}

// keepTimes are how long things are kept.
type keepTimes struct {
	removed time.Duration // removed records, for scans that began before
	events  time.Duration // events, after the last commit
	blob    time.Duration // data without a plan that names them: a plan comes after its data
	fleet   time.Duration // silent workers, and orders
	entry   time.Duration // names of studies without a plan: it comes after its name
}

var (
	_ results.Store       = (*Store)(nil)
	_ results.Follower    = (*Store)(nil)
	_ results.Skimmer     = (*Store)(nil)
	_ results.Leaderboard = (*Store)(nil)
	_ results.Checker     = (*Store)(nil)
)

// New returns the store in a Redis, whose format it notes there where there is
// none. The client stays the caller's, who closes it after the store.
func New(ctx context.Context, rdb redis.UniversalClient, o Options) (*Store, error) {
	if o.Namespace == "" {
		o.Namespace = "overnight"
	}
	if err := validNamespace(o.Namespace); err != nil {
		return nil, err
	}
	if o.Wait.Replicas < 0 || o.Wait.Timeout < 0 {
		return nil, fmt.Errorf("wait for %d replicas within %v: write 0 or more", o.Wait.Replicas, o.Wait.Timeout)
	}
	if o.Wait.Timeout == 0 {
		o.Wait.Timeout = 2 * time.Second
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	s := &Store{rdb: rdb, options: o}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	s.keep = keepTimes{removed: time.Hour, events: time.Hour, blob: time.Hour, fleet: 24 * time.Hour, entry: time.Hour}
	s.commits.init(s)
	var err error
	if s.scripts, err = loadScripts(); err != nil {
		return nil, err
	}
	if _, err := within(ctx, func() (any, error) { return nil, s.checkFormat(ctx) }); err != nil {
		return s, err
	}
	return s, nil
}

// checkFormat refuses stores of other formats.
func (s *Store) checkFormat(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	there, err := s.rdb.Get(ctx, s.format()).Result()
	if errors.Is(err, redis.Nil) {
		if err = s.rdb.SetNX(ctx, s.format(), format, 0).Err(); err == nil {
			there, err = s.rdb.Get(ctx, s.format()).Result()
		}
	}
	if err != nil {
		return s.failure("open the store", err)
	}
	n, err := strconv.Atoi(there)
	switch {
	case err != nil || n < 1:
		return fmt.Errorf("open the store: key %s holds %q, where a format's number is due; use another namespace", s.format(), there)
	case n > format:
		return fmt.Errorf("open the store: it has format %d, of a newer Overnight, where this one reads up to %d; update this program", n, format)
	case n < format-1:
		return fmt.Errorf("open the store: it has format %d, where this program reads %d and %d; use `overnight copy` of a program in between", n, format-1, format)
	}
	return nil
}

// Close waits for commits under way, for 5 s at most: an error tells that some
// have had no answer. Calls of Commit and Follow that come later return ErrClosed.
func (s *Store) Close() error {
	s.end()
	return s.commits.close()
}
