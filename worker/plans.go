package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"overnight/jobs"
	"overnight/results"
)

var errOtherEngine = errors.New("planned for another engine version")

// loaded is a study at a generation, ready to run.
type loaded struct {
	study      *jobs.Study
	name       string
	generation uint32
	body       []byte
}

// plans keeps the studies that a worker has met lately.
type plans struct {
	store Store
	cat   *jobs.Catalog

	mu   sync.Mutex
	last []*loaded // most recent first
}

const plansKept = 8

// load returns a job's study. It fails where the job must not be run: the study
// is gone or cancelled, the generation is not the plan's, a trial is not in it.
func (p *plans) load(ctx context.Context, j jobs.Job) (*loaded, error) {
	if j.Engine != jobs.EngineVersion {
		return nil, errOtherEngine
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := j.Trials[len(j.Trials)-1].To
	for i, l := range p.last {
		if l.name == j.Study && l.generation == j.Generation && last <= l.study.Trials() {
			copy(p.last[1:], p.last[:i])
			p.last[0] = l
			return l, nil
		}
	}
	plan, err := p.store.Plan(ctx, j.Study)
	if err != nil {
		return nil, fmt.Errorf("read plan of %s: %w", j.Study, err)
	}
	if plan.Generation != j.Generation {
		return nil, fmt.Errorf("generation %d of %s is over, it is at %d", j.Generation, j.Study, plan.Generation)
	}
	study, err := jobs.DecodeStudy(plan.Body, p.cat)
	if err != nil {
		return nil, fmt.Errorf("read plan of %s: %w", j.Study, err)
	}
	if last > study.Trials() {
		return nil, fmt.Errorf("job asks for trial %d of %s, which has %d", last-1, j.Study, study.Trials())
	}
	for _, d := range study.Data {
		if _, err := p.store.Blob(ctx, d.SHA256); err != nil {
			return nil, fmt.Errorf("read data %s of %s: %w", d.Name, j.Study, err)
		}
	}
	l := &loaded{study: study, name: j.Study, generation: j.Generation, body: plan.Body}
	p.last = append([]*loaded{l}, p.last[:min(len(p.last), plansKept-1)]...)
	return l, nil
}

var _ results.Plans = results.Store(nil)
