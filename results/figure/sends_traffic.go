package figure

import (
	"fmt"
	"math"

	"overnight/results/report"
)

// traffic shows how often each subject line was sent, and how many of those
// converted: the baseline and the best arm side by side, then each other arm.
func (d *sends) traffic() (Figure, bool) {
	f := Figure{ID: "sends-traffic", Title: "Traffic by subject line"}
	beside := map[*sent]bool{}
	for task := range d.m.Study.Tasks {
		best, base := d.pair(task)
		var of []*sent
		name := ""
		for _, s := range []*sent{base, best} {
			if s == nil {
				continue
			}
			if of = append(of, s); name != "" {
				name += " and "
			}
			name += d.arm(s)
			beside[s] = true
		}
		if len(of) == 0 {
			continue
		}
		f.Panels = append(f.Panels, stacks(d.m, d.on(task, name), of...))
		if len(f.Panels) <= 3 {
			f.Caption = sentences(f.Caption, d.sayTraffic(task, best, base))
		}
	}
	for _, s := range d.alone(len(d.arms)) {
		if !beside[s] && len(f.Panels) < maxPanels {
			f.Panels = append(f.Panels, stacks(d.m, d.on(s.Task, d.arm(s)), s))
		}
	}
	return f, d.finish(&f, d.middle(), "Full colour: converted; pale: not.")
}

// stacks is a panel of stacked bars, a stack an arm.
func stacks(m *report.Model, name string, of ...*sent) Panel {
	which := shown(of...)
	p := Panel{Name: name, Kind: Bars, X: Axis{Label: "subject line"}, Y: Axis{Label: "sends"}, Replay: of[0].replay()}
	for _, i := range which {
		p.X.Categories = append(p.X.Categories, of[0].names[i])
	}
	for _, s := range of {
		arm := series(m, s.Arm)
		yes := Series{Name: arm.Name + ", converted", Color: arm.Color, Stack: arm.Name}
		no := Series{Name: arm.Name + ", not converted", Color: arm.Color, Stack: arm.Name, Faint: true}
		for k := range s.sends {
			var y, n []Num
			for _, i := range which {
				y, n = append(y, Num(s.conversions[k][i])), append(n, Num(s.sends[k][i]-s.conversions[k][i]))
			}
			yes.Frames, no.Frames = append(yes.Frames, y), append(no.Frames, n)
			yes.Y, no.Y = y, n
		}
		for _, i := range which {
			text := s.sayLine(i)
			yes.Text, no.Text = append(yes.Text, text), append(no.Text, text)
		}
		p.Series = append(p.Series, yes, no)
	}
	return p
}

// end returns how often an action was sent in the shown run and how many of those
// converted.
func (s *sent) end(action int) (sends, conversions float64) {
	last := len(s.sends) - 1
	return s.sends[last][action], s.conversions[last][action]
}

// sayLine says what became of a subject line by the end.
func (s *sent) sayLine(action int) string {
	sends, conversions := s.end(action)
	text := fmt.Sprintf("in the end %s of %s sends converted", commas(number(conversions)), commas(number(sends)))
	if s.rates[action] >= 0 {
		text += "; " + s.rateName() + " " + number(s.mean[action])
	}
	return text
}

// rateName names what mean is.
func (s *sent) rateName() string {
	if s.moves || len(s.context) > 0 {
		return "mean true rate"
	}
	return "true rate"
}

// top returns the action with the highest rate, mean over the shown run, and the
// one that was sent most.
func (s *sent) top() (best, most int) {
	for i := range s.names {
		if s.mean[i] > s.mean[best] {
			best = i
		}
		if n, _ := s.end(i); n > s.sends[len(s.sends)-1][most] {
			most = i
		}
	}
	return best, most
}

// sayTraffic says where a task's best arm and its baseline sent most.
func (d *sends) sayTraffic(task int, best, base *sent) string {
	s := best
	if s == nil {
		s = base
	}
	top, most := s.top()
	n, _ := s.end(most)
	onAverage := ""
	if s.moves || len(s.context) > 0 {
		onAverage = " on average"
	}
	text := fmt.Sprintf("Of %s sends %s gives %s to %q", commas(fmt.Sprint(s.horizon)), d.arm(s), report.SayShare(n/float64(s.horizon)), s.names[most])
	switch {
	case top == most && s.mean[top] > 0:
		text += fmt.Sprintf(", the best%s (%s %s)", onAverage, s.rateName(), number(s.mean[top]))
	case s.mean[top] > 0:
		text += fmt.Sprintf(" (%s %s; the best%s is %q with %s)", s.rateName(), number(s.mean[most]), onAverage, s.names[top], number(s.mean[top]))
	}
	if s == best && base != nil {
		n, _ = base.end(most)
		text += fmt.Sprintf(", %s %s", d.arm(base), report.SayShare(n/float64(base.horizon)))
	}
	return d.on(task, text+".")
}

// shares sets each subject line's share of the traffic against the rate at which
// it has converted: what a policy learns moves to the right.
func (d *sends) shares() (Figure, bool) {
	f := Figure{ID: "sends-share", Title: "Share of traffic against empirical conversion rate"}
	for _, s := range d.alone(maxPanels) {
		p := Panel{Name: d.on(s.Task, d.arm(s)), Kind: Scatter, X: Axis{Label: "share of sends", Low: -.02, High: 1.02},
			Y: Axis{Label: "empirical conversion rate"}, Replay: s.replay()}
		for _, i := range shown(s) {
			v := Series{Name: s.names[i], Color: i, Text: []string{s.sayLine(i)}}
			for k, n := range s.slider {
				share, rate := s.sends[k][i]/float64(n), math.NaN()
				if s.sends[k][i] > 0 {
					rate = s.conversions[k][i] / s.sends[k][i]
				}
				v.FramesX, v.Frames = append(v.FramesX, []Num{Num(share)}), append(v.Frames, []Num{Num(rate)})
				v.X, v.Y = v.FramesX[k], v.Frames[k]
			}
			p.Series = append(p.Series, v)
		}
		top, _ := s.top()
		if s.mean[top] > 0 {
			p.mark("best "+s.rateName(), s.mean[top], "y")
		}
		f.Panels = append(f.Panels, p)
		if len(f.Panels) <= 3 {
			f.Caption = sentences(f.Caption, d.sayShares(s))
		}
	}
	return f, d.finish(&f, d.middle(), "A dot a subject line; one that was not sent has no rate.")
}

// sayShares says how well an arm knows what it sent most and least.
func (d *sends) sayShares(s *sent) string {
	_, most := s.top()
	least := most
	for i := range s.names {
		n, _ := s.end(i)
		if fewest, _ := s.end(least); n > 0 && n < fewest {
			least = i
		}
	}
	say := func(i int) string {
		n, yes := s.end(i)
		text := fmt.Sprintf("%q, which converts %s of %s sends", s.names[i], number(yes/n), commas(number(n)))
		if s.rates[i] >= 0 {
			text += fmt.Sprintf(" (%s %s)", s.rateName(), number(s.mean[i]))
		}
		return text
	}
	text := fmt.Sprintf("%s sends most %s", d.arm(s), say(most))
	if least != most {
		text += ", and least " + say(least)
	}
	return d.on(s.Task, text+".")
}
