package storetest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"overnight/results"
)

// state is what a Memory keeps.
type state struct {
	studies map[string]*kept
	created uint64 // studies, ever
	blobs   map[string][]byte
	workers map[string]results.Worker
	orders  []results.Order
	ordered int64 // ID of the last order
	leases  map[string]leased
}

// kept is a study.
type kept struct {
	serial      uint64 // of its creation
	plan        results.Plan
	records     map[uint64]results.Record // never changed, only replaced
	tally       results.Tally
	checkpoints map[uint64][]byte
}

type leased struct {
	holder string
	until  time.Time
}

func newState() *state {
	return &state{
		studies: map[string]*kept{}, blobs: map[string][]byte{},
		workers: map[string]results.Worker{}, leases: map[string]leased{},
	}
}

// clone returns a copy; what is never changed in place is shared.
func (s *state) clone() *state {
	c := *s
	c.studies = make(map[string]*kept, len(s.studies))
	for name, k := range s.studies {
		copied := *k
		copied.records = maps.Clone(k.records)
		copied.checkpoints = maps.Clone(k.checkpoints)
		c.studies[name] = &copied
	}
	c.blobs = maps.Clone(s.blobs)
	c.workers = maps.Clone(s.workers)
	c.orders = slices.Clone(s.orders)
	c.leases = maps.Clone(s.leases)
	return &c
}

func (s *state) study(name string) (*kept, error) {
	k := s.studies[name]
	if k == nil {
		return nil, results.ErrNotFound
	}
	return k, nil
}

// list returns the studies, oldest first.
func (s *state) list() []*kept {
	return slices.SortedFunc(maps.Values(s.studies), func(a, b *kept) int {
		return cmp.Or(a.plan.Created.Compare(b.plan.Created), cmp.Compare(a.serial, b.serial))
	})
}

// commit answers one record, whose generation is set.
func (k *kept) commit(r results.Record) results.Verdict {
	there, ok := k.records[r.Trial]
	sum := &k.tally.Wasted
	v := results.Stale
	switch {
	case r.Generation != k.plan.Generation:
		k.tally.Stale++
	case !ok:
		v, sum = results.Committed, &k.tally.Used
		k.records[r.Trial] = cloneRecord(r)
		delete(k.checkpoints, r.Trial)
		*k.count(r.Status)++
	case results.Equal(&there, &r):
		v = results.Duplicate
		k.tally.Duplicates++
	default:
		v = results.Differs
		k.tally.Differs++
	}
	if *sum += r.Elapsed; *sum < 0 {
		*sum = math.MaxInt64
	}
	return v
}

// count is the counter of a status.
func (k *kept) count(s results.Status) *uint64 {
	t := &k.tally
	return [...]*uint64{&t.Done, &t.Failed, &t.Dead, &t.Overrun}[s-results.Done]
}

// raise lets the checkpoints of older generations go.
func (k *kept) raise(generation uint32) {
	if generation > k.plan.Generation {
		k.checkpoints = map[uint64][]byte{}
	}
	k.plan.Generation = generation
}

func clonePlan(p results.Plan) results.Plan {
	p.Metrics = slices.Clone(p.Metrics)
	p.Body = slices.Clone(p.Body)
	p.Source = slices.Clone(p.Source)
	if !p.Created.IsZero() {
		p.Created = p.Created.UTC().Round(0)
	}
	if !p.Ended.IsZero() {
		p.Ended = p.Ended.UTC().Round(0)
	}
	return p
}

func cloneRecord(r results.Record) results.Record {
	r.Metrics = slices.Clip(slices.Clone(r.Metrics))
	if len(r.Curves) > 0 {
		curves := slices.Clone(r.Curves)
		for i := range curves {
			curves[i].X, curves[i].Y = slices.Clone(curves[i].X), slices.Clone(curves[i].Y)
		}
		slices.SortFunc(curves, func(a, b results.Curve) int { return cmp.Compare(a.Name, b.Name) })
		r.Curves = curves
	}
	if !r.Finished.IsZero() {
		r.Finished = r.Finished.UTC().Round(0)
	}
	return r
}

func cloneWorker(w results.Worker) results.Worker {
	if !w.Started.IsZero() {
		w.Started = w.Started.UTC().Round(0)
	}
	w.Held = slices.Clone(w.Held)
	for i := range w.Held {
		w.Held[i].Trials = slices.Clone(w.Held[i].Trials)
	}
	return w
}
