package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/results/report"
	"overnight/results/stats"
)

// CountedMetrics returns the metrics of a study that tiles sum up as counts or
// money: "conversions", and "revenue" where there is some; none where the study
// does not count conversions.
func CountedMetrics(s *jobs.Study) []string {
	if !slices.Contains(s.Metrics, "conversions") || !slices.Contains(s.Metrics, "rate") {
		return nil
	}
	if slices.Contains(s.Metrics, "revenue") {
		return []string{"conversions", "revenue"}
	}
	return []string{"conversions"}
}

// KPI shows the numbers that a campaign is judged by: sends, conversions and
// their rate, of the best arm beside the baseline, the uplift over it, and what
// guardrails say. counted has a model of the same records for each of
// CountedMetrics; m, the study's own, says which arm is best. A panel a task.
func KPI(m *report.Model, runs *Runs, counted []*report.Model) (Figure, bool) {
	f := Figure{ID: "kpi", Title: "The campaign in numbers"}
	s, ok := read(m)
	if !ok || len(counted) == 0 {
		return f, false
	}
	k := kpi{study: s, runs: runs}
	for _, c := range counted {
		of, ok := read(c)
		if !ok {
			return f, false
		}
		k.counted = append(k.counted, of)
	}
	for task := range s.ofTasks {
		p := Panel{Name: s.on(task, ""), Kind: Tiles}
		said := k.task(task, &p)
		if len(p.Tiles) == 0 {
			continue
		}
		if f.Panels = append(f.Panels, p); len(f.Panels) <= 3 {
			f.Caption = sentences(f.Caption, said)
		}
	}
	paired := ""
	if m.Study.Paired != jobs.PairedNone {
		paired = "; differences are between runs that share their noise"
	}
	f.Note = sentences(fmt.Sprintf("Each number is the %s over the arm's points and replications, with 95 %% intervals%s. Conversions are those that the sends cause, whenever they are known.", s.by, paired), s.incomplete())
	return f, len(f.Panels) > 0
}

// kpi makes tiles.
type kpi struct {
	*study
	runs    *Runs
	counted []*study
}

// task adds a task's tiles to a panel and says in a sentence what they show.
func (k *kpi) task(task int, p *Panel) string {
	var best, base *armLine
	for _, l := range k.ranked(task) {
		switch {
		case l.Arm == k.m.Baseline():
			base = l
		case best == nil && l.Arm != oracle(k.m):
			best = l
		}
	}
	if best == nil {
		best, base = base, nil
	}
	if best == nil {
		return ""
	}
	sends, said := k.sends(best), []string(nil)
	if sends == "" {
		return ""
	}
	over := commas(k.m.Repeated())
	if n := len(best.Points); n > 1 {
		over = plural(n, "point") + ", " + over
	}
	p.Tiles = append(p.Tiles, Tile{Label: "sends a run", Value: sends, Note: over, Color: -1})
	for i, of := range k.counted {
		what := CountedMetrics(k.m.Study)[i]
		name, color, e := k.value(of, task, best.Arm)
		if !known(e.Value) {
			continue // another task's metric
		}
		value, interval := TileText(e, report.Say)
		p.Tiles = append(p.Tiles, Tile{Label: what + " a run, " + name, Value: value, Note: interval, Color: color})
		value = joined(" ", value, interval)
		words := fmt.Sprintf("%s has %s conversions in %s sends", name, value, sends)
		if i > 0 {
			words = fmt.Sprintf("Its %s is %s", what, value)
		}
		if base != nil {
			tiles, more := k.uplift(of, task, best, base, what)
			p.Tiles = append(p.Tiles, tiles...)
			words += more
		}
		said = append(said, words+".")
		if i == 0 {
			p.Tiles = append(p.Tiles, k.rate(best, base))
		}
	}
	for _, l := range k.ranked(task) {
		p.Tiles = append(p.Tiles, k.guards(l)...)
	}
	return k.on(task, sentences(said...))
}

// value sums up an arm of a task.
func (k *kpi) value(of *study, task, arm int) (name string, color int, e stats.Estimated) {
	v := series(k.m, arm)
	e = stats.Estimated{Value: math.NaN(), Interval: stats.Unknown()}
	for _, i := range of.ofTasks[task] {
		if l := &of.lines[i]; l.Arm == arm {
			e = of.estimate(l, nil, "figure/kpi")
		}
	}
	return v.Name, v.Color, e
}

// uplift has the tiles of the baseline and of an arm less the baseline, and the end
// of a sentence; nothing of what is not known.
func (k *kpi) uplift(of *study, task int, best, base *armLine, what string) (tiles []Tile, words string) {
	name, color, from := k.value(of, task, base.Arm)
	if known(from.Value) {
		value, interval := TileText(from, report.Say)
		tiles = append(tiles, Tile{Label: what + " a run, " + name, Value: value, Note: interval, Color: color})
	}
	e, _ := of.m.Difference(task, best.Arm, base.Arm)
	if !known(e.Value) {
		return tiles, ""
	}
	value, interval := TileText(e, report.SaySigned)
	words = fmt.Sprintf(", %s against %s", joined(" ", value, interval), name)
	if share := e.Value / from.Value; from.Value > 0 && known(share) {
		text := signed(round3(100*share)) + " %"
		interval = joined("; ", interval, text)
		words += " (" + text + ")"
	}
	v := series(k.m, best.Arm)
	return append(tiles, Tile{Label: fmt.Sprintf("%s more than %s, %s", what, name, v.Name), Value: value, Note: interval, Color: v.Color}), words
}

// measured sums a metric of each run up as the objective is.
func (k *kpi) measured(metric string, l *armLine) stats.Estimated {
	other := *l
	other.runs = k.runs.scores(metric, l.Points, k.m.Replications())
	return k.estimate(&other, nil, "figure/kpi/"+metric)
}

// rate is the tile of conversions over sends.
func (k *kpi) rate(best, base *armLine) Tile {
	v := series(k.m, best.Arm)
	t := Tile{Label: "conversion rate, " + v.Name, Value: number(round3(100*k.measured("rate", best).Value)) + " %", Color: v.Color}
	if base != nil {
		t.Note = base.arm + " " + number(round3(100*k.measured("rate", base).Value)) + " %"
	}
	return t
}

// sends says how many sends a run has: conversions over their rate, where there
// are some; "" where nobody converts in any run.
func (k *kpi) sends(l *armLine) string {
	least, most := math.Inf(1), 0.0
	rates := k.runs.each("rate", l.Points)
	for i, n := range k.runs.each("conversions", l.Points) {
		if rates[i] > 0 {
			sends := math.Round(n / rates[i])
			least, most = min(least, sends), max(most, sends)
		}
	}
	return SendsText(least, most)
}

// SendsText says how many sends runs have; "" where the most is 0.
func SendsText(least, most float64) string {
	switch most {
	case 0:
		return ""
	case least:
		return commas(fmt.Sprintf("%.0f", most))
	}
	return commas(fmt.Sprintf("%.0f to %.0f", least, most))
}

// TileText writes an estimate as report.Say or report.SaySigned does, its value apart
// from the interval; that is "" where it is not known.
func TileText(e stats.Estimated, say func(v, low, high float64) string) (value, interval string) {
	low, high := e.Low, e.High
	if !e.Known() {
		low, high = math.NaN(), math.NaN()
	}
	value, interval, _ = strings.Cut(commas(say(e.Value, low, high)), " ")
	return value, interval
}

// signed writes a number with its sign.
func signed(v float64) string { return report.SaySigned(v, math.NaN(), math.NaN()) }

// round3 leaves three significant digits behind the point, and all before it: a
// tile is read at a glance.
func round3(v float64) float64 {
	if v == 0 || !known(v) {
		return v
	}
	unit := math.Pow(10, max(0, 2-math.Floor(math.Log10(math.Abs(v)))))
	return math.Round(v*unit) / unit
}

// joined joins what is not empty.
func joined(by string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), by)
}
