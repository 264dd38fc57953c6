package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"overnight/results"
)

// task is one call of Commit.
type task struct {
	study      string
	generation uint32
	records    []results.Record
	curves     [][]byte // the stored form of each record's curves; nil where no record has any
	sums       [][curvesSumBytes]byte
	encoded    encoded
	verdicts   []results.Verdict // 0: not answered yet
	err        error
	done       chan struct{}
}

// encoded are the stored forms of a task's records for one incarnation.
type encoded struct {
	inc     string
	text    string
	ends    []int
	workers []workerNumber // those that are in it
}

// workerNumber is the number by which a worker's name is stored.
type workerNumber struct {
	name   string
	number uint64
}

func newTask(study string, generation uint32, rs []results.Record) *task {
	t := &task{study: study, generation: generation, records: rs, verdicts: make([]results.Verdict, len(rs)), done: make(chan struct{})}
	var c compressor
	for i := range rs {
		if len(rs[i].Curves) == 0 {
			continue
		}
		if t.curves == nil {
			t.curves, t.sums = make([][]byte, len(rs)), make([][curvesSumBytes]byte, len(rs))
		}
		t.curves[i], t.sums[i] = storeCurves(rs[i].Curves, &c)
	}
	return t
}

// validAll refuses records that are not valid.
func validAll(p *results.Plan, rs []results.Record) error {
	for i := range rs {
		if err := rs[i].Valid(p); err != nil {
			return err
		}
	}
	return nil
}

// encode makes the stored forms for h, unless they are there. It returns false
// where the study is another or gone.
func (t *task) encode(ctx context.Context, s *Store, h *head) (bool, error) {
	if t.encoded.inc == h.inc {
		return true, nil
	}
	pointers := make([]*results.Record, len(t.records))
	for i := range t.records {
		pointers[i] = &t.records[i]
	}
	names, ok, err := s.intern(ctx, h, pointers)
	if err != nil || !ok {
		return ok, err
	}
	b := make([]byte, 0, len(t.records)*(32+8*len(h.plan.Metrics)))
	ends := make([]int, len(t.records))
	worker, last := uint64(0), ""
	var workers []workerNumber
	for i := range t.records {
		r := &t.records[i]
		if r.Worker != last {
			worker, _ = names.number(r.Worker)
			last = r.Worker
			if w := (workerNumber{last, worker}); last != "" && !slices.Contains(workers, w) {
				workers = append(workers, w)
			}
		}
		var curves []byte
		var sum [curvesSumBytes]byte
		if t.curves != nil {
			curves, sum = t.curves[i], t.sums[i]
		}
		b = h.appendRecord(b, r, t.generation, worker, curves, sum)
		ends[i] = len(b)
	}
	t.encoded = encoded{inc: h.inc, text: string(b), ends: ends, workers: workers}
	return true, nil
}

// unit is a record of a task.
type unit struct {
	t *task
	i int
}

func (u unit) record() *results.Record { return &u.t.records[u.i] }

// value returns the stored form.
func (u unit) value() string {
	from := 0
	if u.i > 0 {
		from = u.t.encoded.ends[u.i-1]
	}
	return u.t.encoded.text[from:u.t.encoded.ends[u.i]]
}

func (u unit) curves() []byte {
	if u.t.curves == nil {
		return nil
	}
	return u.t.curves[u.i]
}

// size returns about how many bytes the unit takes to send.
func (u unit) size() int {
	return 64 + 8*len(u.record().Metrics) + len(u.record().Error) + len(u.curves())
}

// units returns the records of tasks that are not answered, by trial. Of one trial
// only the one that came first is among them: the others are late.
func units(tasks []*task) []unit {
	n := 0
	for _, t := range tasks {
		n += len(t.records)
	}
	us := make([]unit, 0, n)
	for _, t := range tasks {
		for i := range t.records {
			if t.err == nil && t.verdicts[i] == 0 {
				us = append(us, unit{t, i})
			}
		}
	}
	byTrial := func(a, b unit) int { return cmp.Compare(a.record().Trial, b.record().Trial) }
	if !slices.IsSortedFunc(us, byTrial) {
		slices.SortStableFunc(us, byTrial)
	}
	return slices.CompactFunc(us, func(a, b unit) bool { return a.record().Trial == b.record().Trial })
}

// stillValid answers, with an error, tasks whose records no longer fit the plan:
// the study has more metrics, or was replaced by another.
func stillValid(p *results.Plan, tasks []*task) {
	for _, t := range tasks {
		if t.err == nil {
			if err := validAll(p, t.records); err != nil {
				t.err = fmt.Errorf("the study was changed meanwhile: %w", err)
			}
		}
	}
}
