package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results/stats"
)

// levels are those of a factor on a task: of a range, bins of its values.
type levels struct {
	factor int
	name   string // of the factor, short
	ranged bool
	// numeric tells whether levels have their place on an axis, log whether that
	// axis is logarithmic.
	numeric, log bool
	names        []string
	values       []float64 // the place of each level; of a bin, the mean of its points
	of           []int32   // by point of the study: its level, -1 where the factor does not apply
	exact        []float64 // by point: the factor's value, NaN of what is no number
}

// levels returns the levels that a factor has at the points of a task; nil where
// it has fewer than two.
func (s *study) levels(task, factor int) *levels {
	f := &s.m.Study.Factors[factor]
	l := &levels{factor: factor, name: s.short[factor], log: f.Kind == jobs.LogUniform}
	var points, numbers []int
	most := 0
	for _, i := range s.ofTasks[task] {
		most = max(most, slices.Max(s.lines[i].Points)+1)
	}
	l.of, l.exact = slices.Repeat([]int32{-1}, most), slices.Repeat([]float64{math.NaN()}, most)
	for _, i := range s.ofTasks[task] {
		for _, p := range s.lines[i].Points {
			if at := s.m.Level(p, factor); at.Number >= 0 {
				points, numbers = append(points, p), append(numbers, at.Number)
				l.ranged = l.ranged || at.Range
				l.exact[p] = at.Value
			}
		}
	}
	if l.ranged {
		l.bin(points)
	} else {
		s.number(l, points, numbers)
	}
	if len(l.names) < 2 {
		return nil
	}
	return l
}

// number gives the levels of a factor that has names their numbers, in the
// file's order, without those that no point has.
func (s *study) number(l *levels, points, numbers []int) {
	used := map[int]bool{}
	for _, n := range numbers {
		used[n] = true
	}
	at := map[int]int32{}
	l.numeric = len(used) > 2
	for i, level := range s.m.Study.Factors[l.factor].Levels {
		if !used[i] {
			continue
		}
		at[i] = int32(len(l.names))
		l.names = append(l.names, level.Name)
		switch v := level.Value.(type) {
		case int64:
			l.values = append(l.values, float64(v))
		case float64:
			l.values = append(l.values, v)
		default:
			l.values, l.numeric = append(l.values, math.NaN()), false
		}
	}
	for i, p := range points {
		l.of[p] = at[numbers[i]]
	}
	if sorted := slices.Sorted(slices.Values(l.values)); l.numeric {
		l.numeric = len(slices.Compact(sorted)) == len(l.values)
		l.log = sorted[0] > 0 && sorted[len(sorted)-1] >= 30*sorted[0]
	}
}

// bin groups the values of a range.
func (l *levels) bin(points []int) {
	points = slices.DeleteFunc(points, func(p int) bool { return math.IsNaN(l.exact[p]) })
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = l.exact[p]
	}
	if len(values) == 0 {
		return
	}
	l.numeric = true
	number := stats.Bins(values)
	var low, high, sum, n []float64
	at := map[int]int{}
	order := slices.Compact(slices.Sorted(slices.Values(number)))
	for i, b := range order {
		at[b] = i
		low, high, sum, n = append(low, math.Inf(1)), append(high, math.Inf(-1)), append(sum, 0), append(n, 0)
	}
	for i, p := range points {
		b := at[number[i]]
		l.of[p] = int32(b)
		low[b], high[b] = min(low[b], values[i]), max(high[b], values[i])
		sum[b] += l.place(values[i])
		n[b]++
	}
	for b := range low {
		l.values = append(l.values, min(max(l.unplace(sum[b]/n[b]), low[b]), high[b]))
		l.names = append(l.names, span(low[b], high[b]))
	}
}

// span names a bin.
func span(low, high float64) string {
	if low == high {
		return fmt.Sprintf("%.3g", low)
	}
	return fmt.Sprintf("%.3g to %.3g", low, high)
}

// place returns where a value stands on the factor's axis, unplace the value.
func (l *levels) place(v float64) float64 {
	if l.log {
		return math.Log(v)
	}
	return v
}

func (l *levels) unplace(v float64) float64 {
	if l.log {
		return math.Exp(v)
	}
	return v
}

// within returns the positions of a line's points by level; nil where the factor
// does not apply to the line.
func (l *levels) within(a *armLine) [][]int {
	at := make([][]int, len(l.names))
	some := false
	for i, p := range a.Points {
		if n := l.of[p]; n >= 0 {
			at[n] = append(at[n], i)
			some = true
		}
	}
	if !some {
		return nil
	}
	return at
}

// factors returns the levels of the factors that vary on a task, in the order of
// the study, or by how much of the variance they explain.
func (s *study) factors(task int, ranked bool) []*levels {
	var all []*levels
	for f := range s.m.Study.Factors {
		if l := s.levels(task, f); l != nil {
			all = append(all, l)
		}
	}
	if ranked && len(all) > 1 {
		share := s.shares(task)
		slices.SortStableFunc(all, func(a, b *levels) int { return -cmp.Compare(share[a.factor], share[b.factor]) })
	}
	return all
}

// shares returns the largest share of an arm's variance that each factor
// explains on a task.
func (s *study) shares(task int) map[int]float64 {
	share := map[int]float64{}
	for _, r := range s.m.WhatMatters().Rows() {
		if r.Task != s.taskName(task) {
			continue
		}
		if f := slices.Index(s.m.Study.Columns(), r.Factor); f >= 0 && float64(r.Share) > share[f] {
			share[f] = float64(r.Share)
		}
	}
	return share
}
