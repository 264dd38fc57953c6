package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/results/report"
	"overnight/results/stats"
)

// profileSteps is how many scores a profile is computed at.
const profileSteps = 101

// Profiles shows for each score the share of an arm's runs that are better, with
// bands (the performance profiles of Agarwal et al., NeurIPS 2021): a panel a task.
// The higher a curve, the better; where two cross, neither arm is better throughout.
func Profiles(m *report.Model) (Figure, bool) {
	f := Figure{ID: "profiles", Title: "How the runs of each arm spread"}
	s, ok := read(m)
	if !ok {
		return f, false
	}
	way := "above"
	if m.Study.Objective.Minimize {
		way = "below"
	}
	for task := range s.ofTasks {
		taus := s.taus(task)
		if taus == nil {
			continue
		}
		p := Panel{Name: s.taskName(task), Kind: Lines, X: Axis{Label: s.label()},
			Y: Axis{Label: "share of runs " + way, Low: 0, High: 1}}
		var medians []string
		for _, i := range s.ofTasks[task] {
			l := &s.lines[i]
			v := s.profile(l, taus)
			p.Series = append(p.Series, v)
			if l.Arm != oracle(m) && len(medians) < 8 {
				medians = append(medians, fmt.Sprintf("%s %s", l.arm, number(stats.ByMedian.Of(l.runs))))
			}
		}
		if len(medians) > 0 {
			f.Caption = sentences(f.Caption, sentence(s.on(task, "half of each arm's runs score "+way+": "+strings.Join(medians, ", ")+".")))
		}
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		return f, false
	}
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	f.Caption = sentences("The higher a curve, the better; where two cross, neither arm is better throughout.", f.Caption)
	f.Note = sentences("Every point counts alike. Bands are 95 % at each score by itself, resampling replications jointly; beyond an arm's own runs they say nothing and are left out.", s.incomplete())
	return f, true
}

// taus returns the scores at which a task's profiles are computed, ascending: a
// little more than the range of its runs. Nil where all runs are equal.
func (s *study) taus(task int) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, i := range s.ofTasks[task] {
		for _, runs := range s.lines[i].runs {
			for _, x := range runs {
				if !math.IsNaN(x) && !math.IsInf(x, 0) {
					low, high = min(low, x), max(high, x)
				}
			}
		}
	}
	if !(high > low) || math.IsInf(high-low, 0) {
		return nil
	}
	pad := (high - low) / (profileSteps - 3)
	taus := make([]float64, profileSteps)
	for i := range taus {
		taus[i] = low + pad*float64(i-1)
	}
	return taus
}

// profile returns an arm's curve: the share of runs above each score, or below it
// where less is better.
func (s *study) profile(l *armLine, taus []float64) Series {
	runs, at := l.runs, taus
	if l.rows {
		one := make([]float64, len(runs))
		for i := range runs {
			one[i] = runs[i][0]
		}
		runs = stats.Scores{one}
	}
	minimize := s.m.Study.Objective.Minimize
	if minimize {
		runs, at = negated(runs), make([]float64, len(taus))
		for i, t := range taus {
			at[len(taus)-1-i] = -t
		}
	}
	size := len(runs) * len(runs[0])
	o := s.m.Options("figure/profile", size, uint64(l.Arm), uint64(l.Task))
	o.Resamples = min(o.Resamples, max(10_000_000/size, 200))
	p := stats.ProfileOf(runs, at, o)
	if minimize {
		for _, v := range [][]float64{p.Share, p.Low, p.High} {
			slices.Reverse(v)
		}
	}
	v := series(s.m, l.Arm)
	v.X, v.Y, v.Low, v.High = Nums(taus), Nums(p.Share), Nums(p.Low), Nums(p.High)
	for i, share := range p.Share { // beyond all runs the bound is the same for any score
		if share == 0 || share == 1 {
			v.Low[i], v.High[i] = Num(math.NaN()), Num(math.NaN())
		}
	}
	return v
}

func negated(x stats.Scores) stats.Scores {
	out := make(stats.Scores, len(x))
	for i := range x {
		out[i] = make([]float64, len(x[i]))
		for r, v := range x[i] {
			out[i][r] = -v
		}
	}
	return out
}

// sentence begins with a capital letter where it begins with a word of ours: not
// with a task's label.
func sentence(text string) string {
	if strings.HasPrefix(text, "half ") {
		return "H" + text[1:]
	}
	return text
}
