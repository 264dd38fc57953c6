package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/results/report"
)

// laiRobbins returns the constant C of Lai and Robbins, Advances in Applied
// Mathematics 6 (1985), of arms that pay 1 at given rates: the sum of
// gap / kl(rate, best rate) over the arms that are not best. No policy whose regret
// stays below every power of t in all such worlds has a regret of less than
// C ln t in the limit (Lattimore and Szepesvári, Bandit Algorithms, 2020,
// theorem 16.2).
func laiRobbins(rates []float64) float64 {
	best := slices.Max(rates)
	sum := 0.0
	for _, p := range rates {
		if p < best {
			sum += (best - p) / kl(p, best)
		}
	}
	return sum
}

// kl is the relative entropy of two coins, in nats; infinite where q excludes what
// p allows.
func kl(p, q float64) float64 {
	part := func(p, q float64) float64 {
		if p == 0 {
			return 0
		}
		return p * math.Log(p/q)
	}
	return part(p, q) + part(1-p, 1-q)
}

// logRatio is ln(a / b).
func logRatio(a, b int) float64 { return math.Log(float64(a) / float64(b)) }

// still tells whether the rates of a task stand still, are the same for all
// recipients, and conversions are worth 1: where regret grows with ln t. given says
// whether they are the same in all runs, too, so that there is one constant.
func (d *sends) still(task int) (still, given bool) {
	of := d.task(task)
	given = true
	for _, s := range of {
		// The first send's rates are all there are.
		if s.moves || s.money || s.vetoed || len(s.context) > 0 || slices.Contains(s.rates, -1) {
			return false, false
		}
		for _, r := range s.runs {
			given = given && slices.Equal(r.rates, of[0].runs[0].rates)
		}
	}
	return len(of) > 0, given
}

// logarithm shows regret against the logarithm of sends, beside the slope of Lai
// and Robbins where there is one.
func (d *sends) logarithm() (Figure, bool) {
	f := Figure{ID: "sends-log", Title: "Regret against the logarithm of sends"}
	notes := []string{"Lines are means over the runs; slopes are over the last tenfold of sends, with 95 % intervals over the runs."}
	bounded, drawn := false, false
	for task := range d.m.Study.Tasks {
		still, given := d.still(task)
		best, _ := d.pair(task)
		if !still || best == nil {
			continue
		}
		p := Panel{Name: d.on(task, ""), Kind: Lines, X: Axis{Label: "send", Log: true}, Y: Axis{Label: "pseudo-regret so far"}, Replay: best.replay()}
		for _, v := range d.lines(task, func(r *sentRun) []float64 { return r.gaps }) {
			v.Low, v.High = nil, nil
			p.Series = append(p.Series, v)
		}
		ends := func(v *Series) float64 { return float64(v.Y[len(v.Y)-1]) }
		top, all := 0.0, 0.0
		for i := range p.Series {
			all = max(all, ends(&p.Series[i]))
			if p.Series[i].Name == d.arm(best) {
				top = ends(&p.Series[i])
			}
		}
		c := math.NaN()
		if given {
			c = laiRobbins(best.runs[0].rates)
			v := best.slopeLine(c)
			top = max(top, ends(&v))
			p.Series = append(p.Series, v)
		}
		if top *= 2.5; all > top && top > 0 {
			p.Y.High, bounded = top, true
		}
		bounded, drawn = bounded || p.Y.High > 0, drawn || !given
		if len(f.Panels) < 3 {
			f.Caption = sentences(f.Caption, d.saySlopes(task, c))
		}
		f.Panels = append(f.Panels, p)
	}
	if bounded {
		notes = append(notes, "Lines that leave at the top lose more.")
	}
	if drawn {
		notes = append(notes, "Where each replication draws rates of its own there is no one slope: over worlds drawn at random the mean regret grows as the square of ln t (Lai, Annals of Statistics 15, 1987).")
	}
	if slices.ContainsFunc(f.Panels, func(p Panel) bool { return p.Series[len(p.Series)-1].Color == -1 }) {
		notes = append(notes, "Dashed grey, from where the best arm stands at the start of the last tenfold: the least slope, in the long run, of any policy that is good in every such world, sum of gap / kl(rate, best rate) (Lai and Robbins 1985; Lattimore and Szepesvári 2020, chapter 16). At a finite number of sends a policy may be below it.")
	}
	return f, d.finish(&f, notes...)
}

// slopeLine is a line of slope c per ln t over the last decade of sends, from where
// an arm stands at its start.
func (s *sent) slopeLine(c float64) Series {
	v := Series{Name: fmt.Sprintf("slope %s (Lai and Robbins)", number(c)), Color: -1, Dashed: true}
	y, _, _ := spreadOver(s.each(func(r *sentRun) []float64 { return r.gaps }))
	from, _ := slices.BinarySearch(s.places, max(s.horizon/10, 1))
	for _, n := range s.places[from:] {
		v.X, v.Y = append(v.X, Num(n)), append(v.Y, y[from]+Num(c*logRatio(n, s.places[from])))
	}
	return v
}

// saySlopes sets slopes of arms beside the constant; NaN where there is none.
func (d *sends) saySlopes(task int, constant float64) string {
	of := d.task(task)
	best, base := d.pair(task)
	var parts []string
	for i, s := range of {
		if len(of) > 5 && i > 2 && s != best && s != base {
			continue
		}
		e := s.slope()
		parts = append(parts, fmt.Sprintf("%s %s", d.arm(s), report.Say(e.Value, e.Low, e.High)))
	}
	beside := ""
	if known(constant) {
		beside = fmt.Sprintf(", where the constant of Lai and Robbins is %s", number(constant))
	}
	h := of[0].horizon
	return d.on(task, fmt.Sprintf("Regret per unit of ln t from send %s to %s%s: %s.", commas(fmt.Sprint(max(h/10, 1))), commas(fmt.Sprint(h)), beside, strings.Join(parts, ", ")))
}
