package sensitivity

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// TestFANOVAGrid: on a full grid, the importances are those of the analysis of
// variance of the points' means.
func TestFANOVAGrid(t *testing.T) {
	t.Parallel()
	ref := readReference(t).ANOVA
	levels := crossing(ref.Sizes)
	p := &Points{}
	for f, l := range levels {
		p.Columns = append(p.Columns, Column{Levels: ref.Sizes[f], Level: l})
	}
	var means stats.Scores
	for _, y := range ref.Y {
		means = append(means, []float64{stats.Mean(y)})
	}
	p.Runs = means
	r := FANOVA(p, Options{})
	exact := func(keep ...int) float64 { // variance of the means over these factors' cells
		sum, n := map[string]float64{}, map[string]float64{}
		grand := 0.
		key := func(i int) (k string) {
			for _, f := range keep {
				k += fmt.Sprint(levels[f][i], ",")
			}
			return k
		}
		for i, y := range means {
			sum[key(i)] += y[0]
			n[key(i)]++
			grand += y[0] / float64(len(means))
		}
		v := 0.
		for i := range means {
			d := sum[key(i)]/n[key(i)] - grand
			v += d * d / float64(len(means))
		}
		return v
	}
	all := exact(0, 1, 2)
	for f := range levels {
		near(t, fmt.Sprint("importance ", f), r.Factors[f].First.Value, exact(f)/all, 1e-12)
	}
	for _, q := range r.Pairs {
		near(t, fmt.Sprint("pair ", q.I, q.J), q.Share.Value, (exact(q.I, q.J)-exact(q.I)-exact(q.J))/all, 1e-12)
	}
	// With replications, luck takes its share.
	p.Runs = ref.Y
	r = FANOVA(p, Options{Key: rng.Root(1, "grid")})
	near(t, "luck", r.Luck.Total.Value, ref.Luck, 1e-12)
	near(t, "importance of what luck leaves", r.Factors[0].First.Value, exact(0)/all*(1-ref.Luck), 1e-12)
	if r.Factors[0].Told != Told {
		t.Errorf("the verdict of factor 0 is %d: %+v", r.Factors[0].Told, r.Factors[0].Beyond)
	}
}

// sampled draws points of a model at random; the last column has three levels, of
// which the model sees 0, 1/2 and 1.
func (m *model) sampled(key rng.Key, n, reps int) *Points {
	s := rng.New(key)
	p := &Points{Columns: make([]Column, m.d)}
	last := &p.Columns[m.d-1]
	last.Levels = 3
	for j := range n {
		x := make([]float64, m.d)
		for f := range m.d - 1 {
			x[f] = s.Float64()
			p.Columns[f].U = append(p.Columns[f].U, x[f])
		}
		l := s.IntN(3)
		last.Level = append(last.Level, l)
		x[m.d-1] = float64(l) / 2
		y := make([]float64, reps)
		for r := range y {
			luck := rng.New(key.At(uint64(j)).At(uint64(r)))
			y[r] = m.f(x, &luck)
		}
		p.Runs = append(p.Runs, y)
	}
	return p
}

// TestFANOVAAdditive: of y = 3 x0 + x1 + 2 [l], x uniform and l of 0, 1/2, 1, the
// variances are 9/12, 1/12 and 4/6; from 1,000 points the forest comes within .04.
func TestFANOVAAdditive(t *testing.T) {
	t.Parallel()
	m := &model{d: 4, f: func(x []float64, _ *rng.Stream) float64 { return 3*x[0] + x[1] + 2*x[3] }}
	r := FANOVA(m.sampled(rng.Root(1, "additive"), 1000, 1), Options{Key: rng.Root(2, "forest")})
	all := 9./12 + 1./12 + 4./6
	for f, want := range []float64{9. / 12, 1. / 12, 0, 4. / 6} {
		near(t, fmt.Sprint("importance ", f), r.Factors[f].First.Value, want/all, .04)
		if told := r.Factors[f].Told == Told; told != (want > 0) {
			t.Errorf("factor %d is told from luck: %v; beyond its shadow %+v", f, told, r.Factors[f].Beyond)
		}
	}
	for _, p := range r.Pairs {
		near(t, fmt.Sprint("pair ", p.I, p.J), p.Share.Value, 0, .03)
	}
	if r.Explained < .95 {
		t.Errorf("explains %.3f of unseen points, want .95 or more", r.Explained)
	}
}

// TestFANOVALuck: of a score that is luck alone a forest explains nothing of unseen
// points, and no factor is told.
func TestFANOVALuck(t *testing.T) {
	t.Parallel()
	m := &model{d: 3, f: func(_ []float64, luck *rng.Stream) float64 { return luck.Normal() }}
	n := repeats() / 10
	wrong := 0
	for k := range n {
		r := FANOVA(m.sampled(rng.Root(1, "luck").At(uint64(k)), 150, 2), Options{Key: rng.Root(2, "forest").At(uint64(k))})
		for _, x := range r.Factors {
			if x.Told == Told {
				wrong++
			}
		}
		if r.Explained > .1 {
			t.Errorf("explains %.3f of luck", r.Explained)
		}
		if k == 0 {
			near(t, "luck", r.Luck.Total.Value, 1, .25)
		}
	}
	t.Logf("%d of %d factors without effect told from luck", wrong, 3*n)
	if most := .025; float64(wrong) > float64(3*n)*(most+3*math.Sqrt(most*(1-most)/float64(3*n))) {
		t.Errorf("%d of %d factors without effect told from luck", wrong, 3*n)
	}
}

// TestFANOVASame: the same scores give the same bytes, another key others.
func TestFANOVASame(t *testing.T) {
	t.Parallel()
	m := ishigami()
	p := m.sampled(rng.Root(1, "same"), 200, 1)
	a, b, c := FANOVA(p, Options{Key: rng.Root(2, "a")}), FANOVA(p, Options{Key: rng.Root(2, "a")}), FANOVA(p, Options{Key: rng.Root(2, "b")})
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("two runs differ")
	}
	if fmt.Sprint(a.Factors[0].First) == fmt.Sprint(c.Factors[0].First) {
		t.Error("another key gives the same forest")
	}
}

// TestPRCCCoverage: the interval of a partial rank correlation from 100 points, and
// how often a factor without effect is told. The truth is that of 100,000 points.
func TestPRCCCoverage(t *testing.T) {
	t.Parallel()
	draw := func(key rng.Key, n int) *Sample {
		s := rng.New(key)
		p := &Sample{X: make([][]float64, 3)}
		for range n {
			x := [3]float64{s.Float64(), s.Float64(), s.Float64()}
			for f := range x {
				p.X[f] = append(p.X[f], x[f])
			}
			p.Runs = append(p.Runs, []float64{math.Exp(2*x[0]) - x[1] + s.Normal()})
		}
		return p
	}
	large := draw(rng.Root(1, "large"), 100_000)
	var y []float64
	for _, r := range large.Runs {
		y = append(y, r[0])
	}
	truth := ranked(large, y).value(nil)
	hits := [3]float64{}
	for k := range repeats() {
		key := rng.Root(1, "prcc").At(uint64(k))
		r := PRCC(draw(key, 100), Options{Key: key.At(1), Resamples: 300})
		for f, x := range r.Factors {
			if x.PRCC.Contains(truth[f]) {
				hits[f] += 1 / float64(repeats())
			}
			if f == 2 && x.Told == Told && x.PRCC.Contains(0) {
				t.Error("told, though the interval holds 0")
			}
		}
	}
	for f := range hits {
		covers(t, fmt.Sprintf("prcc %.2f", truth[f]), hits[f], .94)
	}
	near(t, "a factor without effect", truth[2], 0, .01)
}

// TestPRCCSingular: a column that is the sum of others has no partial correlation,
// and says so.
func TestPRCCSingular(t *testing.T) {
	t.Parallel()
	s := &Sample{X: [][]float64{{1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3, 4, 5, 6, 7, 8}}}
	for i := range 8 {
		s.Runs = append(s.Runs, []float64{float64(i * i)})
	}
	r := PRCC(s, Options{Key: rng.Root(1, "singular")})
	if x := r.Factors[0]; !math.IsNaN(x.PRCC.Value) || x.Told != Unknown {
		t.Errorf("%+v", x.PRCC)
	}
}
