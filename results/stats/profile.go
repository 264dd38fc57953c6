package stats

import (
	"math"
	"slices"
)

// MinAround is the least number of replications that a band around a whole
// profile is given for: it covers 77 % at 5 replications and 88 % at 10, 93 % from 20 on.
const MinAround = 20

// Profile is a performance profile: at each Tau the share of runs with a score
// above it.
type Profile struct {
	Tau, Share []float64
	// Low and High bound the true share at each Tau by itself; NaN below
	// MinBootstrap replications.
	Low, High []float64
	// Around is how far below and above Share the whole true profile stays at once;
	// NaN below MinAround replications.
	Around float64
}

// ProfileOf returns the profile of x at ascending taus: the mean over points of
// the share of their runs above tau (Agarwal et al., NeurIPS 2021, section 4.2).
// Bounds at each tau are Wilson's with the jackknife over replications, see
// sharesInterval, or, of o.Method Percentile, those of rliable: the percentiles
// of resampled replications. Around is the quantile of the greatest distance of
// a profile of resampled replications from Share.
func ProfileOf(x Scores, taus []float64, o Options) Profile {
	o = o.withDefaults(ByMean)
	if !slices.IsSorted(taus) {
		panic("stats: taus of a profile that do not ascend")
	}
	p := newPool(x)
	f := Profile{Tau: taus, Share: p.above(taus, nil, nil), Around: math.NaN()}
	f.Low, f.High = make([]float64, len(taus)), make([]float64, len(taus))
	for i := range taus {
		f.Low[i], f.High[i] = math.NaN(), math.NaN()
	}
	units, reps := replications([]*pool{p})
	if len(units) < MinBootstrap || lonely(x) {
		return f
	}
	percentile := o.Method == Percentile
	var most, share []float64
	drawn, left := make([][]float64, len(taus)), make([][]float64, len(taus))
	if percentile || len(units) >= MinAround {
		resample(units, reps, o, func(times []int32) {
			share = p.above(taus, times, share)
			far := 0.0
			for i, v := range share {
				drawn[i] = append(drawn[i], v)
				far = max(far, math.Abs(v-f.Share[i]))
			}
			most = append(most, far)
		})
	}
	leaveOneOut(units, reps, func(times []int32) {
		share = p.above(taus, times, share)
		for i, v := range share {
			left[i] = append(left[i], v)
		}
	})
	for i, v := range f.Share {
		at := sharesInterval(v, left[i], len(units), o.Level)
		if percentile && v > 0 && v < 1 {
			at = Interval{Quantile(drawn[i], (1-o.Level)/2), Quantile(drawn[i], (1+o.Level)/2)}
		}
		f.Low[i], f.High[i] = at.Low, at.High
	}
	if len(units) >= MinAround {
		f.Around = Quantile(most, o.Level)
	}
	return f
}

// above writes the weight of the runs above each tau to dst, replication r
// counted times[r] times, in shares of the whole weight.
func (p *pool) above(taus []float64, times []int32, dst []float64) []float64 {
	dst = append(dst[:0], make([]float64, len(taus))...)
	total := p.weigh(times)
	if total == 0 {
		for i := range dst {
			dst[i] = math.NaN()
		}
		return dst
	}
	weight, k := 0.0, len(p.runs)-1
	for i := len(taus) - 1; i >= 0; i-- {
		for ; k >= 0 && p.runs[k].x > taus[i]; k-- {
			weight += p.weight(p.runs[k], times)
		}
		switch k { // not a rounding error away
		case -1:
			dst[i] = 1
		default:
			dst[i] = weight / total
		}
	}
	return dst
}
