package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/results/stats"
)

// measure is a sum over the sends so far.
type measure struct {
	name, label string
	of          func(*sentRun) []float64
}

// measures are those that a task's runs have.
func (d *sends) measures(task int) []measure {
	all := []measure{{"conversions", "conversions so far", func(r *sentRun) []float64 { return r.converted }}}
	regret := measure{"regret", "pseudo-regret so far", func(r *sentRun) []float64 { return r.gaps }}
	for _, s := range d.task(task) {
		if s.money && len(all) == 1 {
			all = append(all, measure{"revenue", "revenue so far", func(r *sentRun) []float64 { return r.caused }})
		}
		if s.moves {
			regret.label = "dynamic pseudo-regret so far"
		}
	}
	return append(all, regret)
}

// cumulative shows conversions, revenue and regret so far, a line an arm, and how
// far each is ahead of the baseline.
func (d *sends) cumulative() (Figure, bool) {
	f := Figure{ID: "sends-cumulative", Title: "Conversions and regret by send"}
	var less []Panel
	for task := range d.m.Study.Tasks {
		of := d.task(task)
		if len(of) == 0 {
			continue
		}
		for _, what := range d.measures(task) {
			p := Panel{Name: d.on(task, what.name), Kind: Lines, X: Axis{Label: "send"}, Y: Axis{Label: what.label}, Replay: of[0].replay()}
			p.Series = d.lines(task, what.of)
			f.Panels = append(f.Panels, p)
			if what.name != "regret" {
				less = append(less, d.lead(task, what)...)
			}
		}
		if task < 3 {
			f.Caption = sentences(f.Caption, d.sayEnds(task))
		}
	}
	f.Panels = append(f.Panels, less...)
	return f, d.finish(&f, "Lines are means over the runs; bands, of the best arm and the baseline, hold the middle 80 % of them. Conversions and regret count what sends cause, whenever it is known.")
}

// lines returns a line for each arm of a task in the study's order; the best arm
// and the baseline have bands, since those of all would hide each other.
func (d *sends) lines(task int, of func(*sentRun) []float64) []Series {
	best, base := d.pair(task)
	var all []Series
	for _, s := range d.arms {
		if s.Task != task {
			continue
		}
		v := series(d.m, s.Arm)
		v.X = s.placeNums()
		v.Y, v.Low, v.High = spreadOver(s.each(of))
		if s != best && s != base {
			v.Low, v.High = nil, nil
		}
		all = append(all, v)
	}
	return all
}

// lead is a panel of how far arms are ahead of the baseline in the same
// replications; none without a baseline.
func (d *sends) lead(task int, what measure) []Panel {
	best, base := d.pair(task)
	if base == nil {
		return nil
	}
	name := d.arm(base)
	p := Panel{Name: d.on(task, what.name+" less those of "+name), Kind: Lines, X: Axis{Label: "send"},
		Y: Axis{Label: what.label + ", less " + name}, Replay: base.replay()}
	for _, s := range d.arms {
		if s.Task != task || s == base || !slices.Equal(s.places, base.places) || len(s.runs) != len(base.runs) {
			continue
		}
		v := series(d.m, s.Arm)
		v.X = s.placeNums()
		runs := s.each(what.of)
		for r, theirs := range base.each(what.of) {
			runs[r] = slices.Clone(runs[r])
			for i := range theirs {
				runs[r][i] -= theirs[i]
			}
		}
		v.Y, v.Low, v.High = spreadOver(runs)
		if s != best {
			v.Low, v.High = nil, nil
		}
		p.Series = append(p.Series, v)
	}
	if len(p.Series) == 0 {
		return nil
	}
	p.mark(name, 0, "y")
	return []Panel{p}
}

// sayEnds says what arms have at the end.
func (d *sends) sayEnds(task int) string {
	var parts []string
	of := d.task(task)
	best, base := d.pair(task)
	for _, s := range of {
		if len(of) > 4 && s != best && s != base && s != of[1] {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s has %s conversions and a regret of %s", d.arm(s),
			commas(number(s.endMean(func(r *sentRun) []float64 { return r.converted }))), commas(number(s.endMean(func(r *sentRun) []float64 { return r.gaps })))))
	}
	s := of[0]
	return d.on(task, fmt.Sprintf("After %s sends, mean of %s: %s.", commas(fmt.Sprint(s.horizon)), plural(len(s.runs), "run"), strings.Join(parts, ", ")))
}

// endMean is the mean over runs of a sum at the end.
func (s *sent) endMean(of func(*sentRun) []float64) float64 {
	var all []float64
	for _, run := range s.each(of) {
		all = append(all, run[len(run)-1])
	}
	return stats.Mean(all)
}

// slope is an arm's regret per unit of ln t in the last decade of sends, with a
// 95 % interval over the runs.
func (s *sent) slope() stats.Estimated {
	from, ok := slices.BinarySearch(s.places, max(s.horizon/10, 1))
	if !ok {
		return stats.Estimated{Value: math.NaN(), Interval: stats.Unknown()}
	}
	last := len(s.places) - 1
	var each []float64
	for _, r := range s.runs {
		each = append(each, (r.gaps[last]-r.gaps[from])/logRatio(s.places[last], s.places[from]))
	}
	return stats.Estimated{Value: stats.Mean(each), Interval: stats.TInterval(each, confidence)}
}
