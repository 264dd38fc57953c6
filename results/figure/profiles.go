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
			f.Caption = sentences(f.Caption, sentence(s.on(task, "medians: "+strings.Join(medians, ", ")+".")))
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
		runs = report.RowUnits(runs, stats.ByMedian) // each run, not means of rows
	}
	minimize := s.m.Study.Objective.Minimize
	if minimize {
		runs, at = negated(runs), make([]float64, len(taus))
		for i, t := range taus {
			at[len(taus)-1-i] = -t
		}
	}
	var p stats.Profile
	if len(runs[0]) > manyUnits {
		p = largeProfile(runs, at)
	} else {
		p = stats.ProfileOf(runs, at, s.options("figure/profile", len(runs)*len(runs[0]), uint64(l.Arm), uint64(l.Task)))
	}
	if minimize {
		for _, v := range [][]float64{p.Share, p.Low, p.High} {
			slices.Reverse(v)
		}
	}
	v := series(s.m, l.Arm)
	v.X, v.Y, v.Low, v.High = Nums(taus), Nums(p.Share), Nums(p.Low), Nums(p.High)
	for i, share := range p.Share { // beyond all runs the bound is the same for any score
		if share < 1e-12 || share > 1-1e-12 {
			v.Low[i], v.High[i] = Num(math.NaN()), Num(math.NaN())
		}
	}
	return v
}

// largeProfile is stats.ProfileOf with a normal band at each score, in time
// proportional to the runs: for many replications. With n_p runs at point p of M
// and F_p the share of them above a score, replication r has the influence
// sum_p (1[x_pr > tau] - F_p(tau)) / (n_p M), and N/(N-1) times the sum of its
// squares is the variance of the profile.
func largeProfile(x stats.Scores, taus []float64) stats.Profile {
	n, m := len(x[0]), 0
	count := make([]float64, len(x))
	for i, runs := range x {
		if count[i] = float64(len(stats.Present(runs))); count[i] > 0 {
			m++
		}
	}
	share := make([]float64, len(taus))
	influence := make([][]float64, n)
	for r := range influence {
		influence[r] = make([]float64, len(taus))
	}
	above, steps := make([]float64, len(taus)), make([]int, n)
	for i, runs := range x {
		if count[i] == 0 {
			continue
		}
		clear(above)
		for r, v := range runs {
			if steps[r] = -1; math.IsNaN(v) {
				continue
			}
			steps[r], _ = slices.BinarySearch(taus, v) // the taus before it lie below v
			for k := range steps[r] {
				above[k]++
			}
		}
		w := 1 / (count[i] * float64(m))
		for k := range taus {
			share[k] += above[k] * w
		}
		for r, step := range steps {
			if step < 0 {
				continue
			}
			for k := range taus {
				is := -above[k] / count[i]
				if k < step {
					is++
				}
				influence[r][k] += is * w
			}
		}
	}
	p := stats.Profile{Tau: taus, Share: share, Low: make([]float64, len(taus)), High: make([]float64, len(taus))}
	const z = 1.959963984540054 // the normal quantile at 0.975
	for k := range taus {
		squares := 0.0
		for r := range influence {
			squares += influence[r][k] * influence[r][k]
		}
		half := z * math.Sqrt(squares*float64(n)/float64(n-1))
		p.Low[k], p.High[k] = max(share[k]-half, 0), min(share[k]+half, 1)
	}
	return p
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
	if strings.HasPrefix(text, "medians:") {
		return "M" + text[1:]
	}
	return text
}
