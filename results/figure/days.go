package figure

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/results/report"
	"overnight/results/stats"
)

// Days shows chosen trials day by day, by playing them again: the cumulative
// reward of each arm, the allocation of the budget beside the channels'
// effectiveness, daily reward and return on investment, and how allocation
// follows effectiveness. What an environment does not trace has no figure.
func Days(ctx context.Context, m *report.Model, chosen []Chosen, play Play, episodes uint64) ([]Figure, error) {
	d := days{m: m, episodes: episodes}
	for _, c := range chosen {
		p, err := replay(ctx, c, play, episodes)
		if err != nil {
			return nil, err
		}
		if len(p.rewards) > 0 && len(p.rewards[0]) > 1 { // one step has no days
			d.arms = append(d.arms, p)
		}
	}
	var all []Figure
	for _, build := range []func() (Figure, bool){d.cumulative, d.allocation, d.effectiveness, d.daily, d.following} {
		if f, ok := build(); ok {
			all = append(all, f)
		}
	}
	return all, nil
}

type days struct {
	m        *report.Model
	arms     []*played
	episodes uint64
}

// task returns the arms of a task.
func (d *days) task(task int) []*played {
	return slices.DeleteFunc(slices.Clone(d.arms), func(p *played) bool { return p.Task != task })
}

func (d *days) on(task int, name string) string {
	switch {
	case len(d.m.Study.Tasks) < 2:
		return name
	case name == "":
		return d.m.Study.Tasks[task].Label
	}
	return d.m.Study.Tasks[task].Label + ": " + name
}

func (d *days) arm(p *played) string { return d.m.Study.Arms[p.Arm].Label }

// replayed says what was played; in all but the first figure without the trials,
// which are named there.
func (d *days) replayed(first bool) string {
	s := "Played again, since logs are not stored"
	var settings, parts []string
	for task := range d.m.Study.Tasks {
		if of := d.task(task); len(of) > 0 && d.setting(of[0].Point) != "" {
			settings = append(settings, d.on(task, d.setting(of[0].Point)))
		}
	}
	if len(settings) > 0 {
		s += fmt.Sprintf(", at a typical setting, %s, with each arm's best settings of its own", strings.Join(settings, "; "))
	}
	if !first {
		return s + "; the trials are named beside the cumulative reward."
	}
	for _, p := range d.arms {
		var trials []string
		for _, t := range p.Trials {
			trials = append(trials, fmt.Sprint(t))
		}
		parts = append(parts, fmt.Sprintf("%s %s", d.on(p.Task, d.arm(p)), strings.Join(trials, ", ")))
	}
	return s + fmt.Sprintf(": up to %d episodes of each of the trials %s, spread over the scores of the replications there, acting greedily.", d.episodes, strings.Join(parts, "; "))
}

// setting names the levels of a point's environment factors.
func (d *days) setting(point int) string {
	var parts []string
	short := d.m.ShortFactors()
	for f := range d.m.Study.Factors {
		if of := &d.m.Study.Factors[f]; of.Arm != "" || of.Shared {
			continue
		}
		switch l := d.m.Level(point, f); {
		case l.Number < 0:
		case l.Range:
			parts = append(parts, fmt.Sprintf("%s=%s", short[f], number(l.Value)))
		default:
			parts = append(parts, fmt.Sprintf("%s=%s", short[f], l.Name))
		}
	}
	return strings.Join(parts, ", ")
}

const middleBand = "Lines are means over episodes; bands, of the best learner and the baseline, hold the middle 80 % of their episodes."

// finish gives a figure its note, and takes the name off a single panel.
func (d *days) finish(f *Figure, note string) bool {
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	f.Note = sentences(note, d.replayed(f.ID == "days-cumulative"))
	return len(f.Panels) > 0
}

func (d *days) cumulative() (Figure, bool) {
	f := Figure{ID: "days-cumulative", Title: "Cumulative reward by day"}
	var less []Panel
	for task := range d.m.Study.Tasks {
		p := Panel{Name: d.on(task, "in all"), Kind: Lines, X: Axis{Label: "day"}, Y: Axis{Label: "cumulative reward"}}
		p.Series = d.lines(task, func(a *played) [][]float64 { return a.rewards }, true)
		if len(p.Series) == 0 {
			continue
		}
		var ends []string
		for _, v := range p.Series {
			ends = append(ends, fmt.Sprintf("%s %s", v.Name, number(float64(v.Y[len(v.Y)-1]))))
		}
		last := p.Series[0].X[len(p.Series[0].X)-1]
		f.Caption = sentences(f.Caption, fmt.Sprintf("After day %s: %s.", number(float64(last)), d.on(task, strings.Join(ends, ", "))))
		f.Panels = append(f.Panels, p)
		if p, ok := d.lead(task, p); ok {
			less = append(less, p)
		}
	}
	f.Panels = append(f.Panels, less...)
	return f, d.finish(&f, middleBand)
}

// lead shows how far arms are ahead of the baseline: their lines less its own.
func (d *days) lead(task int, from Panel) (Panel, bool) {
	base := d.m.Study.Baseline
	p := from
	p.Name, p.Y.Label, p.Series = d.on(task, "less "+base), "cumulative reward less that of "+base, nil
	at := slices.IndexFunc(from.Series, func(v Series) bool { return v.Name == base })
	if base == "" || at < 0 {
		return p, false
	}
	for i, v := range from.Series {
		if i == at || !slices.Equal(v.X, from.Series[at].X) {
			continue
		}
		v.Low, v.High, v.Y = nil, nil, slices.Clone(v.Y)
		for k := range v.Y {
			v.Y[k] -= from.Series[at].Y[k]
		}
		p.Series = append(p.Series, v)
	}
	p.mark(base, 0, "y")
	return p, len(p.Series) > 0
}

// thin keeps at most maxDays values, evenly, the last one always.
func thin(v []float64) (x, y []Num) {
	step := max((len(v)+maxDays-1)/maxDays, 1)
	for i := range v {
		if (i+1)%step == 0 || i == len(v)-1 {
			x, y = append(x, Num(i+1)), append(y, Num(v[i]))
		}
	}
	return x, y
}

// ranked returns arms that learn first, by their score, the oracle last.
func (d *days) ranked(arms []*played) []*played {
	score := func(p *played) float64 { return stats.Median(stats.Present(d.m.Scores([]int{p.Point})[0])) }
	class := func(p *played) int {
		switch {
		case p.Arm == oracle(d.m):
			return 2
		case !d.m.Learns(p.Point):
			return 1
		}
		return 0
	}
	arms = slices.Clone(arms)
	slices.SortStableFunc(arms, func(a, b *played) int {
		switch {
		case class(a) != class(b):
			return class(a) - class(b)
		case d.m.Worse(score(b), score(a)):
			return -1
		case d.m.Worse(score(a), score(b)):
			return 1
		}
		return 0
	})
	return arms
}

// ordered returns the arms with an allocation, as ranked.
func (d *days) ordered() []*played {
	with := slices.DeleteFunc(d.ranked(d.arms), func(p *played) bool { return len(p.shares) == 0 })
	return with[:min(len(with), maxPanels)]
}

// lines returns a line for each arm of a task; the first as ranked and the
// baseline have bands, since those of all would hide each other.
func (d *days) lines(task int, of func(*played) [][]float64, cumulative bool) []Series {
	arms := d.task(task)
	var all []Series
	for _, a := range arms {
		v := series(d.m, a.Arm)
		v.X, v.Y, v.Low, v.High = bandOver(of(a), cumulative)
		if len(v.X) == 0 {
			continue
		}
		if a != d.ranked(arms)[0] && a.Arm != d.m.Baseline() {
			v.Low, v.High = nil, nil
		}
		all = append(all, v)
	}
	return all
}

// shown names an arm with the trial whose first episode is shown.
func (d *days) shown(p *played) string {
	if p.discrete {
		return d.arm(p)
	}
	return fmt.Sprintf("%s, trial %d", d.arm(p), p.Middle())
}

func (d *days) allocation() (Figure, bool) {
	f := Figure{ID: "days-allocation", Title: "Where the budget goes"}
	discrete := false
	for _, a := range d.ordered() {
		discrete = discrete || a.discrete
		p := Panel{Name: d.on(a.Task, d.shown(a)), Kind: Areas, X: Axis{Label: "day"}, Y: Axis{Label: "share of the budget", High: 1}}
		if a.discrete {
			p.X.Label, p.Y.Label = "step", "share of episodes"
		}
		rest := make([]float64, len(a.shares[0]))
		var means []string
		for i, name := range a.channels {
			v := Series{Name: name, Color: i, Dashed: i >= len(Colors())}
			v.X, v.Y = thin(a.shares[i])
			p.Series = append(p.Series, v)
			for day, share := range a.shares[i] {
				rest[day] += share
			}
			means = append(means, fmt.Sprintf("%s %s", name, report.SayShare(stats.Mean(a.shares[i]))))
		}
		for day := range rest {
			rest[day] = max(1-rest[day], 0)
		}
		if slices.Max(rest) > 1e-6 && !a.discrete {
			v := Series{Name: "unspent", Color: -1}
			v.X, v.Y = thin(rest)
			p.Series = append(p.Series, v)
			means = append(means, "unspent "+report.SayShare(stats.Mean(rest)))
		}
		if len(f.Panels) < 3 {
			f.Caption = sentences(f.Caption, fmt.Sprintf("%s gives on average %s.", d.on(a.Task, d.arm(a)), strings.Join(means, ", ")))
		}
		f.Panels = append(f.Panels, p)
	}
	note := "One episode of each arm: the first of its trial with the median score."
	if discrete {
		f.Title = "Which actions are taken"
		note = "Share of the episodes in which an action was taken, by step."
	}
	return f, d.finish(&f, note)
}

func (d *days) effectiveness() (Figure, bool) {
	f := Figure{ID: "days-effectiveness", Title: "How effective the channels are"}
	for _, a := range d.ordered() {
		if a.effect == nil || len(a.effects) == 0 {
			continue
		}
		p := Panel{Name: d.on(a.Task, d.shown(a)), Kind: Lines, X: Axis{Label: "day"}, Y: Axis{Label: "effectiveness when the budget was set"}}
		best := 0
		for i, name := range a.channels {
			v := Series{Name: name, Color: i, Dashed: i >= len(Colors())}
			v.X, v.Y = thin(a.effects[i])
			p.Series = append(p.Series, v)
			if stats.Mean(a.effects[i]) > stats.Mean(a.effects[best]) {
				best = i
			}
		}
		if f.Caption == "" {
			f.Caption = fmt.Sprintf("In the episode of %s, %s is the most effective on average (%s), and gets %s of the budget.", p.Name,
				a.channels[best], number(stats.Mean(a.effects[best])), report.SayShare(stats.Mean(a.shares[best])))
		}
		f.Panels = append(f.Panels, p)
	}
	return f, d.finish(&f, "The same episodes as those of the allocation.")
}

func (d *days) daily() (Figure, bool) {
	f := Figure{ID: "days-daily", Title: "Reward and return on investment by day"}
	for task := range d.m.Study.Tasks {
		for _, what := range []struct {
			name, label string
			of          func(*played) [][]float64
		}{
			{"reward", "reward of the day", func(p *played) [][]float64 { return p.rewards }},
			{"return on investment", "(revenue landed - spend) / spend", func(p *played) [][]float64 { return p.returns }},
		} {
			p := Panel{Name: d.on(task, what.name), Kind: Lines, X: Axis{Label: "day"}, Y: Axis{Label: what.label}}
			p.Series = d.lines(task, what.of, false)
			var means []string
			for _, v := range p.Series {
				sum := 0.0
				for _, y := range v.Y {
					sum += float64(y)
				}
				means = append(means, fmt.Sprintf("%s %s", v.Name, number(sum/float64(len(v.Y)))))
			}
			if len(p.Series) > 0 {
				f.Caption = sentences(f.Caption, fmt.Sprintf("Mean %s over all days: %s.", d.on(task, what.name), strings.Join(means, ", ")))
				f.Panels = append(f.Panels, p)
			}
		}
	}
	return f, d.finish(&f, middleBand+" The return on investment sets the revenue that landed on a day against what was spent on it, whatever the day it was earned by.")
}

func (d *days) following() (Figure, bool) {
	f := Figure{ID: "days-correlation", Title: "Does the budget follow effectiveness?"}
	for task := range d.m.Study.Tasks {
		p := Panel{Name: d.on(task, ""), Kind: Bars, X: Axis{Label: "channel"}, Y: Axis{Label: "correlation of share and effectiveness over days", Low: -1, High: 1},
			Marks: []Mark{{Name: "none", At: 0, Axis: "x"}}}
		var means []string
		for _, a := range d.task(task) {
			if a.effect == nil {
				continue
			}
			if p.X.Categories == nil {
				p.X.Categories = a.channels
			}
			v := series(d.m, a.Arm)
			var each []float64
			for i := range a.channels {
				c := stats.Present(a.corrs[i])
				v.Y = append(v.Y, Num(stats.Mean(c)))
				v.Low, v.High = append(v.Low, Num(stats.Quantile(c, .1))), append(v.High, Num(stats.Quantile(c, .9)))
				each = append(each, stats.Mean(c))
			}
			if slices.Equal(p.X.Categories, a.channels) && !slices.ContainsFunc(each, math.IsNaN) {
				p.Series = append(p.Series, v)
				means = append(means, fmt.Sprintf("%s %s", d.arm(a), number(stats.Mean(each))))
			}
		}
		if len(p.Series) > 0 {
			f.Caption = sentences(f.Caption, fmt.Sprintf("Mean correlation over channels: %s.", d.on(task, strings.Join(means, ", "))))
			f.Panels = append(f.Panels, p)
		}
	}
	return f, d.finish(&f, "Pearson's correlation within each episode, mean over episodes; lines hold the middle 80 % of episodes. Arms that never move their budget have none, and environments whose effectiveness stays put.")
}
