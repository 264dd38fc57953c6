package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
	"overnight/worker/trial"
)

// A batch of records is committed when it holds maxBatch, or when the next
// record comes maxAge after the first: so that a long job's results show up
// while it runs.
const (
	maxBatch = 4096
	maxAge   = 250 * time.Millisecond
)

// slot runs trials, one at a time. run calls emit with each record, in the
// order of the ranges, and stops early with trial.ErrInterrupted when ctx ends or
// when stop is closed, which lets the trial in hand finish.
type slot interface {
	run(ctx context.Context, stop <-chan struct{}, s *loaded, ranges []jobs.Range, emit func(results.Record)) error
	close()
}

// work runs one job from its take to the commit of its last batch.
func (w *worker) work(keep context.Context, s slot, h *held) {
	defer w.finishPart(keep, h)
	defer h.cancel(nil)
	study, err := w.plans.load(keep, h.job)
	switch {
	case errors.Is(err, errRefused):
		h.refused.Store(&err)
		return
	case errors.Is(err, errPaused), errors.Is(err, errEngine):
		w.Log.Debug("job handed back", zap.String("study", h.job.Study), zap.String("job", h.job.ID), zap.Error(err))
		h.again(time.Second)
		return
	case err != nil:
		w.Log.Warn("read plan", zap.String("study", h.job.Study), zap.Error(err))
		h.again(time.Second)
		return
	}
	trials := w.missing(keep, h)
	if len(trials) == 0 {
		return
	}
	h.limit(trials)
	var records []results.Record
	var first time.Time
	flush := func() {
		if len(records) > 0 {
			w.commit(keep, h, records)
			records = nil
		}
	}
	err = s.run(h.ctx, h.stop, study, trials, func(r results.Record) {
		r.Generation, r.Worker = h.job.Generation, w.ID
		if len(records) == 0 {
			first = r.Finished
			if records == nil {
				records = make([]results.Record, 0, min(h.job.Len(), maxBatch))
			}
		}
		records = append(records, r)
		if len(records) == maxBatch || r.Finished.Sub(first) > maxAge {
			flush()
		}
	})
	flush()
	switch {
	case errors.Is(err, trial.ErrInterrupted):
		h.again(0)
	case err != nil:
		h.again(time.Second)
		w.Log.Error("run job", zap.String("study", h.job.Study), zap.String("job", h.job.ID), zap.Error(err))
	}
	if h.over.Load() {
		h.refused.Store(&errOver)
	}
}

// fewTrials is how many a job has at most whose trials may be long: it is worth a
// look whether they have records, since the job may have been handed back in its
// middle, or taken for lost and done.
const fewTrials = 64

// missing returns the trials of a job that have no record, as far as it is worth
// to know. Nothing depends on it: a second run of a trial is a duplicate.
func (w *worker) missing(ctx context.Context, h *held) []jobs.Range {
	trials := h.job.Trials
	if w.records == nil || len(trials) > 1 || h.job.Len() > fewTrials {
		return trials
	}
	var out []jobs.Range
	next, to := trials[0].From, trials[0].To
	for r, err := range results.Skim(ctx, w.records, h.job.Study, next, to) {
		if err != nil || r.Trial < next || r.Trial >= to {
			return trials // damaged: it runs again
		}
		if next < r.Trial {
			out = append(out, jobs.Range{From: next, To: r.Trial})
		}
		next = r.Trial + 1
	}
	if next < to {
		out = append(out, jobs.Range{From: next, To: to})
	}
	return out
}

// commit stores records beside the slot, which goes on with the next trials.
func (w *worker) commit(ctx context.Context, h *held, records []results.Record) {
	h.open.Add(1)
	b := h.begin(len(records))
	select {
	case w.commits <- struct{}{}:
	case <-ctx.Done(): // the store has not answered for long, and nobody wants to wait
		h.again(0)
		w.finishPart(ctx, h)
		return
	}
	go func() {
		defer func() { <-w.commits }()
		defer w.finishPart(ctx, h)
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			verdicts, err := w.Store.Commit(ctx, h.job.Study, h.job.Generation, records)
			if err == nil {
				h.end(b)
				w.tell(h, records, verdicts)
				return
			}
			w.Log.Error("commit records", zap.String("study", h.job.Study), zap.Int("records", len(records)), zap.Error(err))
			if why := w.refusal(ctx, h, records, err); why != nil {
				h.refused.Store(&why)
				return
			}
			if !sleep(ctx, wait) {
				h.again(0)
				return
			}
		}
	}()
}

// refusal returns why records that the store did not take will never be taken,
// or nil where it is the store that fails.
func (w *worker) refusal(ctx context.Context, h *held, records []results.Record, err error) error {
	if errors.Is(err, results.ErrNotFound) {
		return err
	}
	if h.over.Load() {
		return errOver
	}
	plan, perr := w.Store.Plan(ctx, h.job.Study)
	if perr != nil {
		return nil
	}
	for i := range records {
		if err := records[i].Valid(&plan); err != nil {
			return err // a backup with fewer trials was restored
		}
	}
	return nil
}

func (w *worker) tell(h *held, records []results.Record, verdicts []results.Verdict) {
	for i, v := range verdicts {
		switch v {
		case results.Committed:
			w.done.Add(1)
		case results.Differs:
			w.Log.Error("nondeterminism alarm: a second run of a trial gave another result; the first one stays",
				zap.String("study", h.job.Study), zap.Uint64("trial", records[i].Trial))
		case results.Stale:
			h.cancel(errCancelled)
			h.refused.Store(&errOver)
		}
	}
}

// finishPart ends the delivery when the job has run and its last batch is
// committed.
func (w *worker) finishPart(ctx context.Context, h *held) {
	if h.open.Add(-1) > 0 {
		return
	}
	w.drop(h)
	var err error
	switch why := h.refused.Load(); {
	case why != nil:
		w.Log.Info("job refused", zap.String("study", h.job.Study), zap.String("job", h.job.ID), zap.Error(*why))
		err = h.current().Reject(ctx, (*why).Error())
	case h.left.Load():
		err = h.current().Return(ctx, time.Duration(h.after.Load()))
	default:
		err = h.current().Done(ctx)
	}
	if err != nil {
		w.Log.Debug("end delivery", zap.String("job", h.job.ID), zap.Error(err)) // it may come again; its records are there
	}
}

// local runs trials in this process.
type local struct {
	w      *worker
	ctx    context.Context // for checkpoints
	study  *loaded
	runner *trial.Runner
	alone  bool // the job is one trial
}

func (l *local) run(ctx context.Context, stop <-chan struct{}, s *loaded, ranges []jobs.Range, emit func(results.Record)) error {
	if l.study != s {
		l.study = s
		l.runner = trial.New(s.study, l.w.Catalog, trial.Options{
			CheckpointAfter: l.w.CheckpointAfter,
			Oracle:          l.w.oracle,
			Save: func(n uint64, state []byte) error {
				return l.w.Store.SaveCheckpoint(l.ctx, s.name, s.generation, n, slices.Clone(state))
			},
			Load: func(n uint64) []byte {
				if !l.alone {
					return nil // trials that are long enough to be saved travel alone
				}
				b, err := l.w.Store.Checkpoint(l.ctx, s.name, s.generation, n)
				if err != nil {
					return nil
				}
				return b
			},
		})
	}
	l.alone = len(ranges) == 1 && ranges[0].To-ranges[0].From == 1
	return eachTrial(ctx, stop, ranges, func(n uint64) error {
		r, err := l.runner.Run(ctx, n)
		if err == nil {
			emit(r)
		}
		return err
	})
}

func (l *local) close() {}

// eachTrial calls fn for every trial until it fails, ctx ends or stop closes.
func eachTrial(ctx context.Context, stop <-chan struct{}, ranges []jobs.Range, fn func(uint64) error) error {
	for _, r := range ranges {
		for n := r.From; n < r.To; n++ {
			select {
			case <-stop:
				return trial.ErrInterrupted
			case <-ctx.Done():
				return trial.ErrInterrupted
			default:
			}
			if err := fn(n); err != nil {
				return err
			}
		}
	}
	return nil
}
