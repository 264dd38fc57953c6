package coordinator

import (
	"context"
	"fmt"
	"time"

	"overnight/jobs"
	"overnight/results"
)

const (
	minWindow = 16    // jobs in the queue even without a worker, so that autoscalers see work
	perSlot   = 3     // jobs a slot
	maxTrials = 65536 // a job
	maxRanges = 32    // a job; jobs.Fit: 35 always do
)

// window is how many jobs may be out at once.
func (r *run) window() int { return max(minWindow, perSlot*r.slots) }

// issue fills the window with new jobs, those to be run again first.
func (r *run) issue(ctx context.Context) error {
	if r.plan.State == results.Paused {
		return nil
	}
	var batch []jobs.Job
	for len(r.issued) < r.window() {
		ranges := r.next()
		if len(ranges) == 0 {
			break
		}
		r.serial++
		j := jobs.Job{
			ID:     fmt.Sprintf("%x.%x", uint64(r.nonce), r.serial),
			Engine: jobs.EngineVersion, Study: r.name, Generation: r.plan.Generation, Trials: ranges,
		}
		r.issued[j.ID] = &issued{job: j, pos: ranges[0].From, at: time.Now()}
		batch = append(batch, j)
	}
	if len(batch) == 0 {
		return nil
	}
	r.failpoint("issue.before")
	if err := r.Queue.Publish(ctx, batch); err != nil {
		for _, j := range batch {
			delete(r.issued, j.ID)
			r.again = append(r.again, j.Trials...)
		}
		return fmt.Errorf("publish %d jobs: %w", len(batch), err)
	}
	r.failpoint("issue.after")
	return nil
}

// next cuts the trials of one job: what must run again, or else what comes
// next, without those that have a record, up to the target's worth of work.
func (r *run) next() []jobs.Range {
	target := r.cost.target(r.study, r.ledger.Count(), r.slots, r.Target)
	var out []jobs.Range
	var work time.Duration
	var n uint64
	add := func(rg jobs.Range) (rest jobs.Range, full bool) {
		for rg.From < rg.To {
			from := r.ledger.Missing(rg.From)
			if from >= rg.To {
				return jobs.Range{}, false
			}
			if len(out) == maxRanges || n >= maxTrials || work >= target {
				return jobs.Range{From: from, To: rg.To}, true
			}
			to := from
			for to < rg.To && n < maxTrials && work < target && !r.ledger.Has(to) {
				each, run, most := r.cost.of(to)
				if n >= most {
					work = target
					break
				}
				// A stretch of trials of one cost is taken at once.
				k := min(run, rg.To-to, maxTrials-n, most-n)
				if each > 0 {
					k = min(k, uint64((target-work)/each)+1)
				} else {
					k, each = 1, target // cost not known yet: a trial a job
				}
				end := to + k
				for to < end && !r.ledger.Has(to) {
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
			return sorted(out)
		}
		r.again = r.again[1:]
	}
	if len(out) > 0 {
		return sorted(out)
	}
	rest, full := add(jobs.Range{From: r.cursor, To: r.plan.Trials})
	r.cursor = r.plan.Trials
	if full {
		r.cursor = rest.From
	}
	return out
}
