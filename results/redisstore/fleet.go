package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// maxWorker bounds the stored form of a worker.
const maxWorker = 4 << 20

func (s *Store) workersKey() string { return s.fleet("workers") } // hash: id -> worker
func (s *Store) seenKey() string    { return s.fleet("seen") }    // sorted set: id by milliseconds since 1970
func (s *Store) ordersKey() string  { return s.fleet("orders") }  // sorted set: order by number

// storedOrder is the form of an order. Token makes each another.
type storedOrder struct {
	Kind  string `json:"kind"`
	Study string `json:"study,omitempty"`
	Made  *int64 `json:"made,omitempty"`
	Token string `json:"token"`
}

// Beat implements results.Fleet.
func (s *Store) Beat(ctx context.Context, w results.Worker, after int64) ([]results.Order, error) {
	what := fmt.Sprintf("beat of worker %q", w.ID)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	w.Seen = time.Time{}
	data, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(data) > maxWorker {
		return nil, fmt.Errorf("%s: %d bytes, more than %d", what, len(data), maxWorker)
	}
	reply, err := s.run(ctx, s.scripts.beat, []string{s.workersKey(), s.seenKey(), s.ordersKey()}, w.ID, data, after, s.keep.fleet.Milliseconds())
	if err != nil {
		return nil, s.failure(what, err)
	}
	list, _ := reply.([]any)
	var orders []results.Order
	for i := 0; i+1 < len(list); i += 2 {
		text, _ := list[i].(string)
		score, _ := list[i+1].(string)
		id, err := strconv.ParseFloat(score, 64)
		var o storedOrder
		if err == nil {
			err = json.Unmarshal([]byte(text), &o)
		}
		if err != nil {
			s.options.Log.Warn("an order can't be read")
			continue
		}
		orders = append(orders, results.Order{ID: int64(id), Kind: results.OrderKind(o.Kind), Study: o.Study, Made: timeOf(o.Made)})
	}
	return orders, nil
}

// Workers implements results.Fleet.
func (s *Store) Workers(ctx context.Context) ([]results.Worker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all *redis.MapStringStringCmd
	var seen *redis.ZSliceCmd
	err := s.pipelined(ctx, func(p redis.Pipeliner) error {
		all = p.HGetAll(ctx, s.workersKey())
		seen = p.ZRangeWithScores(ctx, s.seenKey(), 0, -1)
		return nil
	})
	if err != nil {
		return nil, s.failure("list the workers", err)
	}
	workers := make([]results.Worker, 0, len(all.Val()))
	for _, z := range seen.Val() {
		id, _ := z.Member.(string)
		var w results.Worker
		if all.Val()[id] == "" {
			continue // it beat for the first time in between
		}
		if err := json.Unmarshal([]byte(all.Val()[id]), &w); err != nil || w.ID != id {
			s.options.Log.Warn("a worker's beat can't be read")
			continue
		}
		w.Seen = time.UnixMilli(int64(z.Score)).UTC()
		workers = append(workers, w)
	}
	slices.SortFunc(workers, func(a, b results.Worker) int { return strings.Compare(a.ID, b.ID) })
	return workers, nil
}

// Give implements results.Fleet.
func (s *Store) Give(ctx context.Context, o results.Order) error {
	what := fmt.Sprintf("give the order %q", o.Kind)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	data, err := json.Marshal(storedOrder{Kind: string(o.Kind), Study: o.Study, Made: nanos(o.Made), Token: newID()})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = s.run(ctx, s.scripts.give, []string{s.ordersKey()}, data, s.keep.fleet.Microseconds())
	return s.failure(what, err)
}

// Lease implements results.Fleet. A lease ends by Redis's clock.
func (s *Store) Lease(ctx context.Context, name, holder string, ttl time.Duration) (string, error) {
	switch {
	case name == "" || holder == "":
		return "", fmt.Errorf("lease %q for %q: both need a name", name, holder)
	case ttl < 0:
		return "", fmt.Errorf("lease %q for %v: write a time of 0 or more", name, ttl)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	ms := (ttl + time.Millisecond - 1).Milliseconds()
	reply, err := s.run(ctx, s.scripts.takeLease, []string{s.leaseKey(name)}, holder, ms)
	if err != nil {
		return "", s.failure(fmt.Sprintf("lease %q for %q", name, holder), err)
	}
	by, ok := reply.(string)
	if !ok {
		return "", errors.New("lease: Redis answers something else")
	}
	return by, nil
}
