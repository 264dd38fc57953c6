package bandit

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"overnight/envs"
	"overnight/internal/rng"
)

func contestOf(odds bool, of [][2]float64) *contest {
	return newContest(&envs.Step{}, len(of), func(i int) posterior {
		if odds {
			return betaPosterior(of[i][0], of[i][1])
		}
		return normalPosterior(of[i][0], of[i][1])
	})
}

// TestContest compares the quadrature with sums over some hundred thousand cells
// between quantiles, whose distribution functions are scipy's (1.10.1): the
// chances of being the best, and of being second to the likeliest.
func TestContest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		odds         bool
		arms         [][2]float64
		best, second []float64
	}{
		{
			true, [][2]float64{{1, 1}, {12, 40}, {300, 700}},
			[]float64{0.695656717, 0.041797750, 0.262545533},
			[]float64{0.000000000, 0.122495634, 0.877504366},
		}, {
			true, [][2]float64{{51, 951}, {41, 961}, {61, 941}, {2, 20}, {55, 930}},
			[]float64{0.037136473, 0.001860621, 0.243850260, 0.611881221, 0.105271426},
			[]float64{0.104340132, 0.005913407, 0.611310277, 0.000000000, 0.278436184},
		}, {
			true, [][2]float64{{0.5, 0.5}, {0.5, 0.5}, {1, 3}},
			[]float64{0.439442229, 0.439442229, 0.121115542},
			[]float64{0.000000000, 0.564483235, 0.435516765},
		}, {
			true, [][2]float64{{0.5, 100}, {0.5, 1000}, {3, 5000}},
			[]float64{0.701897467, 0.110951848, 0.187150685},
			[]float64{0.000000000, 0.291326607, 0.708673393},
		}, {
			true, [][2]float64{{20000, 1e+06}, {20100, 1e+06}, {3, 100}},
			[]float64{0.101344200, 0.225731824, 0.672923976},
			[]float64{0.310808067, 0.689191933, 0.000000000},
		}, {
			true, [][2]float64{{901, 101}, {801, 201}, {9, 2}, {1, 1}},
			[]float64{0.659309664, 0.000000000, 0.250384872, 0.090305464},
			[]float64{0.000000000, 0.455659952, 0.461823098, 0.082516950},
		}, {
			true, [][2]float64{{960, 40}, {700, 300}, {650, 350}, {2, 9}},
			[]float64{1.000000000, 0.000000000, 0.000000000, 0.000000000},
			[]float64{0.000000000, 0.991407803, 0.008437741, 0.000154456},
		}, {
			false, [][2]float64{{0, 1}, {0.5, 0.1}, {0.4, 0.01}},
			[]float64{0.306249501, 0.588887467, 0.104863032},
			[]float64{0.065099232, 0.000000000, 0.934900768},
		}, {
			false, [][2]float64{{0.02, 0.004}, {0.03, 0.006}, {0.031, 0.002}, {0.01, 0.02}, {0, 0.05}},
			[]float64{0.002134919, 0.295484285, 0.353067551, 0.101917332, 0.247395912},
			[]float64{0.115612566, 0.766801664, 0.000000000, 0.073938724, 0.043647046},
		}, {
			false, [][2]float64{{2, 0.3}, {0.1, 0.5}, {0, 1}},
			[]float64{0.971779736, 0.000526298, 0.027693966},
			[]float64{0.000000000, 0.550648099, 0.449351901},
		},
	} {
		got := make([]float64, len(c.arms))
		o := contestOf(c.odds, c.arms)
		o.best(-1, got)
		if off := distance(got, c.best); off > 1e-6 {
			t.Errorf("%v: best with %v, want %v", c.arms, got, c.best)
		}
		o.best(slices.Index(c.best, slices.Max(c.best)), got)
		if off := distance(got, c.second); off > 1e-6 {
			t.Errorf("%v: second with %v, want %v", c.arms, got, c.second)
		}
	}
}

func distance(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	return d
}

// TestContestClosedForms checks pairs: normals, Beta(a, 1) against Beta(b, 1) with
// a / (a + b), and whole parameters with the sum of E. Miller, Formulas for
// Bayesian A/B testing, 2015. Arms without any spread leave no doubt.
func TestContestClosedForms(t *testing.T) {
	t.Parallel()
	check := func(odds bool, arms [2][2]float64, want float64) {
		t.Helper()
		got := make([]float64, 2)
		contestOf(odds, arms[:]).best(-1, got)
		if math.Abs(got[0]-want) > 1e-6 || math.Abs(got[0]+got[1]-1) > 1e-12 {
			t.Errorf("%v: best with %v, want %v", arms, got, want)
		}
	}
	for _, c := range [][2][2]float64{{{0, 1}, {1, 1}}, {{.3, .01}, {.31, .05}}, {{5, 1e-4}, {4, 2}}, {{1e3, 1}, {-1e3, 1}}, {{0, 3}, {0, 1e-9}}} {
		z := (c[0][0] - c[1][0]) / math.Hypot(c[0][1], c[1][1])
		check(false, c, distuv.UnitNormal.CDF(z))
	}
	for _, c := range [][2]float64{{1, 2}, {.1, .3}, {50, 2}, {.05, 1}} {
		check(true, [2][2]float64{{c[0], 1}, {c[1], 1}}, c[0]/(c[0]+c[1]))
	}
	for _, c := range [][4]float64{{3, 7, 2, 9}, {31, 900, 45, 1_200}, {400, 20, 7, 1}, {1, 50_000, 3, 90_000}} {
		sum := 0.0 // P(the second is higher)
		for i := range int(c[2]) {
			f := float64(i)
			sum += math.Exp(mathext.Lbeta(c[0]+f, c[3]+c[1])-mathext.Lbeta(1+f, c[3])-mathext.Lbeta(c[0], c[1])) / (c[3] + f)
		}
		check(true, [2][2]float64{{c[0], c[1]}, {c[2], c[3]}}, 1-sum)
	}
	check(false, [2][2]float64{{1, 0}, {2, 0}}, 0)
	check(false, [2][2]float64{{2, 0}, {2, 0}}, 1)
}

// TestContestAgainstSum plays contests of up to 20 arms of any spread against a
// plain Stieltjes sum over 3,000 nodes an arm.
func TestContestAgainstSum(t *testing.T) {
	t.Parallel()
	s := rng.New(rng.Root(3, "contests"))
	worst := 0.0
	for _, k := range []int{2, 3, 5, 5, 8, 20} {
		arms := make([][2]float64, k)
		cdfs := make([]func(x float64) float64, k)
		var nodes []float64
		for i := range arms {
			mean, sd := 0.3*s.Normal(), math.Exp(-4*s.Float64())
			arms[i] = [2]float64{mean, sd}
			cdfs[i] = distuv.Normal{Mu: mean, Sigma: sd}.CDF
			for j := range 3_000 {
				nodes = append(nodes, distuv.Normal{Mu: mean, Sigma: sd}.Quantile((float64(j)+0.5)/3_000))
			}
		}
		slices.Sort(nodes)
		nodes = append(append([]float64{-100}, nodes...), 100)
		want, got := make([]float64, k), make([]float64, k)
		before, here := make([]float64, k), make([]float64, k)
		for _, x := range nodes {
			for i := range here {
				here[i] = cdfs[i](x)
			}
			for i := range want {
				p := here[i] - before[i]
				for j := range here {
					if j != i {
						p *= (before[j] + here[j]) / 2
					}
				}
				want[i] += p
			}
			before, here = here, before
		}
		contestOf(false, arms).best(-1, got)
		worst = max(worst, distance(got, want))
	}
	if t.Logf("worst error %.2g", worst); worst > 2e-6 {
		t.Errorf("a contest is off by %v", worst)
	}
}

// TestContestTies draws from priors so flat that doubles can't tell many draws
// from 0 or 1, which the lowest arm then wins: 100,000 draws within 4.5 standard
// errors, and below 0.05 within 0.01 more, since the draws' own rounding to 1
// begins elsewhere than that of the odds.
func TestContestTies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b, more float64
	}{{0.1, 0.1, 0}, {0.05, 0.2, 0}, {0.01, 0.01, 0.01}, {0.002, 3, 0}, {3, 0.02, 0.01}} {
		const n = 100_000
		got, won := make([]float64, 3), make([]float64, 3)
		contestOf(true, [][2]float64{{c.a, c.b}, {c.a, c.b}, {c.a, c.b}}).best(-1, got)
		key, in := rng.Root(5, "ties"), envs.Step{}
		d := drawsAt(&key, &in)
		for range n {
			won[argmax(&in, []float64{d.beta(c.a, c.b), d.beta(c.a, c.b), d.beta(c.a, c.b)})] += 1. / n
		}
		t.Logf("Beta(%v, %v) three times: best with %.4f, drawn %.4f", c.a, c.b, got, won)
		for i, p := range got {
			if math.Abs(won[i]-p) > 4.5*math.Sqrt(p*(1-p)/n)+c.more {
				t.Errorf("Beta(%v, %v) three times: best with %.4f, drawn %.4f", c.a, c.b, got, won)
			}
		}
	}
}

// BenchmarkContest measures a vector of Thompson sampling's propensities; beside
// it stand the decisions of BenchmarkDecision.
func BenchmarkContest(b *testing.B) {
	for _, k := range []int{2, 5, 20, 100} {
		b.Run(fmt.Sprintf("arms=%d", k), func(b *testing.B) {
			arms, p := make([][2]float64, k), make([]float64, k)
			for i := range arms {
				arms[i] = [2]float64{21 + float64(i)/2, 979}
			}
			for b.Loop() {
				contestOf(true, arms).best(-1, p)
			}
		})
	}
}
