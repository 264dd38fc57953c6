package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
	"overnight/results/stats"
)

// Bounds of the sample of learning curves.
const (
	maxCurves      = 120 // trials of which curves are kept
	maxCurvesOfArm = 30
	maxCurveLines  = 24 // arms on tasks with curves
	maxCurveNames  = 8
)

// curves are those of the latest trials of each line: what is read again when
// newer ones come.
type curves struct {
	each   int              // trials kept of a line; 0: the study records no curves
	latest [][]uint64       // by line: trial numbers, ascending
	kept   []map[uint64]run // by line and trial
}

// run is the curves of a trial.
type run map[string]results.Curve

func newCurves(s *jobs.Study, lines int) curves {
	if s.Record.CurvePoints == 0 || lines == 0 || lines > maxCurveLines {
		return curves{}
	}
	c := curves{each: max(3, min(maxCurvesOfArm, maxCurves/lines))}
	c.latest = make([][]uint64, lines)
	c.kept = make([]map[uint64]run, lines)
	for i := range c.kept {
		c.kept[i] = map[uint64]run{}
	}
	return c
}

// note remembers a trial that is done if it is among the latest of its line.
func (c *curves) note(line int, trial uint64) {
	if c.each == 0 {
		return
	}
	l := c.latest[line]
	i, _ := slices.BinarySearch(l, trial)
	if len(l) < c.each {
		c.latest[line] = slices.Insert(l, i, trial)
		return
	}
	if i == 0 {
		return
	}
	copy(l, l[1:i])
	l[i-1] = trial
}

// readCurves reads the curves of trials that came into the sample, for about as
// long as budget, and tells whether there are more.
func (v *View) readCurves(ctx context.Context, budget time.Duration) (more bool, err error) {
	began := time.Now()
	for i := range v.curves.latest {
		kept := v.curves.kept[i]
		for t := range kept {
			if _, still := slices.BinarySearch(v.curves.latest[i], t); !still {
				delete(kept, t)
			}
		}
		for _, t := range slices.Backward(v.curves.latest[i]) {
			if kept[t] != nil {
				continue
			}
			if time.Since(began) > budget {
				return true, nil
			}
			kept[t] = run{} // also where it can't be read
			for r, err := range v.store.Scan(ctx, v.name, t, t+1) {
				if errors.Is(err, results.ErrDamaged) {
					continue
				}
				if err != nil {
					return false, err
				}
				for _, c := range r.Curves {
					kept[t][c.Name] = c
				}
			}
		}
	}
	return false, nil
}

// learning draws the curves of the sample: the mean of each arm's latest runs
// with the band that holds the middle half of them. nil without curves.
func (v *View) learning() *figure.Figure {
	f := figure.Figure{
		ID: "live-curves", Title: "Learning curves of the latest runs",
		Note: "A sample: of each arm the latest runs that have ended, whatever point they are of. The report draws all runs.",
	}
	most := 0
	for task := range v.study.Tasks {
		for _, name := range v.curveNames(task) {
			p := figure.Panel{Name: name, Kind: figure.Lines, X: figure.Axis{Label: "training, in " + v.trainUnit()}, Y: figure.Axis{Label: words(name)}}
			if len(v.study.Tasks) > 1 {
				p.Name = v.study.Tasks[task].Label + ": " + name
			}
			for i := range v.lines {
				if v.lines[i].task != task {
					continue
				}
				s, n := v.series(i, name)
				if n == 0 {
					continue
				}
				most = max(most, n)
				p.Series = append(p.Series, s)
			}
			if len(p.Series) > 0 && len(f.Panels) < maxPanels {
				f.Panels = append(f.Panels, p)
			}
		}
	}
	if len(f.Panels) == 0 {
		return nil
	}
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	f.Caption = fmt.Sprintf("Mean of at most %d runs an arm, the latest; the band holds the middle half of them.", most)
	return &f
}

func (v *View) trainUnit() string {
	switch {
	case v.study.Evaluate.Online, v.study.Train.Steps > 0:
		return "steps"
	case v.study.Train.Updates > 0:
		return "updates"
	}
	return "episodes"
}

// curveNames are those of a task's runs: the objective's first, then returns, then
// the others by name.
func (v *View) curveNames(task int) []string {
	var names []string
	for i := range v.curves.kept {
		if v.lines[i].task != task {
			continue
		}
		for _, r := range v.curves.kept[i] {
			for name := range r {
				if k, known := slices.BinarySearch(names, name); !known {
					names = slices.Insert(names, k, name)
				}
			}
		}
	}
	for _, first := range []string{"train_return", "return", v.study.Objective.Metric} {
		if i := slices.Index(names, first); i > 0 {
			names = slices.Insert(slices.Delete(names, i, i+1), 0, first)
		}
	}
	return names[:min(len(names), maxCurveNames)]
}

// series returns a line's mean curve over the runs that have the X of the latest
// one, and how many these are.
func (v *View) series(i int, name string) (figure.Series, int) {
	var x []float64
	var ys [][]float64
	for _, t := range slices.Backward(v.curves.latest[i]) {
		c, ok := v.curves.kept[i][t][name]
		switch {
		case !ok || len(c.X) == 0:
			continue
		case x == nil:
			x = c.X
		case !slices.Equal(x, c.X):
			continue
		}
		ys = append(ys, c.Y)
	}
	s := figure.Series{Name: v.study.Arms[v.lines[i].arm].Label, Color: v.lines[i].arm, X: figure.Nums(x)}
	column := make([]float64, 0, len(ys))
	for k := range x {
		column = column[:0]
		for _, y := range ys {
			if y[k] == y[k] {
				column = append(column, y[k])
			}
		}
		s.Y = append(s.Y, figure.Num(stats.Mean(column)))
		s.Low = append(s.Low, figure.Num(stats.Quantile(column, 0.25)))
		s.High = append(s.High, figure.Num(stats.Quantile(column, 0.75)))
	}
	return s, len(ys)
}
