package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Test is the outcome of a two-sided test.
type Test struct {
	Statistic float64 // what it is stands at each test
	P         float64 // NaN where so few runs allow no test
	N         int     // runs, or pairs, that the test uses
	// Least is the smallest P that so many runs can give, whatever their scores:
	// where it lies above the level of a decision, n is too small to reject at all.
	// 0 where there is no such bound, 1 where there is no test.
	Least float64
}

// CanReject tells whether so many runs could give a P of at most alpha.
func (t Test) CanReject(alpha float64) bool { return t.Least <= alpha }

func untestable(n int) Test {
	return Test{Statistic: math.NaN(), P: math.NaN(), N: n, Least: 1}
}

// Welch tests whether two independent samples have the same mean, without
// assuming equal variances (Welch, Biometrika 34, 1947). It needs two runs each;
// the statistic is t.
func Welch(x, y []float64) Test {
	x, y = Present(x), Present(y)
	n := len(x) + len(y)
	if len(x) < 2 || len(y) < 2 {
		return untestable(n)
	}
	vx, vy := variance(x)/float64(len(x)), variance(y)/float64(len(y))
	free := (vx + vy) * (vx + vy) / (float64(vx*vx)/float64(len(x)-1) + float64(vy*vy)/float64(len(y)-1))
	return tTest(Mean(x)-Mean(y), math.Sqrt(vx+vy), free, n)
}

// PairedT tests whether differences of paired runs have the mean 0 (Student
// 1908). It needs two pairs; the statistic is t.
func PairedT(d []float64) Test {
	d = Present(d)
	n := len(d)
	if n < 2 {
		return untestable(n)
	}
	return tTest(Mean(d), SD(d)/math.Sqrt(float64(n)), float64(n-1), n)
}

// tTest tests a mean against 0. Without any spread a mean of 0 has P 1, every
// other P 0.
func tTest(mean, stderr, free float64, n int) Test {
	t := mean / stderr
	switch {
	case stderr == 0 && mean == 0:
		return Test{Statistic: 0, P: 1, N: n}
	case stderr == 0:
		return Test{Statistic: t, P: 0, N: n}
	case math.IsNaN(t):
		return untestable(n)
	}
	return Test{Statistic: t, P: 2 * distuv.StudentsT{Sigma: 1, Nu: free}.CDF(-math.Abs(t)), N: n}
}

func variance(x []float64) float64 {
	return squaresAbout(x, Mean(x)) / float64(len(x)-1)
}

// fromTails returns the two-sided P of the shares of outcomes at most and at
// least as large as the one seen: twice the smaller, as scipy has it.
func fromTails(low, high float64) float64 { return min(1, 2*min(low, high)) }
