package worker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// held is a job from its take to its acknowledgement.
type held struct {
	job    jobs.Job
	ctx    context.Context
	cancel context.CancelCauseFunc
	stop   <-chan struct{} // closed by halt: the trial in hand finishes, the rest goes back
	halt   context.CancelFunc
	open   atomic.Int64 // batches not committed yet, and one while it runs

	// How it ends, where not all is done: refused for good, or handed back.
	refused atomic.Pointer[error]
	left    atomic.Bool
	after   atomic.Int64 // nanoseconds until it may be taken again
	over    atomic.Bool  // its records would be refused

	mu       sync.Mutex
	delivery jobs.Delivery // the latest
	trials   []jobs.Range  // of the job, those that had no record when it was taken
	batches  []*batch      // in the order of their trials, from the first that is not committed
	done     uint64        // trials committed before these
}

// batch is a stretch of a job's trials whose records are on their way.
type batch struct {
	n         uint64
	committed bool
}

func newHeld(d jobs.Delivery, run, take context.Context) *held {
	h := &held{delivery: d, job: d.Job()}
	h.trials = h.job.Trials
	h.ctx, h.cancel = context.WithCancelCause(run)
	var stop context.Context
	stop, h.halt = context.WithCancel(take)
	h.stop = stop.Done()
	h.open.Store(1)
	return h
}

// again makes the job go back to the queue, to be taken after a while at the
// earliest: what failed here at once would fail here at once again.
func (h *held) again(after time.Duration) {
	h.left.Store(true)
	h.after.Store(max(h.after.Load(), int64(after)))
}

// current returns the delivery that counts.
func (h *held) current() jobs.Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.delivery
}

// replace takes over a second delivery of the same job: the first one's lease
// has run out, and the job is not run twice at once.
func (h *held) replace(d jobs.Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivery = d
}

// limit says that only these of the job's trials are to be run. Nothing has begun
// yet.
func (h *held) limit(trials []jobs.Range) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trials = trials
}

// begin notes the next n trials of the job as on their way to the store.
func (h *held) begin(n int) *batch {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := &batch{n: uint64(n)}
	h.batches = append(h.batches, b)
	return b
}

// end notes that a batch is committed. Batches may be committed in any order.
func (h *held) end(b *batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.committed = true
	for len(h.batches) > 0 && h.batches[0].committed {
		h.done += h.batches[0].n
		h.batches = h.batches[1:]
	}
}

// spans returns the trials from the first one on that is not committed. It costs
// nothing per trial: records come in the order of the job's trials.
func (h *held) spans() []results.Span {
	h.mu.Lock()
	skip, trials := h.done, h.trials
	h.mu.Unlock()
	out := make([]results.Span, 0, len(trials))
	for _, r := range trials {
		if n := r.To - r.From; n <= skip {
			skip -= n
			continue
		}
		out = append(out, results.Span{From: r.From + skip, To: r.To})
		skip = 0
	}
	return out
}
