package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
	burnt := uint64(0)
	if err == nil && f.gentle {
		burnt, err = l.attempts(ctx)
	}
	if err != nil {
		row.Note = "FAILED: " + err.Error()
		return row
	}
	for range l.Times {
		if err := l.work(ctx); err != nil {
			row.Note = "FAILED: " + err.Error()
			return row
		}
		if err := l.ready(ctx); err != nil {
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
	if f.gentle {
		now, err := l.attempts(ctx)
		switch {
		case err != nil:
			row.Note = "FAILED: " + err.Error()
		case now > burnt:
			row.Note = fmt.Sprintf("FAILED: %d attempts burnt", now-burnt)
		case row.Note == "":
			row.Note = "no attempt burnt"
		default:
			row.Note += ", no attempt burnt"
		}
	}
	l.grow(l.Work) // what comes next needs something to do
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

// settle is how long after a fault the highest trial is looked for: by then the
// jobs that began beside those of the victims have records.
const settle = time.Second

// fire makes a fault happen and measures the recovery: from the moment that the
// fault names (a death, or the end of an outage) until all trials below the
// highest that had a record a second after the fault are committed, those of the
// victims among them. Of an outage, that ends no sooner than with the first
// commit after it.
func (l *lab) fire(ctx context.Context, f fault) (time.Duration, string, error) {
	watch, stop := context.WithCancel(ctx)
	defer stop()
	var marked sync.Once
	closed := make(chan time.Time, 1)
	mark := func() { marked.Do(func() { go func() { closed <- l.gapClosed(watch) }() }) }
	start, note, err := f.fire(ctx, l, mark)
	if err != nil {
		return 0, note, err
	}
	mark()
	if start.IsZero() { // it has no recovery of its own
		start = time.Now()
	}
	late := time.NewTimer(slowest)
	defer late.Stop()
	resumed := make(chan time.Time, 1)
	if f.outage {
		go func() { resumed <- l.goesOn(watch) }()
	} else {
		resumed <- start
	}
	both := make(chan time.Time, 1)
	go func() { both <- later(<-closed, <-resumed) }()
	select {
	case at := <-both:
		if at.IsZero() {
			return 0, note, ctx.Err()
		}
		return max(0, at.Sub(start)), note, nil
	case <-late.C:
		return 0, note, fmt.Errorf("not recovered %v after the fault", slowest)
	}
}

// gapClosed returns when no trial is missing any more below the highest that had
// a record a moment after the call; the zero time where ctx ended first.
func (l *lab) gapClosed(ctx context.Context) time.Time {
	began := time.Now()
	var highest uint64
	for settled := false; ; {
		if led, err := l.store.Ledger(ctx, studyName); err == nil {
			if !settled {
				highest = max(highest, top(led))
				settled = time.Since(began) > settle
			}
			if settled && led.Missing(0) >= highest {
				return time.Now()
			}
		}
		if !pause(ctx, 20*time.Millisecond) {
			return time.Time{}
		}
	}
}

// goesOn returns when one more trial had a record than at the call, or none was
// without; the zero time where ctx ended first.
func (l *lab) goesOn(ctx context.Context) time.Time {
	before, _, err := l.count(ctx)
	known := err == nil
	for {
		done, all, err := l.count(ctx)
		switch {
		case err == nil && (known && done > before || done >= all):
			return time.Now()
		case err == nil && (!known || done < before): // which a store that lost some begins again from
			before, known = done, true
		}
		if !pause(ctx, 20*time.Millisecond) {
			return time.Time{}
		}
	}
}

// later returns the later of two times, or zero where one is.
func later(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return a
	}
	return b
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
