package coordinator

import (
	"fmt"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// EventKind says what happened.
type EventKind string

// What is observed.
const (
	// JobLost: a job was issued again; Took is how long its holder, or the queue,
	// had been silent.
	JobLost EventKind = "job lost"
	// Recovered: all trials of a lost job have records; Took is the time since the
	// last sign of life of its holder.
	Recovered EventKind = "recovered"
	// CountsWentBack: the store has lost records that it had acknowledged.
	CountsWentBack EventKind = "counts went back"
)

// Event is what is worth a metric.
type Event struct {
	Kind   EventKind
	Study  string
	Trials uint64
	Took   time.Duration
}

// recovering is a lost job whose trials have no records yet.
type recovering struct {
	trials []jobs.Range
	pos    uint64
	since  time.Time // the last sign of life
}

// maxRecovering bounds how many lost jobs are watched.
const maxRecovering = 4096

// recovered tells of the lost jobs whose trials all have records now.
func (r *run) recovered() {
	if len(r.recovering) == 0 {
		return
	}
	left := r.recovering[:0]
	for _, l := range r.recovering {
		if !advance(l.trials, &l.pos, r.ledger) {
			left = append(left, l)
			continue
		}
		n := uint64(0)
		for _, t := range l.trials {
			n += t.To - t.From
		}
		r.observe(Event{Kind: Recovered, Study: r.name, Trials: n, Took: time.Since(l.since)})
	}
	r.recovering = left
}

// Progress is where a study stands.
type Progress struct {
	Study        string
	Total        uint64 // wanted trials, as far as is known
	Most         uint64 // that may be wanted in the end
	Done         uint64 // wanted trials with a record
	Surplus      uint64 // records of others
	Before       uint64 // of these, those that were there when this run began
	Tally        results.Tally
	Engine       int
	Epoch        uint32
	Workers      int    // that live and have the study's engine
	Slots        int    // of these workers
	Jobs         int    // issued and not complete
	Running      uint64 // trials of jobs that workers hold
	Reissued     uint64 // jobs
	LostByStore  uint64 // records that the store acknowledged and lost
	Started      time.Time
	Rate         float64       // trials a second, lately
	Left         time.Duration // estimated; 0: not known yet
	FirstFailure *results.Record
	State        results.State
	Waits        string // what the study waits for, such as "waits for engine 3"; "" where it runs
	Trouble      string // what fails and is tried again; "" where nothing does
}

func (r *run) report() {
	if r.Progress == nil {
		return
	}
	p := Progress{
		Study: r.name, Total: r.plan.Expected(), Most: r.plan.Trials, Before: r.before, Tally: r.tally, Engine: r.plan.Engine, Epoch: r.plan.Epoch,
		Workers: len(r.workers), Jobs: len(r.issued), Reissued: r.reissue, LostByStore: r.lost, Started: r.started,
		FirstFailure: r.first, State: r.plan.State, Waits: r.waits(),
	}
	for _, w := range r.workers {
		p.Slots += w.Slots
	}
	for _, i := range r.issued {
		if !i.held.IsZero() {
			p.Running += i.job.Len()
		}
	}
	switch {
	case r.store.what != "" && r.queue.what != "":
		p.Trouble = r.store.what + "; " + r.queue.what
	default:
		p.Trouble = r.store.what + r.queue.what
	}
	if r.ledger != nil {
		p.Done = r.ledger.Count()
		p.Rate = r.rate.perSecond(time.Since(r.started))
		if r.rule != nil {
			o := r.rule.outcome
			p.Total, p.Done, p.Most, p.Surplus = o.Total(), o.Total()-o.Missing(), o.Most(), o.Surplus()
		}
		p.Left = r.cost.left(r.missingTrials(), r.slots)
	}
	if p.Rate > 0 && time.Since(r.started) > 3*time.Second {
		// Trials cost more than their own time where there are many short ones.
		byRate := time.Duration(float64(p.Total-min(p.Done, p.Total)) / p.Rate * float64(time.Second))
		if p.Left < byRate && p.Left < 10*time.Second || p.Left == 0 {
			p.Left = byRate
		}
	}
	r.Progress(p)
}

// waits says what the study waits for where nobody can run its trials. Workers
// that start with the coordinator are given a moment.
func (r *run) waits() string {
	switch {
	case len(r.workers) > 0 || r.plan.State == results.Paused || time.Since(r.started) < idle:
		return ""
	case !r.others && r.plan.Engine == jobs.EngineVersion:
		return "waits for workers"
	}
	return fmt.Sprintf("waits for engine %d", r.plan.Engine)
}
