package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"overnight/envs"
	"overnight/envs/function"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/storetest"
)

// bound is how long a study may take, in virtual time, once all faults are over.
const bound = 4 * time.Minute

// virtualFunction is the function environment with a clock that passes while one
// looks at it.
func virtualFunction() envs.Factory {
	return function.Factory{Now: func() time.Time {
		time.Sleep(20 * time.Millisecond)
		return time.Now()
	}}
}

// outcome is what one run showed.
type outcome struct {
	digest string
	took   time.Duration // virtual
	tally  results.Tally
	err    error // what was violated
}

// play runs the study of a seed under faults, in a bubble of its own.
func play(t *testing.T, s setting, faults []fault, want map[string]string, log *zap.Logger) (out outcome) {
	// Goroutines that stay blocked end the bubble with a panic.
	defer func() {
		if v := recover(); v != nil {
			out.err = errors.Join(out.err, fmt.Errorf("panic: %v", v))
		}
	}()
	synctest.Test(t, func(*testing.T) {
		w := &world{
			store: storetest.NewMemory(nil), queue: queuetest.NewMemory(s.lease), catalog: simCatalog(), log: log,
			began: time.Now(), study: templates()[s.template],
		}
		w.replications = cmp.Or(s.replications, w.study.replications)
		out = w.play(s, faults)
		if out.err == nil && want != nil {
			if digest := want[w.study.key(w.replications)]; out.digest != digest {
				out.err = fmt.Errorf("the digest is %s, and %q without faults", out.digest, digest)
			}
		}
	})
	return out
}

func (w *world) play(s setting, faults []fault) (out outcome) {
	if err := w.submit(); err != nil {
		out.err = err
		return out
	}
	for _, slots := range s.slots {
		w.startWorker(slots)
	}
	w.startCoordinator()
	for _, f := range faults {
		w.faults.Go(func() { w.run(f) })
	}
	ended := make(chan struct{})
	go func() { w.faults.Wait(); close(ended) }()
	<-ended
	plan, err := w.finish()
	out.took = time.Since(w.began)
	w.end()
	if err == nil {
		err = w.check(plan)
	}
	out.digest = plan.Digest
	out.tally, _ = w.store.Tally(context.Background(), w.name) // check has read it
	w.mu.Lock()
	defer w.mu.Unlock()
	out.err = errors.Join(append(w.errs, err)...)
	return out
}

// finish mends what is broken until the study is finished, and returns its plan.
func (w *world) finish() (results.Plan, error) {
	over := time.Now()
	for {
		p, err := w.store.Plan(context.Background(), w.name)
		if err != nil {
			return p, err
		}
		w.mu.Lock()
		whole := p.Trials == p.Points*uint64(w.replications)
		w.mu.Unlock()
		if p.State == results.Finished && p.Digest != "" && whole {
			return p, nil
		}
		if time.Since(over) > bound {
			t, _ := w.store.Tally(context.Background(), w.name)
			return p, fmt.Errorf("the study is %s with %d of %d trials %v after the last fault", p.State, t.Total(), p.Trials, bound)
		}
		if err := w.mend(p); err != nil {
			return p, err
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// end drains the workers and stops the coordinators.
func (w *world) end() {
	w.mu.Lock()
	w.over = true
	all := append(append([]*process(nil), w.workers...), w.coordinators...)
	w.mu.Unlock()
	for _, p := range all {
		if p.drain != nil {
			p.drain()
		} else {
			p.stop()
		}
	}
	ended := make(chan struct{})
	go func() { w.running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		for _, p := range all {
			if p.alive() {
				w.violation("%s has not ended a minute after it was told to", p.name)
			}
			p.kill()
		}
		<-ended
	}
	_ = w.queue.Close()
}

// check holds the promises of the end.
func (w *world) check(p results.Plan) error {
	ctx := context.Background()
	digest, missing, err := results.Digest(ctx, w.store, p)
	if err != nil || missing != 0 || digest != p.Digest {
		return fmt.Errorf("digest %s with %d missing, error %w, where %s was fixed", digest, missing, err, p.Digest)
	}
	now, err := w.store.Plan(ctx, w.name)
	if err != nil || now.State != results.Finished || now.Digest != p.Digest {
		return fmt.Errorf("after its end the study is %s with digest %s, error %w", now.State, now.Digest, err)
	}
	t, err := w.store.Tally(ctx, w.name)
	if err != nil {
		return err
	}
	var count results.Tally
	for r, err := range w.store.Scan(ctx, w.name, 0, p.Trials) {
		if err != nil {
			return err
		}
		switch r.Status {
		case results.Done:
			count.Done++
		case results.Failed:
			count.Failed++
		default:
			return fmt.Errorf("trial %d is %s: %s", r.Trial, r.Status, r.Error)
		}
		count.Used += r.Elapsed
	}
	switch {
	case t.Differs != 0:
		return fmt.Errorf("%d records differ from those before", t.Differs)
	case t.Dead != 0 || t.Overrun != 0 || t.Done != count.Done || t.Failed != count.Failed || t.Total() != p.Trials:
		return fmt.Errorf("tally %+v of %d trials, and %+v are there", t, p.Trials, count)
	case t.Used < count.Used:
		return fmt.Errorf("core time %v, where the records alone took %v", t.Used, count.Used)
	}
	return nil
}
