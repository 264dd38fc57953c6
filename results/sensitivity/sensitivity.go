// Package sensitivity says which factors a study's objective depends on, and how
// much of it is luck. Start with Sobol, Morris, Effects, PRCC and FANOVA: one for
// each kind of design, the last for any.
//
// It promises four things. Luck, what runs of one point differ in, is a factor of
// its own everywhere. Intervals resample rows of the design - base samples,
// trajectories, points, replications - jointly, with all that stands in a row;
// draws are addressed, so that the same scores give the same bytes. A factor is
// said to be told from luck only by a quantity whose value is zero in expectation
// where the factor does nothing; a total index is not one, since it is never
// negative. And a run that is missing is counted, with what it may have changed.
//
// Luck is told directly where points have several replications. With one, only
// what a design's rows share of it can be told (Matrices says what), and the rest
// of it is not known (NaN) rather than zero.
package sensitivity

import (
	"math"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// Options say how intervals are made.
type Options struct {
	// Level is the intervals' confidence. Defaults to 0.95.
	Level float64
	// Resamples of the bootstrap. Defaults to 1000.
	Resamples int
	// Key is the address of all random draws.
	Key rng.Key
	// Crossed tells that replication r met the same luck in all rows of the design
	// (`paired: all`), so that replications are resampled beside rows.
	Crossed bool
	// Minimize tells that a low score is good; it only says which of the holes'
	// bounds is which.
	Minimize bool
}

func (o Options) withDefaults() Options {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Resamples == 0 {
		o.Resamples = 1000
	}
	return o
}

// Verdict says whether a factor was told from luck.
type Verdict int

// The verdicts.
const (
	// Unknown: the design can't tell, most often for want of replications.
	Unknown Verdict = iota
	// Luck: what the factor shows is no more than luck gives a factor without any
	// effect.
	Luck
	// Told: it is more.
	Told
)

// Index is what an analysis says of one factor. What a method does not give is
// not known (NaN).
type Index struct {
	// First is the share of the variance of a run that the factor explains alone:
	// Var(E[Y|X_i])/Var(Y).
	First stats.Estimated
	// Total is the share with all interactions, those with luck included:
	// E[Var(Y|all others)]/Var(Y). Where noise is not shared by the runs compared, it
	// holds luck as well.
	Total stats.Estimated
	// Beyond is the part of Total that replications agree on, an estimate that is 0
	// in expectation for a factor without effect and can fall below: the total index
	// of the mean over luck, as a share of the variance of a run. Of Morris it is
	// the mean square effect, in squared units of the score.
	Beyond stats.Estimated
	// Mu, MuStar and Sigma are mean, mean size and standard deviation of Morris'
	// elementary effects, in units of the score per unit of the factor's range.
	Mu, MuStar, Sigma stats.Estimated
	// PRCC is the partial rank correlation, in [-1, 1].
	PRCC stats.Estimated
	// N is how many base samples, trajectories or points it is from.
	N int
	// Told says whether the factor is told from luck.
	Told Verdict
	// Steps are the main indices from growing prefixes of the sample, the whole one
	// last; nil where the method has none.
	Steps []Step
	// Holes says how missing runs may have changed the index; nil without any.
	Holes *Holes
}

// Step is an index from the first N rows of the sample: First and Total, or of
// Morris First is mu and Total is mu*, or of PRCC First is the correlation.
type Step struct {
	N            int
	First, Total stats.Estimated
}

// Holes are estimates with every missing run set to the worst, to the best and to
// the mean score of those there are.
type Holes struct {
	FirstWorst, FirstBest, FirstMean float64
	TotalWorst, TotalBest, TotalMean float64
}

// Pair is what two factors do together beyond their main effects.
type Pair struct {
	I, J int // positions of the factors
	// Share is the interaction's share of the variance of a run. Of Sobol it is the
	// second-order index.
	Share stats.Estimated
	Told  Verdict
}

// Result is an analysis of one sample.
type Result struct {
	Factors []Index // in the order of the sample's columns
	Luck    Index
	Pairs   []Pair // I < J; nil where the design has none
	// Rest is the share of the variance that neither factors, pairs nor luck
	// explain; NaN where that is not known.
	Rest float64
	// Variance is that of a run, in squared units of the score.
	Variance float64
	// N is how many rows there are, Rows how many have no hole.
	N, Rows int
	// Runs is how many runs were used, Missing how many the design has beyond.
	Runs, Missing int
	// Explained is the share of the points' variance that a forest predicts of
	// points it has not seen; NaN of other methods.
	Explained float64
}

// unknown is an estimate that there is none of.
func unknown() stats.Estimated {
	return stats.Estimated{Value: math.NaN(), Interval: stats.Unknown()}
}

// blank is an index of which nothing is known.
func blank() Index {
	u := unknown()
	return Index{First: u, Total: u, Beyond: u, Mu: u, MuStar: u, Sigma: u, PRCC: u}
}

func blanks(n int) []Index {
	x := make([]Index, n)
	for i := range x {
		x[i] = blank()
	}
	return x
}

// negligible is the share of the variance below which a difference is rounding.
const negligible = 1e-9

// above tells whether a factor is told from luck by an estimate that is 0 in
// expectation where the factor does nothing, in units of the variance of a run.
func above(e stats.Estimated, variance float64) Verdict {
	switch {
	case !e.Known():
		return Unknown
	case e.Low > 0 && e.Value > negligible*variance:
		return Told
	}
	return Luck
}
