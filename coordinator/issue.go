package coordinator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"overnight/jobs"
	"overnight/results"
)

const (
	maxTrials = 65536 // a job
	maxRanges = 32    // a job; jobs.Fit: 35 always do
	// ruledRanges is maxRanges where trials lie apart; what does not fit waits.
	ruledRanges = 200
)

// issue fills this study's share of the window with new jobs, those to be run
// again first. Jobs that the queue did not take are offered again under the same
// IDs, so that what it did take is not doubled.
func (r *run) issue(ctx context.Context) error {
	if r.plan.State == results.Paused {
		r.account.rest()
		return nil
	}
	now := time.Now()
	r.unsent = slices.DeleteFunc(r.unsent, func(j jobs.Job) bool { return r.issued[j.ID] == nil })
	batch := r.unsent
	for {
		trial, ok := r.peek()
		if !ok {
			r.account.rest()
			break
		}
		each := r.cost.guess(trial)
		long := each == 0 || each >= longJob
		if !r.account.may(now, long) {
			break
		}
		ranges, work := r.next()
		r.serial++
		j := jobs.Job{
			ID:     fmt.Sprintf("%s.%x", r.prefix, r.serial),
			Engine: r.plan.Engine, Study: r.name, Generation: r.plan.Generation, Trials: ranges, Epoch: r.plan.Epoch,
		}
		if each > 0 {
			work = max(work, each)
		}
		turn := r.account.issued(work)
		r.put(&issued{job: j, pos: ranges[0].From, at: now, turn: turn, work: max(work, time.Microsecond), long: long})
		batch = append(batch, j)
	}
	if len(batch) == 0 {
		return nil
	}
	r.failpoint("issue.before")
	r.unsent = batch
	if err := r.Queue.Publish(ctx, batch); err != nil {
		return fmt.Errorf("publish %d jobs: %w", len(batch), err)
	}
	r.unsent = nil
	r.queue.end(r)
	r.failpoint("issue.after")
	now = time.Now()
	for _, j := range batch {
		r.issued[j.ID].at = now
	}
	return nil
}

// until returns the first trial from which [from, to) is open - without a record
// and not held since before - and where that stretch ends because of the latter.
func (r *run) until(from, to uint64) (first, end uint64) {
	if r.rule != nil {
		return r.untilRuled(from, to)
	}
	for from < to {
		if from = r.ledger.Missing(from); from >= to {
			break
		}
		i, _ := slices.BinarySearchFunc(r.adopted, from, func(a jobs.Range, n uint64) int {
			if a.To <= n {
				return -1
			}
			return 1
		})
		if i == len(r.adopted) || r.adopted[i].From >= to {
			return from, to
		}
		if r.adopted[i].From > from {
			return from, r.adopted[i].From
		}
		from = r.adopted[i].To
	}
	return to, to
}

// peek returns the first trial of the next job.
func (r *run) peek() (uint64, bool) {
	for len(r.again) > 0 {
		rg := &r.again[0]
		if rg.From, _ = r.until(rg.From, rg.To); rg.From < rg.To {
			return rg.From, true
		}
		r.again = r.again[1:]
	}
	r.again = nil
	r.cursor, _ = r.until(r.cursor, r.plan.Trials)
	return r.cursor, r.cursor < r.plan.Trials
}

// next cuts the trials of one job: what must run again, or else what comes
// next, without those that have a record, up to the target's worth of work.
func (r *run) next() (out []jobs.Range, work time.Duration) {
	target := r.cost.target(r.missingTrials(), r.slots, r.Target)
	most := maxRanges
	if r.rule != nil { // whose trials lie apart
		most = ruledRanges
	}
	var n uint64
	add := func(rg jobs.Range) (rest jobs.Range, full bool) {
		for rg.From < rg.To {
			from, end := r.until(rg.From, rg.To)
			if from >= end {
				return jobs.Range{}, false
			}
			if len(out) == most || n >= maxTrials || work >= target {
				return jobs.Range{From: from, To: rg.To}, true
			}
			to := from
			for to < end && n < maxTrials && work < target && !r.ledger.Has(to) {
				each, run, most := r.cost.of(to)
				if n >= most {
					work = target
					break
				}
				// A stretch of trials of one cost is taken at once.
				k := min(run, end-to, maxTrials-n, most-n)
				if each > 0 {
					k = min(k, uint64((target-work)/each)+1)
				} else {
					k, each = 1, target // cost not known yet: a trial a job
				}
				stop := to + k
				for to < stop && !r.ledger.Has(to) {
					to++
					n++
					work += each
				}
			}
			if to == from {
				return jobs.Range{From: from, To: rg.To}, true
			}
			out = append(out, jobs.Range{From: from, To: to})
			rg.From = to
		}
		return jobs.Range{}, false
	}
	for len(r.again) > 0 {
		rest, full := add(r.again[0])
		if full {
			r.again[0] = rest
			return sorted(out), work
		}
		r.again = r.again[1:]
	}
	if len(out) > 0 {
		return sorted(out), work
	}
	rest, full := add(jobs.Range{From: r.cursor, To: r.plan.Trials})
	r.cursor = r.plan.Trials
	if full {
		r.cursor = rest.From
	}
	if n := jobs.Fit(out); n < len(out) {
		r.cursor, out = out[n].From, out[:n]
		work = r.estimate(out)
	}
	return out, work
}

// estimate returns how much work trials are, as far as that is known.
func (r *run) estimate(trials []jobs.Range) (work time.Duration) {
	for _, t := range trials {
		for n := t.From; n < t.To; {
			each, run, _ := r.cost.of(n)
			k := min(run, t.To-n)
			work += time.Duration(k) * each
			n += k
		}
	}
	return max(work, time.Microsecond)
}
