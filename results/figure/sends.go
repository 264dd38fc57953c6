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

// Sends shows chosen runs of online learning send by send, by playing them again:
// traffic by subject line, its share against the empirical rate, cumulative
// conversions and regret, regret against the logarithm of sends, and what the
// policies believe. Actions are called subject lines, as in the environment email.
func Sends(ctx context.Context, m *report.Model, chosen []Chosen, play Play) ([]Figure, error) {
	d := sends{m: m}
	for _, c := range chosen {
		s, err := resend(ctx, c, play)
		if err != nil {
			return nil, err
		}
		if len(s.runs) > 0 && len(s.sends) == len(s.slider) {
			d.arms = append(d.arms, s)
		}
	}
	var all []Figure
	for _, build := range []func() (Figure, bool){d.cumulative, d.traffic, d.shares, d.logarithm, d.believed} {
		if f, ok := build(); ok {
			all = append(all, f)
		}
	}
	return all, nil
}

type sends struct {
	m    *report.Model
	arms []*sent
}

// afterSend is the label of the slider that all pictures of sends share.
const afterSend = "after send"

// replay is the slider of an arm's panels.
func (s *sent) replay() *Replay {
	r := &Replay{Label: afterSend}
	for _, n := range s.slider {
		r.At = append(r.At, Num(n))
	}
	return r
}

func (d *sends) on(task int, name string) string { return onTask(d.m, task, name) }

func (d *sends) arm(s *sent) string { return d.m.Study.Arms[s.Arm].Label }

// task returns the arms of a task, learners first, by their score, the oracle last.
func (d *sends) task(task int) []*sent {
	of := slices.DeleteFunc(slices.Clone(d.arms), func(s *sent) bool { return s.Task != task })
	return rankChosen(d.m, of, func(s *sent) *Chosen { return &s.Chosen })
}

// pair returns the best arm of a task but for baseline and oracle, and the
// baseline; nil for what is not there.
func (d *sends) pair(task int) (best, base *sent) {
	for _, s := range d.task(task) {
		switch {
		case s.Arm == d.m.Baseline():
			base = s
		case best == nil && s.Arm != oracle(d.m):
			best = s
		}
	}
	return best, base
}

// alone returns the arms that have panels of their own: of each task the best and
// the baseline first, then task by task in turn; at most so many.
func (d *sends) alone(most int) []*sent {
	var all []*sent
	var rows [][]*sent
	longest := 0
	for task := range d.m.Study.Tasks {
		best, base := d.pair(task)
		var row []*sent
		for _, s := range append([]*sent{best, base}, d.task(task)...) {
			if s != nil && !slices.Contains(row, s) {
				row = append(row, s)
			}
		}
		rows, longest = append(rows, row), max(longest, len(row))
	}
	for i := range longest {
		for _, row := range rows {
			if i < len(row) {
				all = append(all, row[i])
			}
		}
	}
	return all[:min(len(all), most)]
}

// shown returns the actions that pictures show, in their order: those that these
// runs sent most, where there are too many.
func shown(of ...*sent) []int {
	total := make([]float64, len(of[0].names))
	var all []int
	for i := range total {
		all = append(all, i)
		for _, s := range of {
			total[i] += s.sends[len(s.sends)-1][i]
		}
	}
	slices.SortStableFunc(all, func(a, b int) int {
		switch {
		case total[a] > total[b]:
			return -1
		case total[a] < total[b]:
			return 1
		}
		return 0
	})
	all = all[:min(len(all), maxPanels)]
	slices.Sort(all)
	return all
}

// finish gives a figure its note, and takes the name off a single panel.
func (d *sends) finish(f *Figure, notes ...string) bool {
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	for _, s := range d.arms {
		if len(s.names) > maxPanels {
			notes = append(notes, fmt.Sprintf("Of %d subject lines the %d sent most.", len(s.names), maxPanels))
			break
		}
	}
	f.Note = sentences(sentences(notes...), d.replayed())
	return len(f.Panels) > 0
}

// replayed says what was played.
func (d *sends) replayed() string {
	var parts []string
	least, most := math.MaxInt, 0
	for task := range d.m.Study.Tasks {
		of := d.task(task)
		if len(of) == 0 {
			continue
		}
		least, most = min(least, len(of[0].runs)), max(most, len(of[0].runs))
		if set := settingOf(d.m, of[0].Point); set != "" {
			parts = append(parts, d.on(task, set))
		}
	}
	text := plural(most, "replication")
	if least < most {
		text = fmt.Sprintf("%d to %s", least, text)
	}
	if len(parts) > 0 {
		text += " at " + strings.Join(parts, "; ")
	}
	return fmt.Sprintf("Played again, since logs are not stored: %s, at even steps of the best learner's score; each arm with its best settings of its own.", text)
}

// middle says whose single run is shown: that of the replication with the median
// score.
func (d *sends) middle() string {
	var parts []string
	for task := range d.m.Study.Tasks {
		if of := d.task(task); len(of) > 0 {
			_, r := d.m.Study.Split(of[0].Middle())
			parts = append(parts, d.on(task, fmt.Sprint(r)))
		}
	}
	noun := "replication "
	if len(parts) > 1 {
		noun = "replications "
	}
	return "One run of each arm: " + noun + strings.Join(parts, ", ") + ", where the best learner has its median score."
}

// each returns a sum of every run by place.
func (s *sent) each(of func(*sentRun) []float64) [][]float64 {
	all := make([][]float64, len(s.runs))
	for r := range s.runs {
		all[r] = of(&s.runs[r])
	}
	return all
}

// spreadOver returns the mean of the runs' values at each place, with the range
// that holds the middle 80 % of them.
func spreadOver(runs [][]float64) (y, low, high []Num) {
	at := make([]float64, len(runs))
	for p := range runs[0] {
		for r := range runs {
			at[r] = runs[r][p]
		}
		y = append(y, Num(stats.Mean(at)))
		low, high = append(low, Num(stats.Quantile(at, .1))), append(high, Num(stats.Quantile(at, .9)))
	}
	return y, low, high
}

// placeNums returns the places of an arm's lines.
func (s *sent) placeNums() []Num {
	x := make([]Num, len(s.places))
	for i, n := range s.places {
		x[i] = Num(n)
	}
	return x
}
