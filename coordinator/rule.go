package coordinator

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/stopping"
)

// rule is what is known of a study of which results decide what it wants. Every
// trial that has a record in the ledger was told to outcome, whose decisions do
// not depend on the order.
type rule struct {
	outcome *stopping.Outcome
	// past holds the trials that are not to be issued: those that are not wanted so
	// far, that are out, or held since before. What is wanted and not in it is
	// issued, the lowest first, unless it has a record. Run.cursor is where the first
	// of these may be.
	past *results.Ledger
	told time.Time // when the plan was told how many trials are wanted
}

// tellEvery is the least time between two such changes of the plan.
const tellEvery = 2 * time.Second

// complete tells whether every wanted trial has a record.
func (r *run) complete() bool {
	if r.rule == nil {
		return r.ledger.Count() >= r.plan.Trials
	}
	return r.rule.outcome.Missing() == 0
}

// missingTrials returns how many wanted trials have no record, as far as is known.
func (r *run) missingTrials() uint64 {
	if r.rule == nil {
		return r.plan.Trials - min(r.plan.Trials, r.ledger.Count())
	}
	return r.rule.outcome.Missing()
}

// rebuild reads the records of a study of which results decide what it wants, and
// decides anew. Of other studies it forgets the rule.
func (r *run) rebuild(ctx context.Context) error {
	if !stopping.Applies(r.study, &r.plan) {
		if r.rule != nil {
			r.rule, r.cursor = nil, 0
			r.again = nil
		}
		return nil
	}
	o, err := stopping.New(r.study)
	if err != nil {
		return fmt.Errorf("plan of %s: %w: %w", r.name, errUnreadable, err)
	}
	if err := r.take(ctx, o, 0, r.plan.Trials, func(uint64) bool { return true }); err != nil {
		return err
	}
	r.rule = &rule{outcome: o}
	r.layOut()
	return nil
}

// take tells an outcome of the records of trials from <= i < to that the ledger
// has and wants to be told.
func (r *run) take(ctx context.Context, o *stopping.Outcome, from, to uint64, wants func(uint64) bool) error {
	for rec, err := range results.Skim(ctx, r.Store, r.name, from, to) {
		if err != nil {
			return fmt.Errorf("read records, which decide what %s wants: trial %d: %w", r.name, rec.Trial, err)
		}
		// Of what came after the ledger was read there is news, or the next look tells.
		if r.ledger.Has(rec.Trial) && wants(rec.Trial) {
			o.Take(&rec)
		}
	}
	return nil
}

// catchUp tells the rule of records that the ledger has now and before had not;
// where it lost some, everything is decided anew.
func (r *run) catchUp(ctx context.Context, before *results.Ledger) error {
	if before == nil || r.rule == nil {
		return r.rebuild(ctx)
	}
	for i := r.ledger.Missing(0); i < r.plan.Trials; i = r.ledger.Missing(i + 1) {
		if before.Has(i) {
			return r.rebuild(ctx)
		}
	}
	from, to := r.plan.Trials, uint64(0)
	for i := before.Missing(0); i < r.plan.Trials; i = before.Missing(i + 1) {
		if r.ledger.Has(i) {
			from, to = min(from, i), i+1
		}
	}
	if from >= to {
		return nil
	}
	return r.take(ctx, r.rule.outcome, from, to, func(i uint64) bool { return !before.Has(i) })
}

// unstick decides anew where a study with a rule waits for trials that nobody is to
// run: the ledger has them, and the outcome was not told of their records. They were
// lost in the moment when they were read, or can't be read at all.
func (r *run) unstick(ctx context.Context) error {
	if r.rule == nil || r.complete() || len(r.issued) > 0 {
		r.unread = 0
		return nil
	}
	if _, more := r.peek(); more {
		r.unread = 0
		return nil
	}
	if r.unread++; r.unread > 3 {
		return fmt.Errorf("decide what %s wants: %w: %d trials have no readable record after all were committed: run overnight fsck", r.name, errUnreadable, r.missingTrials())
	}
	return r.refresh(ctx, nil)
}

// layOut finds what is to be issued: what is wanted, has no record and is not out.
func (r *run) layOut() {
	if r.rule == nil {
		return
	}
	u := r.rule
	u.past = results.NewLedger(r.plan.Trials)
	const stride = 1 << 20
	full := bytes.Repeat([]byte{0xff}, stride/8)
	for i := uint64(0); i < r.plan.Trials; i += stride {
		u.past.AddBits(i, full)
	}
	for i := r.ledger.Missing(0); i < r.plan.Trials; i = r.ledger.Missing(i + 1) {
		if u.outcome.Wants(i) {
			u.past.Remove(i)
		}
	}
	for _, i := range r.issued {
		u.out(i.job.Trials)
	}
	r.cursor, r.again = 0, nil
	u.outcome.Grown = func(point, from, to uint64) {
		for n := from; n < to; n++ {
			if i := n*r.study.Points() + point; !r.ledger.Has(i) {
				u.past.Remove(i)
				r.cursor = min(r.cursor, i)
			}
		}
	}
}

// out notes that trials were issued, or are held.
func (u *rule) out(trials []jobs.Range) {
	for _, t := range trials {
		for i := t.From; i < t.To; i++ {
			u.past.Add(i)
		}
	}
}

// untilRuled is until for a study with a rule.
func (r *run) untilRuled(from, to uint64) (first, end uint64) {
	past := r.rule.past
	for from = min(past.Missing(from), to); from < to && r.ledger.Has(from); {
		from = min(past.Missing(from+1), to)
	}
	for end = from; end < to && end-from < maxTrials && !past.Has(end) && !r.ledger.Has(end); {
		end++
	}
	return from, end
}

// requeue has trials issued again that are not out.
func (r *run) requeue(trials []jobs.Range) {
	trials = r.unissued(trials)
	if r.rule == nil {
		r.again = sorted(append(r.again, trials...))
		return
	}
	for _, t := range trials {
		for i := t.From; i < t.To; i++ {
			if r.rule.outcome.Wants(i) && !r.ledger.Has(i) {
				r.rule.past.Remove(i)
				r.cursor = min(r.cursor, i)
			}
		}
	}
}

// unheld returns the parts of ranges that are not issued yet: workers that hold
// them since before have them.
func (r *run) unheld(t jobs.Range) []jobs.Range {
	t.To = min(t.To, r.plan.Trials)
	if r.rule == nil {
		t.From = max(t.From, r.cursor)
		if t.From < t.To {
			return []jobs.Range{t}
		}
		return nil
	}
	var out []jobs.Range
	for t.From < t.To {
		from, end := r.untilRuled(t.From, t.To)
		if from < end {
			out = append(out, jobs.Range{From: from, To: end})
		}
		t.From = max(end, from)
	}
	return out
}

// tellWanted writes into the plan how many trials are wanted, for those who look
// at the study and read no records.
func (r *run) tellWanted(ctx context.Context) error {
	if r.rule == nil || r.rule.outcome.Total() == r.plan.Wanted || time.Since(r.rule.told) < tellEvery {
		return nil
	}
	r.rule.told = time.Now()
	total := r.rule.outcome.Total()
	plan, err := r.Store.Update(ctx, r.name, func(p *results.Plan) error {
		if p.Epoch > r.plan.Epoch {
			return ErrSuperseded
		}
		if p.Generation == r.plan.Generation && bytes.Equal(p.Body, r.plan.Body) {
			p.Wanted = total
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tell how many trials are wanted: %w", err)
	}
	r.plan.Wanted = plan.Wanted
	return nil
}
