package live

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
	"overnight/results/report"
	"overnight/results/stats"
)

// campaign is what a View keeps of studies whose runs count conversions.
type campaign struct {
	conversions, rate int       // indices of Study.Metrics; -1: the study does not count
	counts            []float64 // conversions, laid out as View.scores; nil where those are the objective
	sends             []sends   // by task
}

// sends are those of a task's runs, of those that are known.
type sends struct{ least, most float64 }

// newCampaign finds the metrics.
func newCampaign(s *jobs.Study) campaign {
	c := campaign{
		conversions: slices.Index(s.Metrics, "conversions"), rate: slices.Index(s.Metrics, "rate"),
		sends: slices.Repeat([]sends{{least: math.Inf(1)}}, len(s.Tasks)),
	}
	if c.rate < 0 {
		c.conversions = -1
	}
	return c
}

// note takes in the sends of a record of a task: conversions over their rate.
func (c *campaign) note(task int, r *results.Record) {
	if c.conversions < 0 || r.Status != results.Done || max(c.conversions, c.rate) >= len(r.Metrics) {
		return
	}
	if rate := r.Metrics[c.rate]; rate > 0 {
		n, of := math.Round(r.Metrics[c.conversions]/rate), &c.sends[task]
		of.least, of.most = min(of.least, n), max(of.most, n)
	}
}

// tiles shows the campaign in numbers so far: of the learner with the best mean and
// of the baseline, over complete replications. nil before the first of them.
func (v *View) tiles() *figure.Figure {
	if v.campaign.conversions < 0 {
		return nil
	}
	f := figure.Figure{
		ID: "live-campaign", Title: "The campaign so far",
		Note: "Means over complete replications, with 95 % confidence sequences: valid at any time of looking, so you may look as often as you like and stop when you like. Differences are taken replication by replication.",
	}
	for task := range v.study.Tasks {
		p := figure.Panel{Kind: figure.Tiles}
		if len(v.study.Tasks) > 1 {
			p.Name = v.study.Tasks[task].Label
		}
		said := v.campaignOf(task, &p)
		if said == "" || len(f.Panels) == maxPanels {
			continue
		}
		if len(f.Panels) < 3 {
			f.Caption = strings.TrimSpace(f.Caption + " " + strings.TrimPrefix(p.Name+": "+said, ": "))
		}
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		return nil
	}
	return &f
}

// campaignOf adds a task's tiles to a panel and says in a sentence what they show;
// "" where no replication is complete or nobody has converted yet.
func (v *View) campaignOf(task int, p *figure.Panel) string {
	sends := v.campaign.sends[task]
	best, base := v.bestOf(task)
	if best < 0 {
		best, base = base, -1
	}
	if best < 0 || sends.most == 0 {
		return ""
	}
	counts := v.counted(best)
	e := estimate(counts)
	if math.IsNaN(e.Value) {
		return ""
	}
	name := v.study.Arms[v.lines[best].arm].Label
	tile := func(line int, label, value, note string) {
		p.Tiles = append(p.Tiles, figure.Tile{Label: label, Value: value, Note: note, Color: v.lines[line].arm})
	}
	over := fmt.Sprintf("%d complete replications", v.lines[best].ready)
	if v.lines[best].ready == 1 {
		over = strings.TrimSuffix(over, "s")
	}
	p.Tiles = append(p.Tiles, figure.Tile{Label: "sends a run", Value: figure.SendsText(sends.least, sends.most), Note: over, Color: -1})
	value, note := figure.TileText(e, report.Say)
	tile(best, "conversions a run, "+name, value, note)
	said := fmt.Sprintf("%s has %s conversions in %s sends", name, value, figure.SendsText(sends.least, sends.most))
	of := func(mean float64) string { return fmt.Sprintf("%.3g %%", 100*mean/sends.most) }
	rate := ""
	if base >= 0 {
		other := v.study.Arms[v.lines[base].arm].Label
		from := v.counted(base)
		b := estimate(from)
		if !math.IsNaN(b.Value) {
			value, note = figure.TileText(b, report.Say)
			tile(base, "conversions a run, "+other, value, note)
			rate = other + " " + of(b.Value)
		}
		if d := estimate(less(counts, from)); !math.IsNaN(d.Value) {
			value, note = figure.TileText(d, report.SaySigned)
			if b.Value > 0 {
				note = strings.TrimPrefix(fmt.Sprintf("%s; %+.3g %%", note, 100*d.Value/b.Value), "; ")
			}
			tile(best, "conversions more than "+other, value, note)
			said += fmt.Sprintf(", %s against %s", value, other)
		}
	}
	if sends.least == sends.most {
		tile(best, "conversion rate, "+name, of(e.Value), rate)
	}
	return said + "."
}

// bestOf returns the line of a task with the best mean, the oracle and the baseline
// aside, and the baseline's; -1 for none.
func (v *View) bestOf(task int) (best, base int) {
	best, base = -1, -1
	least := math.Inf(1)
	for i := range v.lines {
		arm := &v.study.Arms[v.lines[i].arm]
		switch {
		case v.lines[i].task != task || v.lines[i].ready == 0:
		case arm.Label == v.study.Baseline:
			base = i
		case arm.Agent != "oracle":
			mean := stats.Mean(stats.Present(v.perReplication(v.scores, i)))
			if !v.study.Objective.Minimize {
				mean = -mean
			}
			if mean < least {
				best, least = i, mean
			}
		}
	}
	return best, base
}

// counted is a line's mean conversions by complete replication.
func (v *View) counted(i int) []float64 {
	if v.campaign.conversions == v.metric {
		return v.perReplication(v.scores, i)
	}
	return v.perReplication(v.campaign.counts, i)
}

// estimate is the mean of what is known with its confidence sequence.
func estimate(x []float64) stats.Estimated {
	x = stats.Present(x)
	return stats.Estimated{Value: stats.Mean(x), Interval: stats.Live(x, level)}
}

// less subtracts replication by replication, as far as both go.
func less(a, b []float64) []float64 {
	d := make([]float64, min(len(a), len(b)))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return d
}
