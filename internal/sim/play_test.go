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
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/stopping"
	"overnight/results/storetest"
)

// bound is how long a study may take, in virtual time, once all faults are over.
const bound = 3 * time.Minute

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
	digests []string
	tallies []results.Tally
	took    time.Duration // virtual
	after   time.Duration // of it, after the last fault
	err     error         // what was violated
}

// play runs the studies of a seed under faults, in a bubble of its own.
func play(t *testing.T, s setting, faults []fault, want map[string]string, log *zap.Logger) (out outcome) {
	// Goroutines that stay blocked end the bubble with a panic.
	defer func() {
		if v := recover(); v != nil {
			out.err = errors.Join(out.err, fmt.Errorf("panic: %v", v))
		}
	}()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(s, log)
		out = w.play(s, faults)
		for i, st := range w.studies {
			if want == nil || out.err != nil {
				break
			}
			if digest := want[st.key(st.replications)]; out.digests[i] != digest {
				out.err = fmt.Errorf("the digest of %s is %s, and %q without faults", st.name, out.digests[i], digest)
			}
		}
	})
	return out
}

func newWorld(s setting, log *zap.Logger) *world {
	w := &world{store: storetest.NewMemory(nil), queue: queuetest.NewMemory(s.lease), catalog: simCatalog(), log: log, began: time.Now(), mode: s.mode}
	for _, i := range s.studies {
		t := templates()[i]
		w.studies = append(w.studies, &study{template: t, submit: s.submit, replications: cmp.Or(s.replications, t.replications)})
	}
	return w
}

func (w *world) play(s setting, faults []fault) (out outcome) {
	if out.err = w.begin(s); out.err != nil {
		return out
	}
	w.orderly = only(faults, orderly())
	for _, f := range faults {
		w.faults.Go(func() { w.run(f) })
	}
	ended := make(chan struct{})
	go func() { w.faults.Wait(); close(ended) }()
	<-ended
	over := time.Now()
	plans, err := w.finish()
	out.took, out.after = time.Since(w.began), time.Since(over)
	w.end()
	for _, p := range plans {
		out.digests = append(out.digests, p.Digest)
		t, e := w.store.Tally(context.Background(), p.Study)
		out.tallies, err = append(out.tallies, t), errors.Join(err, e)
		if err == nil {
			err = w.check(p)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out.err = errors.Join(append(w.errs, err)...)
	return out
}

// begin submits the studies and starts workers and a coordinator.
func (w *world) begin(s setting) error {
	for _, st := range w.studies {
		if err := w.submit(st); err != nil {
			return err
		}
	}
	for _, slots := range s.slots {
		w.startWorker(slots)
	}
	w.startCoordinator()
	return nil
}

// finish mends what is broken until the studies are finished, and returns their
// plans.
func (w *world) finish() ([]results.Plan, error) {
	over := time.Now()
	for {
		var plans []results.Plan
		var open error
		for _, st := range w.studies {
			p, err := w.store.Plan(context.Background(), st.name)
			if err != nil {
				return nil, err
			}
			plans = append(plans, p)
			w.mu.Lock()
			whole := st.whole(p, st.replications)
			w.mu.Unlock()
			if p.State == results.Finished && p.Digest != "" && whole {
				continue
			}
			t, _ := w.store.Tally(context.Background(), st.name) // for the text
			open = errors.Join(open, fmt.Errorf("study %s is %s with %d of %d trials %v after the last fault", st.name, p.State, t.Total(), p.Trials, bound))
			if err := w.mend(st, p); err != nil {
				return plans, err
			}
		}
		if open == nil || time.Since(over) > bound {
			return plans, open
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
	s, err := jobs.DecodeStudy(p.Body, w.catalog)
	if err != nil {
		return err
	}
	digest, missing, err := stopping.Digest(ctx, w.store, p, s)
	if err != nil {
		return err
	}
	if missing != 0 || digest != p.Digest {
		return fmt.Errorf("digest %q with %d missing, where %s was fixed", digest, missing, p.Digest)
	}
	now, err := w.store.Plan(ctx, p.Study)
	if err != nil {
		return err
	}
	if now.State != results.Finished || now.Digest != p.Digest {
		return fmt.Errorf("after its end the study is %s with digest %s", now.State, now.Digest)
	}
	t, err := w.store.Tally(ctx, p.Study)
	if err != nil {
		return err
	}
	o, err := stopping.New(s)
	if err != nil {
		return err
	}
	var count results.Tally
	for r, err := range w.store.Scan(ctx, p.Study, 0, p.Trials) {
		if err != nil {
			return err
		}
		o.Take(&r)
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
	case t.Dead != 0 || t.Overrun != 0 || t.Done != count.Done || t.Failed != count.Failed || t.Total() != p.Expected()+o.Surplus():
		return fmt.Errorf("tally %+v of %d trials and %d surplus, and %+v are there", t, p.Expected(), o.Surplus(), count)
	case o.Missing() != 0 || o.Total() != p.Expected():
		return fmt.Errorf("%d of %d wanted trials have no record, and the plan says that %d are wanted", o.Missing(), o.Total(), p.Expected())
	case o.Surplus() != 0 && !w.extended.Load():
		return fmt.Errorf("%d trials ran that were not wanted", o.Surplus())
	case s.Stopping != nil && (o.Saved() == 0 || len(o.Unsettled()) == 0 || len(o.Confirmed()) == 0):
		return fmt.Errorf("%d trials saved, %d points unsettled, %d confirmed: nothing was decided", o.Saved(), len(o.Unsettled()), len(o.Confirmed()))
	case t.Used < count.Used:
		return fmt.Errorf("core time %v, where the records alone took %v", t.Used, count.Used)
	}
	return nil
}
