package marketing

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestFit: shares end within their bounds and sum to 1; those inside already
// stay; entries within their bounds keep their proportions.
func TestFit(t *testing.T) {
	t.Parallel()
	changed := 0
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 6).Draw(t, "channels")
		unspent := rapid.Bool().Draw(t, "unspent")
		e := &Env{k: k, entries: k, ch: make([]channel, k)}
		if unspent {
			e.entries++
		}
		share := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0, 1e-9, 0.5, 1}))
		caps := 0.0
		for i := range e.ch {
			c := &e.ch[i]
			c.least = share.Draw(t, "floor") / float64(k)
			c.most = c.least + (1-c.least)*share.Draw(t, "cap")
			caps += c.most
		}
		if !unspent && caps < 1 { // as check refuses
			e.ch[0].most += 1 - caps
		}
		w := make([]float64, e.entries)
		sum := 0.0
		for i := range w {
			w[i] = share.Draw(t, "share")
			sum += w[i]
		}
		if sum == 0 {
			w[0], sum = 1, 1
		}
		for i := range w {
			w[i] /= sum
		}
		before := append([]float64(nil), w...)
		fitted := e.fit(w)
		sum = 0
		theta := math.NaN()
		for i, v := range w {
			least, most := e.bounds(i)
			if !(v >= least-2e-12 && v <= most+2e-12) {
				t.Fatalf("%v becomes %v: entry %d is outside %v to %v", before, w, i, least, most)
			}
			sum += v
			if !fitted && v != before[i] {
				t.Fatalf("%v becomes %v, which counts as unchanged", before, w)
			}
			if v > least+1e-9 && v < most-1e-9 && before[i] >= 1e-100 {
				if theta == theta && math.Abs(v/before[i]-theta) > 1e-6*theta {
					t.Fatalf("%v becomes %v: proportions change within the bounds", before, w)
				}
				theta = v / before[i]
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("%v becomes %v, which sums to %v", before, w, sum)
		}
		if fitted {
			changed++
		}
	})
	if changed == 0 {
		t.Error("nothing had to be fitted: the test tests nothing")
	}
}

func TestCappedDays(t *testing.T) {
	t.Parallel()
	e := build(t, object{"cap": 0.5, "horizon": 4})
	rewards(t, e, []float64{1, 1, 1}, []float64{0.6, 0.2, 0.2}, []float64{0.5, 0.25, 0.25}, []float64{0, 0, 1})
	near(t, "share of capped days", metric(t, e, "capped"), 0.5, 0)
}
