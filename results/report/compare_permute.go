package report

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// test tests whether the arms are alike: the objective's summary of x less that
// of y, both by point and replication.
func (c *Comparison) test(x, y stats.Scores, paired bool, family int, address []uint64) stats.Test {
	key := c.m.Key("results/compare/test", address...)
	switch {
	case c.o.Test == ByT:
		return tOf(x, y)
	case paired && c.summary == stats.ByMean:
		return signFlip(stats.Differences(x, y), key)
	case !paired && c.summary == stats.ByMean && len(x) == 1 && family <= manyDecisions:
		return stats.Split(x[0], y[0], key)
	}
	e := newExchange(x, y, c.summary, paired)
	// So many draws that the smallest P tells the arms apart after Holm, within
	// some seconds for the table.
	need, work := 40*family, family*max(len(e.runs), 1)
	draws := min(max(stats.PermutationDraws, need), max(exchangeBudget/work, 999))
	if draws < need && need*work <= exchangeMost {
		draws = need
	}
	return e.test(draws, key)
}

const (
	// exchangeBudget is how many runs the drawn outcomes of a table go over, and
	// exchangeMost where fewer could not tell any arms apart.
	exchangeBudget = 150_000_000
	exchangeMost   = 2_000_000_000
	// manyDecisions is up to how many PermutationDraws draws can tell arms apart.
	manyDecisions = stats.PermutationDraws / 40
)

// tOf is the t test of the interval that stats.Difference gives of means.
func tOf(x, y stats.Scores) stats.Test {
	e := stats.Difference(x, y, stats.ByMean, stats.Options{Method: stats.Student})
	n := max(unitsOf(x), unitsOf(y))
	t := stats.Test{Statistic: math.NaN(), P: math.NaN(), N: n, Least: 1}
	if !e.Known() {
		return t
	}
	free := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}
	t.Statistic, t.Least = e.Value/(e.Half()/free.Quantile(.975)), 0
	switch {
	case e.Value == 0:
		t.P = 1
	default: // without any spread the statistic is infinite
		t.P = 2 * free.CDF(-math.Abs(t.Statistic))
	}
	return t
}

// exchange is a permutation test of any statistic. Under the hypothesis that the
// arms are alike, who made a run is exchangeable: within a replication, all
// points together, where the sides share its noise; else among the runs of a
// point. All runs are sorted once, so that an outcome is one pass over them.
type exchange struct {
	s      stats.Statistic
	paired bool
	runs   []played
	units  []int32   // paired: the replications
	reps   int       // paired: numbers in use
	groups [][]int32 // unpaired: of each point, its runs' positions in runs
	first  []int     // unpaired: of each point, the runs of x
	weight [][2]float64
	total  float64 // of each side's weights: the points
	part   float64 // a quarter of the smallest weight: a median between two runs is of both
	least  float64 // the smallest share of outcomes of a tail
}

// played is a run of one side.
type played struct {
	x     float64
	point int32
	rep   int32
	side  uint8 // 0 for x, 1 for y
}

func newExchange(x, y stats.Scores, s stats.Statistic, paired bool) *exchange {
	e := &exchange{s: s, paired: paired, weight: make([][2]float64, len(x)), part: math.Inf(1)}
	seen := map[int32]bool{}
	ways := 0.0 // the logarithm of the number of outcomes
	for p := range x {
		nx, ny := len(stats.Present(x[p])), len(stats.Present(y[p]))
		if nx == 0 || ny == 0 {
			continue
		}
		e.total++
		e.weight[p] = [2]float64{1 / float64(nx), 1 / float64(ny)}
		e.part = min(e.part, e.weight[p][0]/4, e.weight[p][1]/4)
		for side, runs := range [][]float64{x[p], y[p]} {
			for r, v := range runs {
				if !math.IsNaN(v) {
					e.runs = append(e.runs, played{v, int32(p), int32(r), uint8(side)})
					seen[int32(r)] = true
				}
			}
		}
		ways += combin.LogGeneralizedBinomial(float64(nx+ny), float64(nx))
	}
	slices.SortFunc(e.runs, func(a, b played) int {
		return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.side, b.side), cmp.Compare(a.point, b.point), cmp.Compare(a.rep, b.rep))
	})
	for r := range seen {
		e.units = append(e.units, r)
		e.reps = max(e.reps, int(r)+1)
	}
	slices.Sort(e.units)
	if paired {
		e.least = math.Ldexp(1, -len(e.units))
		return e
	}
	e.least = math.Exp(-ways)
	at := map[int32]int{}
	for i, run := range e.runs {
		k, ok := at[run.point]
		if !ok {
			k = len(e.groups)
			at[run.point] = k
			e.groups, e.first = append(e.groups, nil), append(e.first, 0)
		}
		e.groups[k] = append(e.groups[k], int32(i))
		if run.side == 0 {
			e.first[k]++
		}
	}
	return e
}

// test counts all outcomes where there are at most `draws` of them and the sides
// are paired; else it draws so many. P is twice
// the smaller tail, the outcome seen counted in (Phipson and Smyth 2010).
func (e *exchange) test(draws int, key rng.Key) stats.Test {
	t := stats.Test{Statistic: math.NaN(), P: math.NaN(), N: len(e.units), Least: 1}
	if len(e.runs) == 0 {
		return t
	}
	sides := make([]uint8, len(e.runs))
	for i, run := range e.runs {
		sides[i] = run.side
	}
	seen := e.difference(sides)
	t.Statistic = seen
	slack := 1e-12 * (math.Abs(e.runs[0].x) + math.Abs(e.runs[len(e.runs)-1].x))
	low, high, all := 0, 0, 0
	count := func() {
		d := e.difference(sides)
		all++
		if d <= seen+slack {
			low++
		}
		if d >= seen-slack {
			high++
		}
	}
	if e.paired && len(e.units) < 30 && 1<<len(e.units) <= draws+1 {
		for pattern := range 1 << len(e.units) {
			e.flip(sides, func(u int) uint8 { return uint8(pattern >> u & 1) })
			count()
		}
	} else {
		count() // the outcome seen
		for b := range draws {
			stream := rng.New(key.At(uint64(b)))
			if e.paired {
				var bits uint64
				e.flip(sides, func(u int) uint8 {
					if u%64 == 0 {
						bits = stream.Uint64()
					}
					bit := uint8(bits & 1)
					bits >>= 1
					return bit
				})
			} else {
				e.deal(sides, &stream)
			}
			count()
		}
	}
	t.P = min(1, 2*float64(min(low, high))/float64(all))
	t.Least = min(1, 2*max(e.least, 1/float64(all)))
	return t
}

// flip exchanges the sides in the replications for which bit is 1; bit is called
// once a replication, in order.
func (e *exchange) flip(sides []uint8, bit func(unit int) uint8) {
	flips := make([]uint8, e.reps)
	for u, r := range e.units {
		flips[r] = bit(u)
	}
	for i, run := range e.runs {
		sides[i] = run.side ^ flips[run.rep]
	}
}

// deal draws which runs of each point are those of x.
func (e *exchange) deal(sides []uint8, stream *rng.Stream) {
	for k, group := range e.groups {
		for _, i := range group {
			sides[i] = 1
		}
		left := e.first[k]
		for at, i := range group { // selection sampling (Knuth, volume 2, algorithm S)
			if left > 0 && stream.IntN(len(group)-at) < left {
				sides[i] = 0
				left--
			}
		}
	}
}

// difference returns the statistic of side 0 less that of side 1. Points weigh
// alike, as in stats.Scores.
func (e *exchange) difference(sides []uint8) float64 {
	low, high := 0.0, e.total
	switch e.s {
	case stats.ByIQM:
		low, high = e.total/4, e.total-e.total/4
	case stats.ByMedian:
		low, high = e.total/2-e.part, e.total/2+e.part
	}
	var at, sum, weight [2]float64
	base := e.runs[0].x
	for i := range e.runs {
		run, s := &e.runs[i], sides[i]
		w := e.weight[run.point][s]
		inside := min(at[s]+w, high) - max(at[s], low)
		at[s] += w
		if inside > 0 {
			sum[s] += float64(inside * (run.x - base))
			weight[s] += inside
		}
	}
	return sum[0]/weight[0] - sum[1]/weight[1]
}
