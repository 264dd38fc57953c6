package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"overnight/results"
	"overnight/results/figure"
)

// Bounds of running trials again for the pictures of a report. A service has other
// things to do, and its machine may be one that works on trials.
const (
	maxReplaying = 1                // trials at once
	replayTime   = 20 * time.Second // for one report
	maxReplayed  = time.Second      // that a trial took when it ran
	maxAsked     = 10_000           // trials that are asked how long they took
)

// Replay is what a report may run again for its pictures.
type Replay struct {
	Play figure.Play // nil: nothing
	Why  string      // why nothing
}

// replay decides whether trials are run again: those of online studies, of which
// one learning run is all, and which took little time. How long they took stands
// in the records, so nothing is run to find out.
func (x *analysis) replay(ctx context.Context) (Replay, error) {
	if x.Play == nil {
		return Replay{Why: "this service runs no trials"}, nil
	}
	study, err := x.decode(&x.plan)
	if err != nil {
		return Replay{}, err
	}
	if !study.Evaluate.Online {
		return Replay{Why: "to run a trial again its agent would have to be trained again, which this service does not do"}, nil
	}
	longest := time.Duration(0)
	for r, err := range results.Skim(ctx, x.Store, x.plan.Study, 0, min(x.plan.Points, x.plan.Trials, maxAsked)) {
		switch {
		case errors.Is(err, results.ErrDamaged):
		case err != nil:
			return Replay{}, err
		case r.Status == results.Done:
			longest = max(longest, r.Elapsed)
		}
	}
	if longest > maxReplayed {
		return Replay{Why: fmt.Sprintf("a trial took up to %v, too long for this service to run it again", longest.Round(100*time.Millisecond))}, nil
	}
	return Replay{Play: figure.Sparing(x.Play(study), replayTime, x.analyses.replaying)}, nil
}
