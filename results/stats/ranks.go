package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
)

// MaxExactRanks is up to how many runs (Mann-Whitney: of both sides together)
// the rank tests count all outcomes; beyond, they use the normal distribution.
// Up to there a float64 counts exactly.
const MaxExactRanks = 50

// SignedRank is Wilcoxon's signed-rank test of paired differences (Biometrics
// Bulletin 1, 1945): whether they lie symmetrically about 0. The statistic is
// the sum of the ranks of positive differences. Differences of 0 are dropped, as
// Wilcoxon did; N counts the others. Equal sizes share their mean rank.
//
// Up to MaxExactRanks pairs P is exact, with ties too: it counts all signs that
// the ranks at hand can take. Beyond, it is normal, with corrections for ties
// and continuity.
func SignedRank(d []float64) Test {
	var sizes []float64
	for _, v := range d {
		if v != 0 && !math.IsNaN(v) {
			sizes = append(sizes, v)
		}
	}
	n := len(sizes)
	if n == 0 {
		return untestable(0)
	}
	signs := slices.Clone(sizes)
	for i, v := range sizes {
		sizes[i] = math.Abs(v)
	}
	ranks, ties := doubledRanks(sizes)
	positive := 0
	for i, v := range signs {
		if v > 0 {
			positive += ranks[i]
		}
	}
	t := Test{Statistic: float64(positive) / 2, N: n, Least: math.Ldexp(2, -n)}
	if n > MaxExactRanks {
		m := float64(n)
		within := float64(m*(m+1)*(2*m+1))/24 - ties/48
		t.P = normalP(t.Statistic-float64(m*(m+1))/4, within)
		return t
	}
	ways := make([]float64, n*(n+1)+1) // by doubled sum of positive ranks
	ways[0] = 1
	for _, r := range ranks {
		for s := len(ways) - 1; s >= r; s-- {
			ways[s] += ways[s-r]
		}
	}
	t.P = fromTails(tails(ways, positive))
	return t
}

// RankSum is the test of Mann and Whitney (Annals of Mathematical Statistics 18,
// 1947) of two independent samples: whether they have the same distribution.
// The statistic is U, the number of pairs with x > y, equal ones counting one
// half; U/(N_x N_y) estimates P(X > Y).
//
// Up to MaxExactRanks runs P is exact, with ties too: it counts all ways to
// split the ranks at hand, and Least is of these ranks. Beyond, it is normal,
// with corrections for ties and continuity.
func RankSum(x, y []float64) Test {
	x, y = Present(x), Present(y)
	n := len(x) + len(y)
	if len(x) == 0 || len(y) == 0 {
		return untestable(n)
	}
	ranks, ties := doubledRanks(slices.Concat(x, y))
	of := 0
	for _, r := range ranks[:len(x)] {
		of += r
	}
	nx, ny := float64(len(x)), float64(len(y))
	t := Test{Statistic: float64(of)/2 - nx*(nx+1)/2, N: n}
	if n > MaxExactRanks {
		m := float64(n)
		t.P = normalP(t.Statistic-nx*ny/2, float64(nx*ny)/12*(m+1-ties/(m*(m-1))))
		t.Least = min(1, 2*math.Exp(-combin.LogGeneralizedBinomial(m, nx)))
		return t
	}
	ways := splits(ranks, len(x))
	t.P = fromTails(tails(ways, of))
	low, high := 0, len(ways)-1
	for ways[low] == 0 {
		low++
	}
	for ways[high] == 0 {
		high--
	}
	least, _ := tails(ways, low)
	_, other := tails(ways, high)
	t.Least = min(1, 2*min(least, other))
	return t
}

// splits returns how many choices of k ranks have each sum.
func splits(ranks []int, k int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	ways := make([][]float64, k+1) // by how many are chosen, by their sum
	for j := range ways {
		ways[j] = make([]float64, total+1)
	}
	ways[0][0] = 1
	sum := 0
	for i, r := range ranks {
		sum += r
		for j := min(i+1, k); j > 0; j-- {
			for s := sum; s >= r; s-- {
				ways[j][s] += ways[j-1][s-r]
			}
		}
	}
	return ways[k]
}

// tails returns the shares of ways up to and from position at.
func tails(ways []float64, at int) (low, high float64) {
	low, high = sum(ways[:at+1]), sum(ways[at:])
	all := low + high - ways[at]
	return low / all, high / all
}

// doubledRanks returns twice the rank of each number, ascending from 1, equal
// ones sharing their mean rank, and the sum of t^3 - t over groups of t equal
// ones.
func doubledRanks(x []float64) (ranks []int, ties float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	ranks = make([]int, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			ranks[k] = i + 1 + j // i+1 to j: the mean is (i+1+j)/2
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

// normalP returns the two-sided P of a rank statistic's distance from its mean,
// moved one half towards it for continuity.
func normalP(off, variance float64) float64 {
	if variance <= 0 {
		return 1
	}
	z := max(math.Abs(off)-.5, 0) / math.Sqrt(variance)
	return 2 * distuv.UnitNormal.CDF(-z)
}
