package jobs

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"overnight/jobs/design"
)

// Stopping says when a point has enough replications, each point by itself: at
// the first of Study.Stages at which the 95 % interval of what is looked at is
// narrow enough. Package results/stopping decides.
type Stopping struct {
	// CheckAt are the numbers of replications at which a point may stop, ascending:
	// the first is what every point gets. What a point gets at most,
	// Study.Replications, is among them only where it is the first.
	CheckAt []uint64
	// DifferenceFrom is the label of the arm from which a point's difference is
	// looked at, at the same task and levels. "": its own summary is.
	DifferenceFrom string
	// HalfWidth is what half of the interval's width has to reach, in units of the
	// objective. 0: Relative is given.
	HalfWidth float64
	// Relative is that as a share of the size of the summary: the point's own, or
	// that of the arm from which it differs. 0: HalfWidth is given.
	Relative float64
}

// Confirm says which points run again on fresh streams once their scores are
// known: of each task the Top best by the objective's summary, and beside them the
// points of Study.Reference.
type Confirm struct {
	Of           []string // labels of the arms whose points can be chosen
	Top          uint64
	Replications uint64 // numbered from Study.Replications on
}

// MaxStages bounds CheckAt.
const MaxStages = 64

// Bounds of studies that are Ruled: their points are kept in memory while they
// run, at a hundred bytes and the scores of one that may go on, and two bits a
// trial.
const (
	MaxRuledPoints = 1 << 24
	MaxRuledTrials = 1 << 33
)

// FewReplications is the number below which stopping makes intervals that cover
// less than they say: 94 % on normal scores and 86 to 90 % on skewed ones where
// points stop from 10 replications on.
const FewReplications = 20

// Stages returns the numbers of replications after which it is looked whether a
// point has enough, ascending; the last is Replications, where it ends anyway.
func (s *Study) Stages() []uint64 {
	if s.Stopping == nil {
		return []uint64{s.Replications}
	}
	stages := slices.Clone(s.Stopping.CheckAt)
	if stages[len(stages)-1] < s.Replications {
		stages = append(stages, s.Replications)
	}
	return stages
}

// AllReplications returns how many replications trials are numbered for: those
// that scores are compared by, and then those of Confirm.
func (s *Study) AllReplications() uint64 {
	if s.Confirm == nil {
		return s.Replications
	}
	return s.Replications + s.Confirm.Replications
}

// Ruled tells whether results decide which trials the study wants.
func (s *Study) Ruled() bool { return s.Stopping != nil || s.Confirm != nil }

// defaultStages returns numbers from least up to most, each half as many again as
// the one before: a larger max adds stages and moves none.
func defaultStages(least, most uint64) []uint64 {
	var stages []uint64
	for n := least; n < most && len(stages) < MaxStages; n += (n + 1) / 2 {
		stages = append(stages, n)
	}
	if stages == nil {
		return []uint64{least}
	}
	return stages
}

// checkRule is the part of check about Stopping and Confirm.
func (s *Study) checkRule() error {
	if t := s.Stopping; t != nil {
		switch n := len(t.CheckAt); {
		case n == 0 || n > MaxStages:
			return fmt.Errorf("%d stages of replications", n)
		case t.CheckAt[0] < 2:
			return fmt.Errorf("stopping from %d replications on", t.CheckAt[0])
		case t.CheckAt[n-1] > s.Replications, n > 1 && t.CheckAt[n-1] == s.Replications:
			return fmt.Errorf("stopping after %d of %d replications", t.CheckAt[n-1], s.Replications)
		}
		for i := 1; i < len(t.CheckAt); i++ {
			if t.CheckAt[i] <= t.CheckAt[i-1] {
				return fmt.Errorf("stages of replications that don't ascend: %v", t.CheckAt)
			}
		}
		if !targets(t.HalfWidth, t.Relative) {
			return fmt.Errorf("a half-width of %v, or relative %v", t.HalfWidth, t.Relative)
		}
		if t.DifferenceFrom != "" && !slices.ContainsFunc(s.Arms, func(a Arm) bool { return a.Label == t.DifferenceFrom }) {
			return fmt.Errorf("the difference from %q, which is no arm", t.DifferenceFrom)
		}
	}
	if c := s.Confirm; c != nil && (c.Top < 1 || c.Replications < 1 || c.Top > design.MaxRows || c.Replications > design.MaxRows-s.Replications) {
		return fmt.Errorf("confirmation of the top %d with %d replications", c.Top, c.Replications)
	}
	return s.checkConfirmed()
}

func (s *Study) checkConfirmed() error {
	if s.Confirm == nil {
		return nil
	}
	seen := map[string]bool{"": true, s.Reference(): true}
	for _, of := range s.Confirm.Of {
		if seen[of] || !slices.ContainsFunc(s.Arms, func(a Arm) bool { return a.Label == of }) {
			return fmt.Errorf("confirmation of arm %q", of)
		}
		seen[of] = true
	}
	if len(s.Confirm.Of) == 0 {
		return errors.New("confirmation of no arm")
	}
	return nil
}

// targets tells whether exactly one of the two is given, and sound.
func targets(half, relative float64) bool {
	sound := func(x float64) bool { return x > 0 && !math.IsInf(x, 0) }
	return sound(half) && relative == 0 || half == 0 && sound(relative)
}

// Reference returns the label of the arm beside which points stand: the baseline,
// or else the one of Stopping; "" where there is none.
func (s *Study) Reference() string {
	if s.Baseline == "" && s.Stopping != nil {
		return s.Stopping.DifferenceFrom
	}
	return s.Baseline
}

// Oracle tells whether an arm is the oracle: what others are measured by, and no
// contestant.
func (s *Study) Oracle(arm int) bool { return s.Arms[arm].Agent == "oracle" }

// CanConfirm tells whether points of an arm can be among those that are confirmed.
func (s *Study) CanConfirm(arm int) bool {
	return s.Confirm != nil && slices.Contains(s.Confirm.Of, s.Arms[arm].Label)
}

// candidates returns how many points of each task can be confirmed.
func (s *Study) candidates() []uint64 {
	counts := make([]uint64, len(s.Tasks))
	var from uint64
	for _, b := range s.Blocks() {
		if s.CanConfirm(b.Arm) {
			counts[b.Task] += b.To - from
		}
		from = b.To
	}
	return counts
}
