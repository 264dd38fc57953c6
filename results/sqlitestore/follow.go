package sqlitestore

import (
	"context"
	"slices"
	"sync"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// followBuffer is how many groups a follower may be behind before it misses one.
const followBuffer = 64

// followers are the running calls of Follow.
type followers struct {
	mu      sync.Mutex
	of      map[string][]chan []results.Record
	closing chan struct{}
	once    sync.Once
}

func (f *followers) close() { f.once.Do(func() { close(f.closing) }) }

// Follow implements results.Follower for commits through this Store; those of
// other processes it misses. It returns ErrClosed when the store closes and
// ctx's error when that ends.
func (s *Store) Follow(ctx context.Context, study string, fn func([]results.Record)) error {
	err := s.read(func(c *engine.Conn) error {
		_, _, err := s.number(c, study)
		return err
	})
	if err != nil {
		return err
	}
	ch := make(chan []results.Record, followBuffer)
	f := &s.followers
	f.mu.Lock()
	if f.of == nil {
		f.of = make(map[string][]chan []results.Record)
	}
	f.of[study] = append(f.of[study], ch)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.of[study] = slices.DeleteFunc(f.of[study], func(c chan []results.Record) bool { return c == ch })
		if len(f.of[study]) == 0 {
			delete(f.of, study)
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.closing:
			return ErrClosed
		case rs := <-ch:
			fn(rs)
		}
	}
}

// tell passes on what was committed.
func (f *followers) tell(tasks []*task) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range tasks {
		chans := f.of[t.commit.study]
		if len(chans) == 0 {
			continue
		}
		committed := t.commit.committed()
		if len(committed) == 0 {
			continue
		}
		for _, ch := range chans {
			select {
			case ch <- slices.Clone(committed):
			default: // it is too slow; the ledger has them
			}
		}
	}
}

// committed returns copies of the records that were committed, without curves.
func (t *commit) committed() []results.Record {
	var rs []results.Record
	for i, r := range t.records {
		if t.verdicts[i] != results.Committed {
			continue
		}
		r.Curves = nil
		r.Metrics = slices.Clone(r.Metrics)
		r.Generation = t.generation
		rs = append(rs, r)
	}
	return rs
}
