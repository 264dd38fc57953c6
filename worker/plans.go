package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// What load says of a job that is not to be run here and now.
var (
	// errRefused is wrapped where a job must never be run, here or elsewhere.
	errRefused = errors.New("job refused")
	// errPaused and errEngine hand it back.
	errPaused = errors.New("study is paused")
	errEngine = errors.New("another engine version")
)

// loaded is a study at a generation, ready to run.
type loaded struct {
	study      *jobs.Study
	name       string
	generation uint32
	body       []byte

	// As the plan said when it was read last.
	epoch   uint32
	state   results.State
	checked time.Time // zero: the plan is to be read again
}

// plans keeps the studies that a worker has met lately.
type plans struct {
	store  Store
	cat    *jobs.Catalog
	engine int

	turn chan struct{} // a lock: whoever waits for it may wait for the store
	last []*loaded     // most recent first
}

func newPlans(store Store, cat *jobs.Catalog, engine int) *plans {
	return &plans{store: store, cat: cat, engine: engine, turn: make(chan struct{}, 1)}
}

// lock waits for the turn.
func (p *plans) lock() (unlock func()) {
	p.turn <- struct{}{}
	return func() { <-p.turn }
}

const (
	plansKept = 8
	planGood  = time.Second // how long a plan that was read is taken to hold
)

// load returns a job's study. It fails where the job must not be run: the study
// is gone or over, the generation is not the plan's, the epoch is below it, a
// trial is not in it.
func (p *plans) load(ctx context.Context, j jobs.Job) (*loaded, error) {
	if j.Engine != p.engine {
		return nil, fmt.Errorf("%w: %s needs %d, this worker has %d", errEngine, j.Study, j.Engine, p.engine)
	}
	defer p.lock()()
	last := j.Trials[len(j.Trials)-1].To
	for i, l := range p.last {
		// A plan of before the job's epoch says nothing of it.
		if l.name == j.Study && l.generation == j.Generation && last <= l.study.Trials() && j.Epoch <= l.epoch && time.Since(l.checked) < planGood {
			copy(p.last[1:], p.last[:i])
			p.last[0] = l
			return l, l.allows(j)
		}
	}
	plan, err := p.store.Plan(ctx, j.Study)
	if errors.Is(err, results.ErrNotFound) {
		return nil, fmt.Errorf("%w: study %s is gone", errRefused, j.Study)
	}
	if err != nil {
		return nil, fmt.Errorf("read plan of %s: %w", j.Study, err)
	}
	if plan.Generation != j.Generation {
		return nil, fmt.Errorf("%w: generation %d of %s is over, it is at %d", errRefused, j.Generation, j.Study, plan.Generation)
	}
	for _, l := range p.last {
		if l.name == j.Study && l.generation == j.Generation && bytes.Equal(l.body, plan.Body) && last <= l.study.Trials() {
			l.note(&plan)
			return l, l.allows(j)
		}
	}
	study, err := jobs.DecodeStudy(plan.Body, p.cat)
	if err != nil {
		return nil, fmt.Errorf("read plan of %s: %w", j.Study, err)
	}
	if last > study.Trials() {
		return nil, fmt.Errorf("%w: job asks for trial %d of %s, which has %d", errRefused, last-1, j.Study, study.Trials())
	}
	for _, d := range study.Data {
		if _, err := p.store.Blob(ctx, d.SHA256); err != nil {
			return nil, fmt.Errorf("read data %s of %s: %w", d.Name, j.Study, err)
		}
	}
	l := &loaded{study: study, name: j.Study, generation: j.Generation, body: plan.Body}
	l.note(&plan)
	p.last = append([]*loaded{l}, p.last[:min(len(p.last), plansKept-1)]...)
	return l, l.allows(j)
}

// note takes in what the plan says now.
func (l *loaded) note(p *results.Plan) {
	l.epoch, l.state, l.checked = p.Epoch, p.State, time.Now()
}

// allows returns why a job is not to be run now, or nil. Jobs of an older epoch
// were left by a coordinator whose study another one has taken over: it has
// issued their trials itself.
func (l *loaded) allows(j jobs.Job) error {
	switch {
	case j.Epoch < l.epoch:
		return fmt.Errorf("%w: epoch %d of %s is over, it is at %d", errRefused, j.Epoch, j.Study, l.epoch)
	case l.state == results.Paused:
		return errPaused
	case l.state == results.Stopped, l.state == results.Cancelled:
		return fmt.Errorf("%w: study %s is %s", errRefused, j.Study, l.state)
	}
	return nil
}

// idle calls fn if nobody is reading a plan: beats don't wait for that, since the
// data that comes with it may take long. Without it a plan holds for planGood.
func (p *plans) idle(fn func()) {
	select {
	case p.turn <- struct{}{}:
		fn()
		<-p.turn
	default:
	}
}

// note takes in a plan that was read otherwise.
func (p *plans) note(plan *results.Plan) {
	p.idle(func() {
		for _, l := range p.last {
			if l.name == plan.Study && l.generation == plan.Generation && bytes.Equal(l.body, plan.Body) {
				l.note(plan)
			}
		}
	})
}

// expire makes the next job of a study read its plan.
func (p *plans) expire(study string) {
	p.idle(func() {
		for _, l := range p.last {
			if l.name == study {
				l.checked = time.Time{}
			}
		}
	})
}
