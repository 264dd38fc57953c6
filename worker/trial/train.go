package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"overnight/agents"
	"overnight/jobs"
	"overnight/results"
)

// progress is how far training has come. With the agent's own state it is all
// that a checkpoint holds.
type progress struct {
	Episodes uint64
	Steps    uint64
	curves   curves
}

// train trains the agent for the point's budget, checks it in between, and
// leaves the curves in the record.
func (r *Runner) train(ctx context.Context, rec *results.Record) error {
	budget := r.point.Train
	if budget == (jobs.Budget{}) {
		return nil
	}
	p := progress{curves: newCurves(r.study, budget, r.diagnosticNames())}
	if err := r.restore(rec.Trial, &p); err != nil {
		// A checkpoint only saves time: without it the trial begins anew.
		if err := r.prepare(rec.Point, rec.Replication); err != nil {
			return err
		}
		p = progress{curves: newCurves(r.study, budget, r.diagnosticNames())}
	}
	envKey, agentKey := r.streams.Root("env/train"), r.streams.Root("agent/train")
	saved := r.o.Clock()
	for !r.spent(budget, &p) {
		if err := r.check(ctx); err != nil {
			if errors.Is(err, ErrInterrupted) && r.o.Clock().Sub(r.began) >= r.o.CheckpointAfter/6 {
				r.save(rec.Trial, &p)
			}
			return err
		}
		total, steps := r.learn(envKey.At(p.Episodes), agentKey.At(p.Episodes))
		p.Episodes++
		p.Steps += uint64(steps)
		if !isFinite(total) {
			return finite(fmt.Sprintf("the return of training episode %d", p.Episodes), total)
		}
		if f, ok := r.agent.(agents.Failing); ok {
			if err := f.Err(); err != nil {
				return fmt.Errorf("training episode %d: %w", p.Episodes, err)
			}
		}
		r.recordTraining(&p, total)
		if every := r.study.Evaluate.Every; every > 0 && p.Episodes%every == 0 {
			mean, err := r.evaluate(ctx, "env/check", "agent/check", agents.Greedy, r.study.Evaluate.Episodes, false)
			if err != nil {
				return err
			}
			p.curves.check(p.Episodes, mean)
		}
		if r.o.Save != nil && p.Episodes&15 == 0 {
			if now := r.o.Clock(); now.Sub(saved) >= r.o.CheckpointAfter {
				r.save(rec.Trial, &p)
				saved = now
			}
		}
	}
	rec.Curves = p.curves.finish(p.Episodes)
	return nil
}

// spent tells whether the budget is used up.
func (r *Runner) spent(b jobs.Budget, p *progress) bool {
	switch {
	case b.Episodes > 0:
		return p.Episodes >= b.Episodes
	case b.Steps > 0:
		return p.Steps >= b.Steps
	default:
		u, ok := r.agent.(agents.Updater)
		return !ok || u.Updates() >= b.Updates
	}
}

func (r *Runner) diagnosticNames() []string {
	if r.study.Record.CurvePoints == 0 {
		return nil
	}
	if d, ok := r.agent.(agents.Diagnostics); ok {
		return slices.Clone(d.DiagnosticNames())
	}
	return nil
}

func (r *Runner) recordTraining(p *progress, total float64) {
	if r.study.Record.CurvePoints == 0 {
		return
	}
	p.curves.bucket(p.Episodes, total)
	if d, ok := r.agent.(agents.Diagnostics); ok && p.curves.full() {
		d.Diagnose(p.curves.values)
		p.curves.diagnose(p.Episodes)
	}
}
