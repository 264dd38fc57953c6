package figure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"overnight/results/report"
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

func (d *days) on(task int, name string) string { return onTask(d.m, task, name) }

func (d *days) arm(p *played) string { return d.m.Study.Arms[p.Arm].Label }

// replayed says what was played.
func (d *days) replayed() string {
	s := "Played again, since logs are not stored"
	var settings []string
	for task := range d.m.Study.Tasks {
		of := d.task(task)
		if len(of) == 0 {
			continue
		}
		var at []string
		for _, t := range of[0].Trials {
			_, r := d.m.Study.Split(t)
			at = append(at, fmt.Sprint(r))
		}
		text := "replications " + strings.Join(at, ", ")
		if len(at) == 1 {
			text = "replication " + at[0]
		}
		if set := settingOf(d.m, of[0].Point); set != "" {
			text += " at " + set
		}
		settings = append(settings, d.on(task, text))
	}
	return s + fmt.Sprintf(": up to %d episodes of each arm's %s; a typical setting, each arm with its best settings of its own, acting greedily.", d.episodes, strings.Join(settings, "; "))
}

const middleBand = "Lines are means over episodes; bands, of the best learner and the baseline, hold the middle 80 % of their episodes."

// finish gives a figure its note, and takes the name off a single panel.
func (d *days) finish(f *Figure, note string) bool {
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	f.Note = sentences(note, d.replayed())
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

// ranked returns arms that learn first, by their score, the oracle last.
func (d *days) ranked(arms []*played) []*played {
	return rankChosen(d.m, arms, func(p *played) *Chosen { return &p.Chosen })
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
