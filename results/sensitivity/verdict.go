package sensitivity

import (
	"math"

	"overnight/results/stats"
)

// verdicts says which factors and pairs are told from luck, by t intervals over base
// samples of terms that are 0 in expectation, and as often above it as below,
// where a factor does nothing.
//
// With several replications the yardstick is Beyond, whatever its runs share: a
// factor without effect is told in (1-level)/2 of studies. Where replications are
// Crossed, base samples are not independent of each other, and its interval by
// resampling both is used.
//
// With one replication luck has no estimate. Then a factor is told if its first
// order, which is 0 in expectation without an effect, lies above 0; or if its
// total index is above that of another factor: luck that any change draws anew
// stands in all of them alike. The second looks at d-1 others, and is given half of
// the first's error over all of them (Bonferroni). A factor without effect is told
// in at most 1-level of studies. One that changes no score is luck;
// of the others that are not told, it can't be known.
func (s *sobol) verdicts(r *Result, t *table, o Options) {
	for i := range r.Factors {
		x := &r.Factors[i]
		switch {
		case s.reps > 1 && o.Crossed && s.reps >= stats.MinBootstrap:
			x.Told = above(x.Beyond, 1)
		case s.reps > 1:
			x.Told = above(student(t.column(termFactors+3*i+2), o.Level), r.Variance)
		case x.Total.Value <= negligible:
			x.Told = Luck
		case above(student(t.column(termFactors+3*i), o.Level), r.Variance) == Told:
			x.Told = Told
		default:
			for k := range r.Factors {
				strict := 1 - (1-o.Level)/2/float64(max(s.d-1, 1))
				over := difference(t.column(termFactors+3*i+1), t.column(termFactors+3*k+1), make([]float64, t.rows()))
				if k != i && above(student(over, strict), r.Variance) == Told {
					x.Told = Told
				}
			}
		}
	}
	for k := range r.Pairs {
		p := &r.Pairs[k]
		alone := t.column(termFactors + 3*s.d + k)
		for j, v := range t.column(termFactors + 3*p.I) {
			alone[j] -= v
		}
		for j, v := range t.column(termFactors + 3*p.J) {
			alone[j] -= v
		}
		if told := above(student(alone, o.Level), r.Variance); s.reps > 1 || told == Told {
			p.Told = told
		}
	}
}

// holes fills in what the indices are with every missing run set to the worst,
// best and mean score of those there are.
func (s *sobol) holes(r *Result, o Options) {
	all := append([][][]float64{s.m.A, s.m.B}, s.m.AB...)
	all = append(all, s.m.BA...)
	worst, best, middle := extremes(all, o.Minimize)
	for _, fill := range []struct {
		with        float64
		first, into func(h *Holes) *float64
	}{
		{worst, func(h *Holes) *float64 { return &h.FirstWorst }, func(h *Holes) *float64 { return &h.TotalWorst }},
		{best, func(h *Holes) *float64 { return &h.FirstBest }, func(h *Holes) *float64 { return &h.TotalBest }},
		{middle, func(h *Holes) *float64 { return &h.FirstMean }, func(h *Holes) *float64 { return &h.TotalMean }},
	} {
		m := &Matrices{A: filled(s.m.A, fill.with), B: filled(s.m.B, fill.with)}
		for i := range s.m.AB {
			m.AB = append(m.AB, filled(s.m.AB[i], fill.with))
		}
		for i := range s.m.BA {
			m.BA = append(m.BA, filled(s.m.BA[i], fill.with))
		}
		whole := newSobol(m)
		var t table
		whole.fill(len(m.A), nil, &t)
		means, at := make([]float64, t.terms), make([]float64, 3*s.d+2+len(s.pairs))
		t.means(nil, means)
		whole.indices(means, at)
		put := func(x *Index, first, total float64) {
			if x.Holes == nil {
				x.Holes = &Holes{}
			}
			*fill.first(x.Holes), *fill.into(x.Holes) = first, total
		}
		for i := range r.Factors {
			put(&r.Factors[i], at[3*i], at[3*i+1])
		}
		put(&r.Luck, at[3*s.d], at[3*s.d+1])
	}
}

// extremes returns the worst, the best and the mean score.
func extremes(all [][][]float64, minimize bool) (worst, best, middle float64) {
	low, high, sum, n := math.Inf(1), math.Inf(-1), 0.0, 0
	for _, x := range all {
		for _, runs := range x {
			for _, v := range stats.Present(runs) {
				low, high = min(low, v), max(high, v)
				sum += v
				n++
			}
		}
	}
	if minimize {
		low, high = high, low
	}
	return low, high, sum / float64(n)
}

// filled returns a copy with every hole set to a value.
func filled(x [][]float64, with float64) [][]float64 {
	out := make([][]float64, len(x))
	for j, runs := range x {
		out[j] = make([]float64, len(runs))
		for r, v := range runs {
			if math.IsNaN(v) {
				v = with
			}
			out[j][r] = v
		}
	}
	return out
}
