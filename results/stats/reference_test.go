package stats

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"overnight/internal/rng"
)

// reference is testdata/reference.json: inputs, and what scipy 1.10.1 says of
// them. testdata/reference.py made it.
type reference struct {
	Welch      []tested
	PairedT    []tested `json:"paired_t"`
	RankSum    []tested `json:"rank_sum"`
	SignedRank []tested `json:"signed_rank"`
	SignFlip   []tested `json:"sign_flip"`
	Split      []tested
	Families   []struct{ P, Holm, BH []float64 }
	Scores     []struct {
		X, Y                        Scores
		Taus, Profile               []float64
		IQM, Gap, Improvement, Wins float64
	}
	Wilson          []struct{ K, N, Low, High float64 }
	ToleranceFactor []struct {
		N               int
		Share, Level, K float64
	} `json:"tolerance_factor"`
	Tolerance []struct {
		N, R                int
		Share, Level, Range float64
	}
	Live []struct {
		N           int
		Alpha, Half float64
	}
	Noise []struct {
		X, Y              []float64
		R                 float64
		RLow              float64 `json:"r_low"`
		RHigh             float64 `json:"r_high"`
		Factor, Low, High float64
	}
	Times []struct {
		Times  []*float64
		K      int
		Median *float64
	}
	Curves struct {
		Runs []struct {
			Rep  int
			X, Y []float64
		}
		Grid, Mean, Low, High, Area []float64
	}
}

type tested struct {
	X, Y         []float64
	Statistic, P float64
	How          string
}

func references(t *testing.T) reference {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTestsEqualScipy(t *testing.T) {
	t.Parallel()
	r := references(t)
	paired := func(test func([]float64) Test) func(x, y []float64) Test {
		return func(x, y []float64) Test { return test(Differences(Scores{x}, Scores{y})) }
	}
	key := rng.Root(1, "unused by exact tests")
	for name, c := range map[string]struct {
		cases []tested
		test  func(x, y []float64) Test
	}{
		"welch":       {r.Welch, Welch},
		"paired t":    {r.PairedT, paired(PairedT)},
		"rank sum":    {r.RankSum, RankSum},
		"signed rank": {r.SignedRank, paired(SignedRank)},
		"sign flip":   {r.SignFlip, paired(func(d []float64) Test { return SignFlip(d, key) })},
		"split":       {r.Split, func(x, y []float64) Test { return Split(x, y, key) }},
	} {
		if len(c.cases) < 5 {
			t.Errorf("%s: %d cases in reference.json, want at least 5", name, len(c.cases))
		}
		for _, want := range c.cases {
			got := c.test(want.X, want.Y)
			if math.Abs(got.P-want.P) > 1e-9*want.P+1e-14 || math.Abs(got.Statistic-want.Statistic) > 1e-9 {
				t.Errorf("%s %s of %d and %d runs: %+v, want statistic %v and p %v", name, want.How, len(want.X), len(want.Y), got, want.Statistic, want.P)
			}
			if got.Least > got.P*(1+1e-12) {
				t.Errorf("%s of %d and %d runs: p %v below the least %v", name, len(want.X), len(want.Y), got.P, got.Least)
			}
		}
	}
}

func TestFamiliesEqualStatsmodels(t *testing.T) {
	t.Parallel()
	for _, c := range references(t).Families {
		holm, bh := Holm(c.P), BenjaminiHochberg(c.P)
		for i := range c.P {
			near(t, "holm", holm[i], c.Holm[i], 1e-12)
			near(t, "benjamini-hochberg", bh[i], c.BH[i], 1e-12)
		}
	}
	nan := math.NaN()
	holm, bh := Holm([]float64{.01, nan, .04}), BenjaminiHochberg([]float64{.01, nan, .04})
	for i, want := range []float64{.03, nan, .08} {
		near(t, "holm with a NaN", holm[i], want, 1e-12)
	}
	for i, want := range []float64{.03, nan, .06} {
		near(t, "benjamini-hochberg with a NaN", bh[i], want, 1e-12)
	}
}

func TestScoresEqualRliable(t *testing.T) {
	t.Parallel()
	for _, c := range references(t).Scores {
		near(t, "iqm", ByIQM.Of(c.X), c.IQM, 1e-12)
		near(t, "optimality gap", OptimalityGap(c.X, 1, Options{}).Value, c.Gap, 1e-12)
		near(t, "improvement", Improvement(c.X, c.Y, Options{Resamples: 50}).Value, c.Improvement, 1e-12)
		near(t, "paired wins", WinsOf(c.X, c.Y, .95).Value, c.Wins, 1e-12)
		for i, share := range ProfileOf(c.X, c.Taus, Options{Resamples: 50}).Share {
			near(t, "profile", share, c.Profile[i], 1e-12)
		}
	}
}

func TestIntervalsEqualScipy(t *testing.T) {
	t.Parallel()
	r := references(t)
	for _, c := range r.Wilson {
		i := Wilson(c.K, c.N, .95)
		near(t, "wilson low", i.Low, c.Low, 1e-9)
		near(t, "wilson high", i.High, c.High, 1e-9)
	}
	for _, c := range r.ToleranceFactor {
		near(t, "tolerance factor", ToleranceFactor(c.N, c.Share, c.Level), c.K, 1e-7*c.K)
	}
	for _, c := range r.Tolerance {
		x := make([]float64, c.N)
		for i := range x {
			x[i] = float64((i*7919)%c.N + 1) // 1 to n, shuffled
		}
		want := Unknown()
		if c.R > 0 {
			want = Interval{float64(c.R), float64(c.N + 1 - c.R)}
		}
		got := Tolerance(x, c.Share, c.Level)
		near(t, "tolerance low", got.Low, want.Low, 0)
		near(t, "tolerance high", got.High, want.High, 0)
		near(t, "range holds", RangeHolds(c.N, c.Level), c.Range, 1e-9)
	}
	for _, c := range r.Live {
		i := LiveFromMoments(c.N, 3, 2, 1-c.Alpha)
		near(t, "live", i.High, 3+2*c.Half, 1e-6)
		near(t, "live", i.Low, 3-2*c.Half, 1e-6)
	}
	for _, c := range r.Noise {
		n := CommonNoiseOf(Scores{c.X}, Scores{c.Y}, .95)
		for _, v := range []struct {
			name      string
			got, want float64
		}{
			{"correlation", n.Correlation.Value, c.R},
			{"correlation low", n.Correlation.Low, c.RLow},
			{"correlation high", n.Correlation.High, c.RHigh},
			{"factor", n.Factor.Value, c.Factor},
			{"factor low", n.Factor.Low, c.Low},
			{"factor high", n.Factor.High, c.High},
		} {
			near(t, v.name, v.got, v.want, 1e-8*(1+math.Abs(v.want)))
		}
	}
}

func TestCurvesEqualNumPy(t *testing.T) {
	t.Parallel()
	r := references(t)
	want := r.Curves
	var c Curves
	for _, run := range want.Runs {
		c.Add(run.Rep, run.X, run.Y)
	}
	b := c.Band(.95)
	if !slices.Equal(b.X, want.Grid) {
		t.Fatalf("grid %v, want %v", b.X, want.Grid)
	}
	for i := range b.X {
		near(t, "mean", b.Y[i], want.Mean[i], 1e-12)
		near(t, "low", b.Low[i], want.Low[i], 1e-9*math.Abs(want.High[i]))
		near(t, "high", b.High[i], want.High[i], 1e-9*math.Abs(want.High[i]))
	}
	for rep, area := range want.Area {
		near(t, "area", Area(b.X, c.Replication(rep)), area, 1e-12)
	}
	near(t, "mean area", c.Area(.95).Value, (want.Area[0]+want.Area[1])/2, 1e-12)
	for _, c := range r.Times {
		var times []float64
		reached := 0
		for _, v := range c.Times {
			if v == nil {
				times = append(times, math.Inf(1))
				continue
			}
			times = append(times, *v)
			reached++
		}
		got := TimesTo(times, .95)
		slices.Sort(times)
		if got.Reached != reached || got.Runs != len(times) {
			t.Errorf("%d of %d reached, want %d of %d", got.Reached, got.Runs, reached, len(times))
		}
		median, low, high := math.Inf(1), math.NaN(), math.NaN()
		if c.Median != nil {
			median = *c.Median
		}
		if c.K > 0 {
			low, high = times[c.K-1], times[len(times)-c.K]
		}
		if got.Median.Value != median && math.Abs(got.Median.Value-median) > 1e-12 {
			t.Errorf("median time %v, want %v", got.Median.Value, median)
		}
		if c.K > 0 && got.Median.Interval != (Interval{low, high}) || c.K == 0 && got.Median.Known() {
			t.Errorf("median time of %d: %v, want %v to %v", len(times), got.Median.Interval, low, high)
		}
	}
}
