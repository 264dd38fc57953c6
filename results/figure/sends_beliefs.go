package figure

import (
	"fmt"
	"math"
	"slices"

	"overnight/results/report"
)

// believed shows what policies think of each subject line, beside the true rates.
func (d *sends) believed() (Figure, bool) {
	f := Figure{ID: "sends-beliefs", Title: "What the policies believe"}
	of, money := "", false
	for _, s := range d.alone(len(d.arms)) {
		if len(f.Panels) == maxPanels {
			break
		}
		at := s.alike()
		p, ok := d.beliefPanel(s, at)
		if !ok {
			continue
		}
		f.Panels = append(f.Panels, p)
		money = money || s.money
		if len(s.context) > 0 && of == "" {
			of = "Where recipients differ: of the kind met most often."
		}
		if len(f.Panels) <= 3 {
			f.Caption = sentences(f.Caption, d.sayBelief(s, at))
		}
	}
	truth := "Dashed: the true rates."
	if money {
		truth = "Dashed: the true rates, where conversions are worth 1 each; else beliefs are in units of revenue."
	}
	return f, d.finish(&f, d.middle(), "Bands: the middle 90 % of what is believed where a policy has a distribution; from the estimate to the index where it plays the highest index.", truth, of)
}

// alike returns the beliefs about one kind of recipient, the one that was met most
// often.
func (s *sent) alike() []belief {
	count := map[string]int{}
	for _, b := range s.beliefs {
		count[b.context]++
	}
	most := ""
	for k, n := range count {
		if n > count[most] || n == count[most] && k < most {
			most = k
		}
	}
	at := slices.DeleteFunc(slices.Clone(s.beliefs), func(b belief) bool { return b.context != most })
	step := len(at)/len(s.places) + 1
	var out []belief
	for i := range at {
		if (len(at)-1-i)%step == 0 { // the last one always
			out = append(out, at[i])
		}
	}
	return out
}

// beliefPanel has a line with its band for each subject line, and the true rates.
// False where the policy holds no beliefs.
func (d *sends) beliefPanel(s *sent, at []belief) (Panel, bool) {
	p := Panel{Name: d.on(s.Task, d.arm(s)), Kind: Lines, X: Axis{Label: "send"}, Y: Axis{Label: "believed conversion rate"}, Replay: s.replay()}
	if s.money {
		p.Y.Label = "believed revenue of a send"
	}
	if len(at) < 2 {
		return p, false
	}
	some, high, rate := false, 0.0, 0.0
	var truth []Series
	for _, i := range shown(s) {
		v := Series{Name: s.names[i], Color: i}
		r := Series{Name: "true rate of " + s.names[i], Color: i, Dashed: true}
		for _, b := range at {
			v.X, v.Y = append(v.X, Num(b.send)), append(v.Y, Num(b.mean[i]))
			low, top := b.low[i], b.high[i]
			if !(low <= top) { // NaN where nothing is known
				low, top = math.NaN(), math.NaN()
			}
			v.Low, v.High = append(v.Low, Num(low)), append(v.High, Num(top))
			r.X, r.Y = append(r.X, Num(b.send)), append(r.Y, Num(b.rates[i]))
			rate = max(rate, b.rates[i])
			if finite(Num(b.mean[i])) {
				some, high = true, max(high, b.mean[i])
			}
			if finite(Num(top)) {
				high = max(high, top)
			}
		}
		p.Series = append(p.Series, v)
		if s.rates[i] >= 0 && !s.money {
			truth = append(truth, r)
		}
	}
	p.Series = append(p.Series, truth...)
	if most := min(1.6*rate, 1); len(truth) > 0 && high > most {
		p.Y.High = most // wide bands at the start would press all else to the floor
	}
	return p, some
}

// sayBelief says what an arm believes of the best subject line in the end.
func (d *sends) sayBelief(s *sent, at []belief) string {
	b := at[len(at)-1]
	top := 0
	for i := range b.rates {
		if b.rates[i] > b.rates[top] {
			top = i
		}
	}
	text := fmt.Sprintf("By send %s %s believes %s of %q", commas(fmt.Sprint(b.send)), d.arm(s), report.Say(b.mean[top], b.low[top], b.high[top]), s.names[top])
	if len(s.context) > 0 {
		text += " for the kind of recipient met most often"
	}
	if s.rates[top] >= 0 && !s.money {
		best := "the best, whose true rate is"
		switch {
		case s.moves:
			best = "the best then, with a true rate of"
		case len(s.context) > 0:
			best = "the best there, with a true rate of"
		}
		text += fmt.Sprintf(", %s %s", best, number(b.rates[top]))
	}
	return d.on(s.Task, text+".")
}
