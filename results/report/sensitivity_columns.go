package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/jobs"
)

// few tells whether a range has so few values at the points that they are levels:
// those of a Morris grid, of a composite, or of a list.
func (m *Model) few(factor int, points []int) bool {
	seen := map[int32]bool{}
	for _, p := range points {
		seen[m.scales.at(p)[factor]] = true
	}
	return len(seen) <= 8 && len(seen)*4 <= len(points)
}

// rows numbers the rows of the design that the points stand in.
func (x *analysis) rows() []int {
	number := map[uint64]int{}
	at := make([]int, len(x.points))
	for i, p := range x.points {
		row := x.m.scales.row[p]
		n, ok := number[row]
		if !ok {
			n = len(number)
			number[row] = n
		}
		at[i] = n
	}
	if len(number) < 8 && len(number) < len(x.points) {
		return nil // too few to resample: points then
	}
	return at
}

// numbers returns the level of a factor at each point, without gaps, in the order
// of the file or of a range's values, and the levels' names.
func (x *analysis) numbers(factor int) (at []int, names []string) {
	s := &x.m.scales.factors[factor]
	var there []int32
	for _, p := range x.points {
		there = append(there, x.m.scales.at(p)[factor])
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(there)))
	if s.continuous() {
		slices.SortStableFunc(distinct, func(a, b int32) int { return cmp.Compare(s.values[a], s.values[b]) })
	}
	number := map[int32]int{}
	for n, l := range distinct {
		number[l] = n
		name := s.names[l]
		if s.continuous() {
			name = formatFor(s.values[l], math.NaN()).text(s.values[l])
		}
		names = append(names, name)
	}
	at = make([]int, len(there))
	for i, l := range there {
		at[i] = number[l]
	}
	return at, names
}

// values returns a factor's values for ranking: numbers, or the order of two
// levels; nil of more levels that are not numbers.
func (x *analysis) values(factor int) []float64 {
	v := make([]float64, len(x.points))
	numbers := true
	for i, p := range x.points {
		v[i] = x.m.Level(p, factor).Value
		numbers = numbers && !math.IsNaN(v[i])
	}
	if numbers {
		return v
	}
	at, names := x.numbers(factor)
	if len(names) > 2 {
		return nil
	}
	for i := range v {
		v[i] = float64(at[i])
	}
	return v
}

// unit returns where in its range a factor's values lie, from 0 to 1.
func (x *analysis) unit(factor int) []float64 {
	f := &x.m.Study.Factors[factor]
	law := distuv.Normal{Mu: f.Low, Sigma: f.High}
	u := make([]float64, len(x.points))
	for i, p := range x.points {
		v := x.m.Level(p, factor).Value
		switch f.Kind {
		case jobs.LogUniform:
			u[i] = math.Log(v/f.Low) / math.Log(f.High/f.Low)
		case jobs.Normal:
			u[i] = law.CDF(v)
		default:
			u[i] = (v - f.Low) / (f.High - f.Low)
		}
		u[i] = min(max(u[i], 0), 1)
	}
	return u
}

// shownNumber is a number with four significant digits.
func shownNumber(v float64) string { return formatFor(v, math.NaN()).text(v) }

// count writes a number of things.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
