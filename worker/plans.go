package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// errRefused is wrapped where a job must never be run, here or elsewhere.
var errRefused = errors.New("job refused")

// loaded is a study at a generation, ready to run.
type loaded struct {
	study      *jobs.Study
	name       string
	generation uint32
	body       []byte
	checked    time.Time // when the generation was read last
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
		return nil, fmt.Errorf("%s was planned for engine version %d, this build is %d", j.Study, j.Engine, jobs.EngineVersion)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := j.Trials[len(j.Trials)-1].To
	for i, l := range p.last {
		if l.name == j.Study && l.generation == j.Generation && last <= l.study.Trials() && time.Since(l.checked) < time.Second {
			copy(p.last[1:], p.last[:i])
			p.last[0] = l
			return l, nil
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
		if l.name == j.Study && l.generation == j.Generation && bytes.Equal(l.body, plan.Body) {
			l.checked = time.Now()
			return l, nil
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
	l := &loaded{study: study, name: j.Study, generation: j.Generation, body: plan.Body, checked: time.Now()}
	p.last = append([]*loaded{l}, p.last[:min(len(p.last), plansKept-1)]...)
	return l, nil
}

var _ results.Plans = results.Store(nil)
