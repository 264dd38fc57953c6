package live

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"overnight/jobs"
	"overnight/results/figure"
)

// Bounds of the picture of factors.
const (
	maxGridPoints = 200_000 // points to resolve, about a microsecond each
	maxPanels     = 24
	maxLevels     = 60 // of a factor in the picture
	rangeBins     = 8  // of a factor with a range
)

// grid says which point belongs into which cell of which heat map: the first two
// factors that vary along an arm's points, or where there is one, the arms beside
// it.
type grid struct {
	panels []panel
	others bool    // factors beside those of a panel vary too
	cell   []int32 // by point, index of the panels' cells one after another; -1: none
	cells  int
}

type panel struct {
	name   string
	x, y   figure.Axis
	offset int // of its cells
}

// newGrid lays the heat maps out; nil where there is nothing to lay out.
func newGrid(s *jobs.Study) (*grid, error) {
	if s.Points() > maxGridPoints || len(s.Factors) == 0 {
		return nil, nil
	}
	t, err := readTable(s)
	if err != nil {
		return nil, err
	}
	g := &grid{cell: slices.Repeat([]int32{-1}, int(s.Points()))}
	type key struct{ task, factor int }
	singles := map[key][]int{} // lines with one factor
	var order []key
	for i := range t.lines {
		l := &t.lines[i]
		switch vary := t.vary(l); {
		case len(vary) >= 2:
			g.others = g.others || len(vary) > 2
			g.pair(s, t, l, vary[0], vary[1])
		case len(vary) == 1:
			k := key{l.task, vary[0]}
			if singles[k] == nil {
				order = append(order, k)
			}
			singles[k] = append(singles[k], i)
		}
	}
	for _, k := range order {
		g.beside(s, t, singles[k], k.factor)
	}
	if len(g.panels) == 0 {
		return nil, nil
	}
	return g, nil
}

// title names the panel of an arm.
func title(s *jobs.Study, task int, arm string) string {
	switch {
	case len(s.Tasks) == 1:
		return arm
	case arm == "":
		return s.Tasks[task].Label
	}
	return s.Tasks[task].Label + ": " + arm
}

// pair adds the panel of two factors of a line.
func (g *grid) pair(s *jobs.Study, t *table, l *lineTable, x, y int) {
	if len(g.panels) == maxPanels {
		return
	}
	xs, xAt := t.axis(s, x, l.points)
	ys, yAt := t.axis(s, y, l.points)
	if len(xs.Categories) > maxLevels || len(ys.Categories) > maxLevels {
		return
	}
	for k, p := range l.points {
		g.cell[p] = int32(g.cells + yAt[k]*len(xs.Categories) + xAt[k])
	}
	g.add(panel{name: title(s, l.task, s.Arms[l.arm].Label), x: xs, y: ys})
}

// beside adds the panel of one factor with a row for each arm.
func (g *grid) beside(s *jobs.Study, t *table, lines []int, factor int) {
	if len(g.panels) == maxPanels || len(lines) > maxLevels {
		return
	}
	var points []int
	arms := figure.Axis{Label: "arm"}
	for _, i := range lines {
		points = append(points, t.lines[i].points...)
		arms.Categories = append(arms.Categories, s.Arms[t.lines[i].arm].Label)
	}
	xs, at := t.axis(s, factor, points)
	if len(xs.Categories) > maxLevels {
		return
	}
	k := 0
	for row, i := range lines {
		for _, p := range t.lines[i].points {
			g.cell[p] = int32(g.cells + row*len(xs.Categories) + at[k])
			k++
		}
	}
	task := t.lines[lines[0]].task
	name := factorName(s, factor)
	if len(s.Tasks) > 1 {
		name = title(s, task, "") + ": " + name
	}
	g.add(panel{name: name, x: xs, y: arms})
}

func (g *grid) add(p panel) {
	p.offset = g.cells
	g.cells += len(p.x.Categories) * len(p.y.Categories)
	g.panels = append(g.panels, p)
}

// table is the level of each factor at each point.
type table struct {
	factors int
	level   []int32   // by point, then factor: index of Levels; -1: does not apply
	value   []float64 // the same, of ranges
	lines   []lineTable
}

type lineTable struct {
	task, arm int
	learns    bool
	points    []int
}

func readTable(s *jobs.Study) (*table, error) {
	t := &table{factors: len(s.Factors)}
	t.level = slices.Repeat([]int32{-1}, int(s.Points())*t.factors)
	t.value = slices.Repeat([]float64{math.NaN()}, len(t.level))
	at := map[[2]int]int{}
	var pt jobs.Point
	for p := range int(s.Points()) {
		if err := s.Resolve(uint64(p), &pt); err != nil {
			return nil, fmt.Errorf("point %d of study %q: %w", p, s.Name, err)
		}
		for _, l := range pt.Levels {
			k := p*t.factors + l.Factor
			t.level[k] = int32(max(l.Level, 0))
			switch v := l.Value.(type) {
			case int64:
				t.value[k] = float64(v)
			case float64:
				t.value[k] = v
			}
		}
		k := [2]int{pt.Task, pt.Arm}
		i, known := at[k]
		if !known {
			i = len(t.lines)
			at[k] = i
			t.lines = append(t.lines, lineTable{task: pt.Task, arm: pt.Arm, learns: s.Evaluate.Online || pt.Train != (jobs.Budget{})})
		}
		t.lines[i].points = append(t.lines[i].points, p)
	}
	// What learns is looked at first.
	slices.SortStableFunc(t.lines, func(a, b lineTable) int {
		switch {
		case a.learns == b.learns:
			return 0
		case a.learns:
			return -1
		}
		return 1
	})
	return t, nil
}

// vary returns the factors with more than one value along a line.
func (t *table) vary(l *lineTable) []int {
	var list []int
	for f := range t.factors {
		first := l.points[0]*t.factors + f
		for _, p := range l.points {
			k := p*t.factors + f
			same := t.level[k] == t.level[first] && math.Float64bits(t.value[k]) == math.Float64bits(t.value[first])
			if !same {
				list = append(list, f)
				break
			}
		}
	}
	return list
}

// axis returns a factor's levels, or of a range the bins that hold equally many
// of the points, and for each point which of them it has.
func (t *table) axis(s *jobs.Study, factor int, points []int) (figure.Axis, []int) {
	f := &s.Factors[factor]
	a := figure.Axis{Label: factorName(s, factor)}
	at := make([]int, len(points))
	if f.Kind == jobs.Grid || f.Kind == jobs.Choice {
		for _, l := range f.Levels {
			a.Categories = append(a.Categories, l.Name)
		}
		for k, p := range points {
			at[k] = int(max(t.level[p*t.factors+factor], 0))
		}
		return a, at
	}
	values := make([]float64, len(points))
	for k, p := range points {
		values[k] = t.value[p*t.factors+factor]
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(values)))
	bins := min(rangeBins, len(sorted))
	upper := make([]float64, bins)
	for b := range upper {
		low := sorted[b*len(sorted)/bins]
		upper[b] = sorted[(b+1)*len(sorted)/bins-1]
		name := short(low)
		if upper[b] > low {
			name += " to " + short(upper[b])
		}
		a.Categories = append(a.Categories, name)
	}
	for k, v := range values {
		at[k], _ = slices.BinarySearch(upper, v)
	}
	return a, at
}

// factorName is a factor's column without what says nothing: "delay" of
// "env.delay".
func factorName(s *jobs.Study, factor int) string {
	return strings.TrimPrefix(s.Factors[factor].Name, "env.")
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
