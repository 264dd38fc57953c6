package redisstore

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"overnight/results"
)

// workerNames are the numbers of a study's worker names as far as they are known
// here. Number 0 is no name; a number is never given twice, but by a server that
// has lost what it had answered: commit.lua compares those of a batch.
type workerNames struct {
	inc string

	mu      sync.RWMutex
	numbers map[string]uint64
	names   map[uint64]string
}

// workersOf returns the names of a study.
func (s *Store) workersOf(h *head) *workerNames {
	if n, ok := s.names.Load(h.plan.Study); ok && n.(*workerNames).inc == h.inc {
		return n.(*workerNames)
	}
	n := newWorkerNames(h.inc)
	s.names.Store(h.plan.Study, n)
	return n
}

func newWorkerNames(inc string) *workerNames {
	return &workerNames{inc: inc, numbers: map[string]uint64{"": 0}, names: map[uint64]string{0: ""}}
}

func (n *workerNames) number(name string) (uint64, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	i, ok := n.numbers[name]
	return i, ok
}

func (n *workerNames) add(name string, number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.numbers[name], n.names[number] = number, name
}

// intern numbers the names of workers in records. It returns false where the
// study is another or gone.
func (s *Store) intern(ctx context.Context, h *head, rs []*results.Record) (*workerNames, bool, error) {
	n := s.workersOf(h)
	unknown := make(map[string]bool)
	last := ""
	for _, r := range rs {
		if r.Worker == last {
			continue
		}
		last = r.Worker
		if _, ok := n.number(r.Worker); !ok {
			unknown[r.Worker] = true
		}
	}
	if len(unknown) == 0 {
		return n, true, nil
	}
	args := []any{h.inc}
	for name := range maps.Keys(unknown) {
		args = append(args, name)
	}
	reply, err := s.run(ctx, s.scripts.intern, []string{h.keys.plan(), h.workers()}, args...)
	numbers, ok := reply.([]any)
	if err != nil || !ok {
		return n, false, err
	}
	if len(numbers) != len(args)-1 {
		return n, false, fmt.Errorf("%d numbers for %d workers", len(numbers), len(args)-1)
	}
	for i, v := range numbers {
		number, _ := v.(int64)
		n.add(args[i+1].(string), uint64(number))
	}
	return n, true, nil
}

// table returns the names by their number, all that the study has where need is
// not among those that are known.
func (s *Store) table(ctx context.Context, h *head, need uint64) (map[uint64]string, error) {
	n := s.workersOf(h)
	n.mu.RLock()
	_, ok := n.names[need]
	names := maps.Clone(n.names)
	n.mu.RUnlock()
	if ok {
		return names, nil
	}
	return s.freshTable(ctx, h)
}

// freshTable is table as the server has it now; what was known before is
// forgotten.
func (s *Store) freshTable(ctx context.Context, h *head) (map[uint64]string, error) {
	all, err := within(ctx, func() (map[string]string, error) { return s.rdb.HGetAll(ctx, h.workers()).Result() })
	if err != nil {
		return nil, err
	}
	n := newWorkerNames(h.inc)
	for name, text := range all {
		if number, err := strconv.ParseUint(text, 10, 64); err == nil {
			n.numbers[name], n.names[number] = number, name
		}
	}
	names := maps.Clone(n.names)
	s.names.Store(h.plan.Study, n)
	return names, nil
}
