package figure

import (
	"overnight/results/report"
	"overnight/results/sensitivity"
	"overnight/results/stats"
)

// steps shows how the indices settle.
func (v *view) steps() []Panel {
	names := [2]string{"first order", "total"}
	label := "share of the variance"
	switch v.Method {
	case report.MorrisScreen:
		names, label = [2]string{"mu", "mu*"}, "elementary effects"
	case report.RankPRCC:
		names, label = [2]string{"partial rank correlation", ""}, "partial rank correlation"
	}
	var all []Panel
	for k, of := range []func(sensitivity.Step) stats.Estimated{
		func(s sensitivity.Step) stats.Estimated { return s.First },
		func(s sensitivity.Step) stats.Estimated { return s.Total },
	} {
		p := Panel{Name: v.name() + ", " + names[k], Kind: Lines, X: Axis{Label: "rows of the sample", Log: true}, Y: Axis{Label: label}}
		for i := range v.Factors {
			f := &v.Factors[i]
			if f.IsLuck() {
				continue
			}
			s := Series{Name: v.short[f.Factor], Color: f.Factor, Dashed: f.Factor >= len(Colors())}
			for _, step := range f.Steps {
				e := of(step)
				if !known(e.Value) || step.N < 1 || len(s.X) > 0 && Num(step.N) <= s.X[len(s.X)-1] {
					continue
				}
				y, low, high := bounded(e)
				s.X, s.Y = append(s.X, Num(step.N)), append(s.Y, y)
				s.Low, s.High = append(s.Low, low), append(s.High, high)
			}
			if len(s.X) > 1 {
				p.Series = append(p.Series, s)
			}
		}
		if len(p.Series) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// pairs shows interactions as a triangle of shares.
func (v *view) pairs() []Panel {
	used := map[int]bool{}
	for _, p := range v.Pairs {
		used[p.A], used[p.B] = true, true
	}
	if len(used) < 3 { // two factors have one pair: a number, not a picture
		return nil
	}
	var names []string
	at := map[int]int{}
	for i := range v.Factors {
		if used[i] {
			at[i] = len(names)
			names = append(names, v.short[v.Factors[i].Factor])
		}
	}
	p := Panel{Name: v.name(), Kind: Heatmap, X: Axis{Label: "factor", Categories: names}, Y: Axis{Label: "factor", Categories: names},
		GridLabel: "share of the variance"}
	for range names {
		p.Grid, p.GridText = append(p.Grid, nans(len(names))), append(p.GridText, make([]string, len(names)))
	}
	for _, pair := range v.Pairs {
		i, j := at[pair.A], at[pair.B]
		text := report.Say(pair.Share.Value, pair.Share.Low, pair.Share.High)
		if pair.Told == sensitivity.Luck {
			text += ", not told from luck"
		}
		p.Grid[i][j], p.Grid[j][i] = Num(pair.Share.Value), Num(pair.Share.Value)
		p.GridText[i][j], p.GridText[j][i] = text, text
	}
	return []Panel{p}
}
