package report

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// TestSignFlip: all signs are counted as stats.SignFlip counts them, up to where
// it does; beyond, a subgroup's P is near the drawn one, and the smallest P that
// can be had is had by differences of one sign.
func TestSignFlip(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 60; n++ {
		draw := rng.New(rng.Root(20, "flip", uint64(n)))
		var d, up []float64
		for range n {
			v := draw.Exponential()
			up = append(up, v)
			d = append(d, v-.8)
		}
		d = append(d, math.NaN())
		got, want := signFlip(d, rng.Root(21, "flip")), stats.SignFlip(d, rng.Root(22, "flip"))
		if got.N != n || got.Statistic != want.Statistic {
			t.Fatalf("n = %d: %+v, want %+v", n, got, want)
		}
		off := 1e-12
		if n > 20 { // of 9,999 draws
			off = 6 * math.Sqrt(2*want.P/stats.PermutationDraws)
		}
		if math.Abs(got.P-want.P) > off {
			t.Errorf("n = %d: P %v, want %v", n, got.P, want.P)
		}
		least := math.Ldexp(2, -min(n, 2*halfFlips))
		if r := signFlip(up, rng.Root(23, "flip")); r.Least != least || r.P != least {
			t.Errorf("n = %d: differences of one sign have P %v, the least is %v, want %v", n, r.P, r.Least, least)
		}
	}
	if r := signFlip([]float64{math.NaN()}, rng.Key{}); !math.IsNaN(r.P) || r.Least != 1 {
		t.Errorf("no differences give %+v", r)
	}
}

// TestSignFlipSize: beyond what is counted in full, at most 5 % of 4,000 studies
// without a difference are told apart, and at most 0.1 % at that level, with
// heavy tails; bounds of 3 standard errors above (0.0603, 0.0025). Fixed seeds.
func TestSignFlipSize(t *testing.T) {
	t.Parallel()
	const repeats = 4000
	var at05, at001 int
	for k := range uint64(repeats) {
		draw := rng.New(rng.Root(24, "size", k))
		d := make([]float64, 40)
		for i := range d {
			d[i] = math.Exp(1.5*draw.Normal()) - math.Exp(1.5*draw.Normal())
		}
		p := signFlip(d, rng.Root(25, "size", k)).P
		if p <= .05 {
			at05++
		}
		if p <= .001 {
			at001++
		}
	}
	t.Logf("told apart: %.4f at 0.05, %.4f at 0.001", float64(at05)/repeats, float64(at001)/repeats)
	if at05 > 241 || at05 < 150 || at001 > 10 {
		t.Errorf("%d and %d of %d are told apart, want at most 241 and 10", at05, at001, repeats)
	}
}

// TestExchangeDraws: with more replications than can be counted, drawn P of the
// mean is the exact one but for its draws' error.
func TestExchangeDraws(t *testing.T) {
	t.Parallel()
	s := rng.New(rng.Root(1, "draws"))
	x, y := stats.Scores{nil, nil}, stats.Scores{nil, nil}
	for range 16 {
		for p := range x {
			v := s.Normal()
			x[p], y[p] = append(x[p], v+.1+.7*s.Normal()), append(y[p], v)
		}
	}
	exact := stats.SignFlip(stats.Differences(x, y), rng.Key{})
	drawn := newExchange(x, y, stats.ByMean, true).test(9999, rng.Root(2, "draws"))
	if off := math.Abs(drawn.P - exact.P); exact.P < .005 || exact.P > .2 || off > 5*math.Sqrt(2*exact.P/9999) {
		t.Errorf("drawn P %v, exact %v", drawn.P, exact.P)
	}
	split := newExchange(x[:1], y[:1], stats.ByMean, false).test(9999, rng.Root(3, "draws"))
	want := stats.Split(x[0], y[0], rng.Root(4, "draws"))
	if off := math.Abs(split.P - want.P); off > 5*math.Sqrt(4*want.P/9999) {
		t.Errorf("unpaired: drawn P %v, Split draws %v", split.P, want.P)
	}
}

// TestExchangeSize: at most 5 % of comparisons of equal arms are told apart, with
// skewed scores and shared noise, for every statistic, paired and not: 2,000
// repeats each, with a bound of 3 standard errors above (0.065). Fixed seeds.
func TestExchangeSize(t *testing.T) {
	t.Parallel()
	const repeats = 2000
	for _, paired := range []bool{true, false} {
		for _, s := range []stats.Statistic{stats.ByMean, stats.ByIQM, stats.ByMedian} {
			t.Run(fmt.Sprint(s, paired), func(t *testing.T) {
				t.Parallel()
				rejected := 0
				for k := range uint64(repeats) {
					draw := rng.New(rng.Root(5, "size "+string(s), k))
					x, y := stats.Scores{nil, nil}, stats.Scores{nil, nil}
					for range 8 {
						shared := draw.Exponential()
						for p := range x {
							if !paired {
								shared = draw.Exponential()
							}
							x[p] = append(x[p], shared+draw.Exponential())
							if !paired {
								shared = draw.Exponential()
							}
							y[p] = append(y[p], shared+draw.Exponential())
						}
					}
					if newExchange(x, y, s, paired).test(399, rng.Root(6, "size", k)).P <= .05 {
						rejected++
					}
				}
				share := float64(rejected) / repeats
				t.Logf("told apart: %.3f", share)
				if share > .05+3*math.Sqrt(.05*.95/repeats) || share < .01 {
					t.Errorf("%.3f of equal arms are told apart, want at most 0.05", share)
				}
			})
		}
	}
}
