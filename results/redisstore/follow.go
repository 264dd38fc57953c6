package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// Bounds of one read of events.
const (
	followEvents = 64
	followBlock  = 2 * time.Second
)

// Follow implements results.Follower, for commits of all clients. It has a
// connection of its own, and returns an error where that is lost.
func (s *Store) Follow(ctx context.Context, study string, fn func([]results.Record)) error {
	what := fmt.Sprintf("follow study %q", study)
	h, err := s.head(ctx, study)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	own, err := s.ownClient(ctx, h.events())
	if err != nil {
		return s.failure(what, err)
	}
	defer func() { _ = own.Close() }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A read that waits is ended by the end of its connection.
	stop := context.AfterFunc(ctx, func() { _ = own.Close() })
	defer stop()
	closing := context.AfterFunc(s.life, func() { cancel(ErrClosed) })
	defer closing()
	err = s.follow(ctx, own, h, fn)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.failure(what, err)
}

// ownClient returns a client with one connection to the master that has a key,
// so that a read that waits keeps no connection from others.
func (s *Store) ownClient(ctx context.Context, key string) (*redis.Client, error) {
	var from *redis.Client
	switch c := s.rdb.(type) {
	case *redis.Client:
		from = c
	case *redis.ClusterClient:
		master, err := c.MasterForKey(ctx, key)
		if err != nil {
			return nil, err
		}
		from = master
	default:
		return nil, fmt.Errorf("a client of type %T can't be followed with; use redis.Client or redis.ClusterClient", s.rdb)
	}
	o := *from.Options()
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns, o.MaxRetries = 1, 0, 1, 0, -1
	return redis.NewClient(&o), nil
}

func (s *Store) follow(ctx context.Context, own *redis.Client, h *head, fn func([]results.Record)) error {
	study, last := h.plan.Study, "0-0"
	newest, err := own.XRevRangeN(ctx, h.events(), "+", "-", 1).Result()
	if err != nil {
		return err
	}
	if len(newest) > 0 {
		last = newest[0].ID
	}
	for {
		streams, err := own.XRead(ctx, &redis.XReadArgs{Streams: []string{h.events(), last}, Count: followEvents, Block: followBlock}).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		now, err := s.head(ctx, study)
		if err != nil {
			return err
		}
		if now.inc != h.inc {
			return fmt.Errorf("it was deleted: %w", results.ErrNotFound)
		}
		for _, stream := range streams {
			var pieces []piece
			for _, m := range stream.Messages {
				last = m.ID
				text, _ := m.Values["d"].(string)
				pieces = append(pieces, readPieces(text)...)
			}
			if err := s.tell(ctx, now, pieces, fn); err != nil {
				return err
			}
		}
	}
}

// tell calls fn with the records of pieces that are still there.
func (s *Store) tell(ctx context.Context, h *head, pieces []piece, fn func([]results.Record)) error {
	whole := *h
	whole.plan.Generation = math.MaxUint32 // of whatever generation
	r := s.reader(&whole, false)
	for len(pieces) > 0 {
		n := min(len(pieces), windowBuckets)
		err := r.read(ctx, pieces[:n], func(items []item) bool {
			var rs []results.Record
			for i := range items {
				if items[i].err == nil {
					rs = append(rs, items[i].Record)
				}
			}
			if len(rs) > 0 {
				fn(rs)
			}
			return true
		})
		if err != nil {
			return err
		}
		pieces = pieces[n:]
	}
	return nil
}

// readPieces reads an event of commit.lua: for each chunk its bucket, ":" and 16
// bytes of bits.
func readPieces(text string) (pieces []piece) {
	for text != "" {
		digits, rest, ok := strings.Cut(text, ":")
		if !ok || len(rest) < maskBytes {
			return pieces
		}
		var p piece
		for _, c := range []byte(digits) {
			if c < '0' || c > '9' || p.bucket > 1<<57 {
				return pieces
			}
			p.bucket = p.bucket*10 + uint64(c-'0')
		}
		for i := range maskBytes {
			p.mask[i/8] |= uint64(rest[i]) << (i % 8 * 8)
		}
		pieces, text = append(pieces, p), rest[maskBytes:]
	}
	return pieces
}
