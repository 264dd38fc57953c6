package policygradient

import (
	"math"
	"testing"
)

// batchOf returns an agent with a batch of episodes of rewards.
func batchOf(p Params, episodes ...[]float64) *reinforce[float64] {
	r := &reinforce[float64]{p: p, own: p.Credit == "own"}
	days := 0
	for _, e := range episodes {
		r.rewards = append(r.rewards, e...)
		r.ends = append(r.ends, len(r.rewards))
		days = max(days, len(e))
	}
	r.rows = len(r.rewards)
	r.weights = make([]float64, r.rows)
	r.daySum, r.dayCount = make([]float64, days), make([]float64, days)
	return r
}

func TestCreditAndAdvantage(t *testing.T) {
	t.Parallel()
	a, b := []float64{1, 2, 4}, []float64{3, 0}
	root := math.Sqrt
	// Returns-to-go at gamma 0.5: 3, 4, 4 and 3, 0.
	for _, c := range []struct {
		name string
		p    Params
		want []float64
	}{
		{"to go", Params{Gamma: 0.5, Advantage: "none"}, []float64{3, 4, 4, 3, 0}},
		{"undiscounted", Params{Gamma: 1, Advantage: "none"}, []float64{7, 6, 4, 3, 0}},
		{"own", Params{Gamma: 0.5, Credit: "own", Advantage: "none"}, []float64{1, 2, 4, 3, 0}},
		// Means 11/3 and 3/2, variances 1/3 and 9/2.
		{"episode", Params{Gamma: 0.5, Advantage: "episode"}, []float64{
			-2.0 / 3 / (root(1.0/3) + 1e-5), 1.0 / 3 / (root(1.0/3) + 1e-5), 1.0 / 3 / (root(1.0/3) + 1e-5),
			1.5 / (root(4.5) + 1e-5), -1.5 / (root(4.5) + 1e-5)}},
		// Mean 14/5, squares .04 + 1.44 + 1.44 + .04 + 7.84.
		{"batch", Params{Gamma: 0.5, Advantage: "batch"}, []float64{
			0.2 / (root(2.7) + 1e-5), 1.2 / (root(2.7) + 1e-5), 1.2 / (root(2.7) + 1e-5), 0.2 / (root(2.7) + 1e-5), -2.8 / (root(2.7) + 1e-5)}},
		// Means of the days 3, 2, 4; squares 0 + 4 + 0 + 0 + 4 with 5-3 degrees.
		{"day", Params{Gamma: 0.5, Advantage: "day"}, []float64{0, 2 / (2 + 1e-5), 0, 0, -2 / (2 + 1e-5)}},
	} {
		r := batchOf(c.p, a, b)
		r.credit()
		r.advantage()
		for i, want := range c.want {
			if math.Abs(r.weights[i]-want) > 1e-14 {
				t.Errorf("%s: advantage %d = %v, want %v", c.name, i, r.weights[i], want)
			}
		}
	}
}

// TestDayBaselineRemovesTheDay: a reward that depends on the day alone teaches
// nothing about actions.
func TestDayBaselineRemovesTheDay(t *testing.T) {
	t.Parallel()
	e := []float64{5, 3, 1}
	r := batchOf(Params{Gamma: 1, Advantage: "day"}, e, e, e)
	r.credit()
	r.advantage()
	for i, w := range r.weights {
		if w != 0 {
			t.Errorf("advantage %d = %v, want 0", i, w)
		}
	}
	r = batchOf(Params{Gamma: 1, Advantage: "episode"}, e, e, e)
	r.credit()
	r.advantage()
	if r.weights[0] < 1 || r.weights[2] > -0.9 {
		t.Errorf("normalised in the episode: %v; the first day was to look good and the last bad", r.weights[:3])
	}
}
