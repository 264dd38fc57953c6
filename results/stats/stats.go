// Package stats turns the scores of runs into numbers with intervals. Start
// with Estimate and Difference, which take the Scores of an arm over its points.
//
// It promises three things. Whatever is pooled over points resamples
// replications jointly, because points share the noise of a replication (with
// points that correlate at one half, resampling each by itself covers 54 %
// where this covers 92 %). Every random draw has an address (rng.Key), so the
// same scores give the same interval, whatever else is computed. And an interval
// that can't be had honestly is not known (NaN) rather than too short.
package stats

import (
	"math"

	"overnight/internal/rng"
)

// Scores are the runs of one arm: Scores[p][r] is the score at point p in
// replication r, NaN where there is none. All points have equally many
// replications. A plain sample x is Scores{x}.
//
// Every point counts alike, whatever the number of its runs: a run at a point
// with n runs has the weight 1/n. Points without a run are left out.
type Scores [][]float64

// Statistic is what sums runs up in one number.
type Statistic string

// The statistics, by their name in a study file.
const (
	ByMean   Statistic = "mean"   // mean over points of the mean over runs
	ByIQM    Statistic = "iqm"    // interquartile mean of the pooled runs, see IQM
	ByMedian Statistic = "median" // median of the pooled runs
)

// Method is how an interval is made.
type Method string

// The methods of intervals.
const (
	// Student: mean -+ t * standard error. Exact for normal scores, and the best
	// of the three for means of few runs. For ByMean only.
	Student Method = "t"
	// BCa: the bias-corrected and accelerated bootstrap of Efron, "Better
	// bootstrap confidence intervals", JASA 82 (1987).
	BCa Method = "bca"
	// Percentile: quantiles of the bootstrap distribution as they are. Too short
	// for few runs (89 % at n = 10); for comparison with published figures.
	Percentile Method = "percentile"
)

// Options say how intervals are made.
type Options struct {
	// Level is the interval's confidence. Defaults to 0.95.
	Level float64
	// Method defaults to Student for ByMean and to BCa for the others.
	Method Method
	// Resamples of the bootstrap. Defaults to 2000.
	Resamples int
	// Key is the address of the bootstrap's draws: resample b uses Key.At(b).
	Key rng.Key
}

func (o Options) withDefaults(s Statistic) Options {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Method == "" {
		o.Method = BCa
		if s == ByMean {
			o.Method = Student
		}
	}
	if o.Resamples == 0 {
		o.Resamples = 2000
	}
	return o
}

// Interval is a confidence interval; NaN bounds are not known.
type Interval struct{ Low, High float64 }

// Known tells whether the interval could be had.
func (i Interval) Known() bool { return !math.IsNaN(i.Low) && !math.IsNaN(i.High) }

// Contains tells whether v lies within, bounds included.
func (i Interval) Contains(v float64) bool { return i.Low <= v && v <= i.High }

// Half returns half the interval's width.
func (i Interval) Half() float64 { return (i.High - i.Low) / 2 }

// Unknown is the interval that could not be had.
func Unknown() Interval { return Interval{math.NaN(), math.NaN()} }

// Estimated is a value with its interval.
type Estimated struct {
	Value float64
	Interval
}

// MinBootstrap is the least number of replications a bootstrap interval is
// given for. With fewer, no resampling can cover 95 %: the widest one, from the
// lowest to the highest run, holds the median with probability 1 - 2**(1-n),
// 87.5 % for n = 4.
const MinBootstrap = 5

// Estimate sums the runs up and says how sure that is. The interval is about
// repeating the replications at these very points. It is not known where a
// point has one run only, and for the bootstrap below MinBootstrap replications.
func Estimate(x Scores, s Statistic, o Options) Estimated {
	return estimate(x, nil, s, o)
}

// Difference estimates the statistic of x minus the statistic of y. Replication
// r of both is resampled as one, so noise that they share cancels; for the mean
// of complete scores it is the paired t interval. Points need not correspond,
// but only where they do is the difference one of arms alone.
func Difference(x, y Scores, s Statistic, o Options) Estimated {
	if y == nil {
		y = Scores{}
	}
	return estimate(x, y, s, o)
}

func estimate(x, y Scores, s Statistic, o Options) Estimated {
	o = o.withDefaults(s)
	e := Estimated{Value: s.Of(x), Interval: Unknown()}
	if y != nil {
		e.Value -= s.Of(y)
	}
	if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
		return e
	}
	if o.Method == Student {
		if s != ByMean {
			panic("stats: a t interval of " + string(s) + ": there is one for the mean only")
		}
		e.Interval = student(e.Value, x, y, o.Level)
		return e
	}
	e.Interval = bootstrap(x, y, s, o)
	return e
}

// Of sums the runs up, NaN where there are none.
func (s Statistic) Of(x Scores) float64 {
	if s == ByMean {
		means := make([]float64, 0, len(x))
		for _, runs := range x {
			if m := Mean(Present(runs)); !math.IsNaN(m) {
				means = append(means, m)
			}
		}
		return Mean(means)
	}
	p := newPool(x)
	return p.eval(s, nil)
}
