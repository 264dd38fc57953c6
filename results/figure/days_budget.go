package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/results/report"
	"overnight/results/stats"
)

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

// ordered returns the arms with an allocation, as ranked.
func (d *days) ordered() []*played {
	with := slices.DeleteFunc(d.ranked(d.arms), func(p *played) bool { return len(p.shares) == 0 })
	return with[:min(len(with), maxPanels)]
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
