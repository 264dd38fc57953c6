package offpolicy

import "math"

// Repeats gathers how estimates fared against the truth over logs of the same
// kind. The zero value is empty.
type Repeats struct{ by [estimators]fared }

type fared struct{ n, covered, bias, bias2, width float64 }

// Fared is how an estimator did.
type Fared struct {
	Logs     uint64  // with an estimate and a truth
	Coverage float64 // share of the logs whose interval holds the truth
	// CoverageSE is the binomial standard error of Coverage, with half a log of
	// either kind more, so that it is not 0.
	CoverageSE   float64
	Bias, BiasSE float64 // mean of estimate less truth
	SD           float64 // standard deviation of estimate less truth
	Width        float64 // mean width of the interval
}

// Add takes a log's result. One without truth or estimate counts for nothing.
func (c *Repeats) Add(r *Result) {
	if math.IsNaN(r.Truth) {
		return
	}
	for i := range c.by {
		e, f := &r.By[i], &c.by[i]
		if math.IsNaN(e.Value) {
			continue
		}
		f.n++
		if e.Low <= r.Truth && r.Truth <= e.High {
			f.covered++
		}
		bias := e.Value - r.Truth
		f.bias += bias
		f.bias2 += bias * bias
		f.width += e.High - e.Low
	}
}

// Of returns how an estimator did; NaN where there is nothing to say.
func (c *Repeats) Of(e Estimator) Fared {
	f := &c.by[e]
	out := Fared{Logs: uint64(f.n)}
	out.Coverage, out.Bias, out.Width = f.covered/f.n, f.bias/f.n, f.width/f.n
	p := (f.covered + 0.5) / (f.n + 1)
	out.CoverageSE = math.Sqrt(p * (1 - p) / f.n)
	out.SD = math.Sqrt(max(0, f.bias2-f.n*out.Bias*out.Bias) / (f.n - 1))
	out.BiasSE = out.SD / math.Sqrt(f.n)
	return out
}
