package live

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"overnight/results/figure"
	"overnight/results/stats"
)

// level is the confidence of the intervals.
const level = 0.95

// Figures draws what was read: the campaign in numbers where runs count
// conversions, intervals per arm, learning curves of the latest runs, and a heat
// map of the factors. budget bounds the time for reading curves; more tells that it
// was not enough.
func (v *View) Figures(ctx context.Context, budget time.Duration) (all []figure.Figure, more bool, err error) {
	if more, err = v.readCurves(ctx, budget); err != nil {
		return nil, false, err
	}
	all = []figure.Figure{}
	for _, f := range []*figure.Figure{v.tiles(), v.intervals(), v.learning(), v.heatmap()} {
		if f != nil {
			all = append(all, *f)
		}
	}
	return all, more, nil
}

// objectiveLabel names the objective.
func (v *View) objectiveLabel() string { return words(v.study.Objective.Metric) }

func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// units returns independent observations of a line's mean, in trial order: the
// mean over the line's points of each replication that is complete, since points
// of a replication share its noise; or where there is one replication and each
// point has noise of its own, the points' scores up to the first without a record.
func (v *View) units(i int) (x []float64, what string) {
	l := &v.lines[i]
	if v.study.Replications == 1 && v.ownNoise() {
		for _, p := range l.points {
			if v.cells[p].records == 0 {
				break
			}
			if s := v.scores[p]; s == s {
				x = append(x, s)
			}
		}
		return x, "points"
	}
	return stats.Present(v.perReplication(v.scores, i)), "replications"
}

// perReplication returns the mean over a line's points for each of its complete
// replications, NaN for one without a value. scores are laid out as v.scores.
func (v *View) perReplication(scores []float64, i int) []float64 {
	l := &v.lines[i]
	means := make([]float64, l.ready)
	for r := range means {
		sum, n := 0.0, 0
		for _, p := range l.points {
			if s := scores[r*len(v.cells)+int(p)]; s == s {
				sum += s
				n++
			}
		}
		means[r] = sum / float64(n) // 0/0 is NaN
	}
	return means
}

// ownNoise tells whether the points of a line are a random sample whose members
// share no noise.
func (v *View) ownNoise() bool {
	switch v.study.Design.Kind {
	case "random", "lhs", "sobol", "halton":
		return v.study.Paired != "all"
	}
	return false
}

// mean returns the mean over a line's points of their means so far, and how many
// runs it is over.
func (v *View) mean(i int) (mean float64, n uint64) {
	sum, points := 0.0, 0
	for _, p := range v.lines[i].points {
		if c := &v.cells[p]; c.n > 0 {
			sum += c.mean
			points++
			n += c.n
		}
	}
	return sum / float64(points), n
}

// intervals draws a dot with an interval for each arm; nil before the first
// score.
func (v *View) intervals() *figure.Figure {
	f := figure.Figure{
		ID: "live-intervals", Title: "Arms so far",
		Caption: "Mean of the objective per arm, with 95 % confidence sequences: valid at any time of looking, so you may look as often as you like and stop when you like. They are wider than the intervals of the finished study.",
	}
	known := false
	var empty []string // arms of which runs have ended, none with a score
	for task := range v.study.Tasks {
		p := figure.Panel{
			Kind: figure.Intervals, X: figure.Axis{Label: "arm"}, Y: figure.Axis{Label: v.objectiveLabel()}, Better: v.better(),
		}
		if len(v.study.Tasks) > 1 {
			p.Name = v.study.Tasks[task].Label
		}
		for i := range v.lines {
			if v.lines[i].task != task {
				continue
			}
			s := figure.Series{Name: v.study.Arms[v.lines[i].arm].Label, Color: v.lines[i].arm}
			e, text := v.estimate(i)
			if text == "" {
				if n := v.ended(i); n > 0 {
					empty = append(empty, fmt.Sprintf("%s (%d)", strings.TrimPrefix(p.Name+": "+s.Name, ": "), n))
				}
				continue
			}
			known = known || e.Known()
			// Each arm is a series with its own colour: null at the other arms.
			at := len(p.X.Categories)
			s.Y, s.Low, s.High = append(nulls(at), figure.Num(e.Value)), append(nulls(at), figure.Num(e.Low)), append(nulls(at), figure.Num(e.High))
			s.Text = append(make([]string, at), text)
			p.X.Categories = append(p.X.Categories, s.Name)
			p.Series = append(p.Series, s)
		}
		for i := range p.Series {
			s := &p.Series[i]
			left := len(p.X.Categories) - len(s.Y)
			s.Y, s.Low, s.High = append(s.Y, nulls(left)...), append(s.Low, nulls(left)...), append(s.High, nulls(left)...)
			s.Text = append(s.Text, make([]string, left)...)
		}
		if len(p.Series) > 0 && len(f.Panels) < maxPanels {
			f.Panels = append(f.Panels, p)
		}
	}
	if len(f.Panels) == 0 {
		return nil
	}
	if !known {
		f.Note = "Intervals appear once some replications are complete."
	}
	if len(empty) > 0 {
		f.Note = strings.TrimSpace(f.Note + " Not drawn, since none of their runs that have ended has a score: " + strings.Join(empty, ", ") + ".")
	}
	return &f
}

// ended returns how many runs of a line have a record.
func (v *View) ended(i int) (n uint64) {
	for _, p := range v.lines[i].points {
		n += v.cells[p].records
	}
	return n
}

// estimate returns a line's mean so far with its confidence sequence, and words
// that say over what; no words before the first score.
func (v *View) estimate(i int) (e stats.Estimated, text string) {
	mean, n := v.mean(i)
	if n == 0 {
		return e, ""
	}
	x, what := v.units(i)
	e = stats.Estimated{Value: mean, Interval: stats.Live(x, level)}
	if !e.Known() {
		return e, fmt.Sprintf("%d runs; no interval yet: %d complete %s", n, len(x), what)
	}
	// The interval is about the mean over complete replications; the dot stands
	// there too, or it could lie outside.
	e.Value = stats.Mean(x)
	return e, fmt.Sprintf("%d runs; mean and interval over %d complete %s", n, len(x), what)
}

func nulls(n int) []figure.Num { return slices.Repeat([]figure.Num{figure.Num(math.NaN())}, n) }

// better says which end of the objective is good, as panels want it.
func (v *View) better() string {
	if v.study.Objective.Minimize {
		return "low"
	}
	return "high"
}

// heatmap draws the mean of each combination of two factors; nil where there are
// none.
func (v *View) heatmap() *figure.Figure {
	if v.grid == nil {
		return nil
	}
	sum, points, runs := make([]float64, v.grid.cells), make([]int, v.grid.cells), make([]uint64, v.grid.cells)
	filled := 0
	for p, at := range v.grid.cell {
		if c := &v.cells[p]; at >= 0 && c.n > 0 {
			if points[at] == 0 {
				filled++
			}
			sum[at] += c.mean
			points[at]++
			runs[at] += c.n
		}
	}
	if filled == 0 {
		return nil
	}
	f := figure.Figure{
		ID: "live-map", Title: "Factors so far",
		Caption: fmt.Sprintf("Mean of the objective over the runs so far: %d of %d cells have one.", filled, v.grid.cells),
	}
	if v.grid.others {
		f.Note = "The first two factors of the study file; cells are means over the others."
	}
	for _, g := range v.grid.panels {
		p := figure.Panel{
			Name: g.name, Kind: figure.Heatmap, X: g.x, Y: g.y, GridLabel: v.objectiveLabel(), Better: v.better(),
		}
		if len(v.grid.panels) == 1 {
			p.Name = ""
		}
		for y := range g.y.Categories {
			row := make([]figure.Num, len(g.x.Categories))
			text := make([]string, len(row))
			for x := range row {
				at := g.offset + y*len(row) + x
				row[x] = figure.Num(math.NaN())
				if points[at] > 0 {
					row[x] = figure.Num(sum[at] / float64(points[at]))
				}
				text[x] = fmt.Sprintf("%d runs", runs[at])
			}
			p.Grid, p.GridText = append(p.Grid, row), append(p.GridText, text)
		}
		f.Panels = append(f.Panels, p)
	}
	return &f
}
