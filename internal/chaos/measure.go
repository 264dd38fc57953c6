package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"overnight/results"
)

// slowest is how long a recovery may take before the fault counts as failed.
const slowest = 90 * time.Second

// try fires one fault as often as it is to, lets the study finish, and counts.
func (l *lab) try(ctx context.Context, f fault) Row {
	row := Row{Fault: f.name}
	if f.needs != nil {
		if why := f.needs(); why != "" {
			row.Note = why
			l.say("%s: %s", f.name, why)
			return row
		}
	}
	before, err := l.store.Tally(ctx, studyName)
	if err != nil {
		row.Note = "FAILED: " + err.Error()
		return row
	}
	for range l.Times {
		if err := l.work(ctx); err != nil {
			row.Note = "FAILED: " + err.Error()
			return row
		}
		pause(ctx, l.between(200*time.Millisecond, 1500*time.Millisecond))
		took, note, err := l.fire(ctx, f)
		if err != nil {
			row.Note = "FAILED: " + err.Error()
			l.say("%s: %v", f.name, err)
			return row
		}
		row.Fired++
		row.Recovery = append(row.Recovery, took)
		row.Note = note
		l.say("%s: recovered in %v", f.name, took.Round(10*time.Millisecond))
	}
	slices.Sort(row.Recovery)
	if err := l.finish(ctx); err != nil {
		row.Note = "FAILED: " + err.Error()
		done, all, err := l.count(ctx)
		if err == nil {
			row.Lost = all - done
		}
		return row
	}
	lost, doubled, err := l.audit(ctx)
	after, terr := l.store.Tally(ctx, studyName)
	if err = errors.Join(err, terr); err != nil {
		row.Note = "FAILED: " + err.Error()
		return row
	}
	row.Lost, row.Doubled = lost, doubled+after.Differs-min(after.Differs, before.Differs)
	if after.Dead > before.Dead || after.Overrun > before.Overrun || after.Failed > before.Failed {
		row.Note = fmt.Sprintf("FAILED: innocent trials were condemned: %d dead, %d overrun, %d failed", after.Dead, after.Overrun, after.Failed)
	}
	l.grow(chunk) // what comes next needs something to do
	if l.serves() {
		err = l.submit(ctx)
	} else {
		err = l.startCoordinator()
	}
	if err != nil {
		row.Note = "FAILED: " + err.Error()
	}
	return row
}

// fire makes a fault happen and measures the recovery: from the moment that the
// fault names (a death, or the end of an outage) until all trials below the
// highest that had a record by then are committed, those of the victims among
// them.
func (l *lab) fire(ctx context.Context, f fault) (time.Duration, string, error) {
	var highest uint64
	start, note, err := f.fire(ctx, l, func() {
		if led, err := l.store.Ledger(ctx, studyName); err == nil {
			highest = max(highest, top(led))
		}
	})
	if err != nil {
		return 0, note, err
	}
	if start.IsZero() { // it has no recovery of its own
		start = time.Now()
	}
	end := time.Now().Add(slowest)
	for settled := false; ; {
		led, err := l.store.Ledger(ctx, studyName)
		if err == nil && !settled {
			highest, settled = max(highest, top(led)), true
		}
		if err == nil && led.Missing(0) >= highest {
			return time.Since(start), note, nil
		}
		if time.Now().After(end) {
			return 0, note, fmt.Errorf("not recovered after %v (%w)", slowest, errors.Join(err, ctx.Err()))
		}
		if !pause(ctx, 20*time.Millisecond) {
			return 0, note, ctx.Err()
		}
	}
}

// top returns the highest trial with a record.
func top(l *results.Ledger) uint64 {
	for i := l.Len(); i > 0; i-- {
		if l.Has(i - 1) {
			return i - 1
		}
	}
	return 0
}

// audit reads all records: trials without one, and records beside the first.
func (l *lab) audit(ctx context.Context) (lost, doubled uint64, err error) {
	seen := results.NewLedger(l.replications * points)
	for r, err := range results.Skim(ctx, l.store, studyName, 0, seen.Len()) {
		if err != nil {
			return 0, 0, err
		}
		if !seen.Add(r.Trial) {
			doubled++
		}
	}
	return seen.Len() - seen.Count(), doubled, nil
}

// end stops the processes and compares the digest with an undisturbed run's.
func (l *lab) end(ctx context.Context, report *Report) error {
	if err := l.finish(ctx); err != nil {
		return err
	}
	p, err := l.store.Plan(ctx, studyName)
	if err != nil {
		return err
	}
	report.Digest, report.Trials = p.Digest, p.Trials
	if report.Tally, err = l.store.Tally(ctx, studyName); err != nil {
		return err
	}
	l.say("the same study again, undisturbed")
	dir := l.path("reference")
	if err := l.call(ctx, "reference.log", "run", l.study, "--store", dir, "--slots", "200", "--set", fmt.Sprintf("replications=%d", l.replications)); err != nil {
		return err
	}
	s, err := l.OpenStore(ctx, dir)
	if err != nil {
		return err
	}
	q, err := s.Plan(ctx, studyName)
	report.Reference = q.Digest
	return errors.Join(err, s.Close())
}
