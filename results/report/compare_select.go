package report

import (
	"fmt"
	"math"
	"slices"

	"overnight/results/stats"
)

// Selection is the best of an arm's settings: chosen on the replications of even
// number, judged on those of odd number. The score that chose it is too good as
// a rule, since the luckiest setting wins; the other is not.
type Selection struct {
	Task string `json:"task"` // empty where all tasks are pooled
	Arm  string `json:"arm"`
	// Tried counts the settings: combinations of the factors that only the agent
	// has. 1 for an arm without such factors.
	Tried  int    `json:"tried"`
	Levels levels `json:"levels"` // of those factors
	// Chosen is the objective's summary on the replications that chose, Judged on
	// the others.
	Chosen number `json:"chosen_score"`
	Judged number `json:"judged_score"`
}

// String names the chosen levels, "learning_rate=0.01".
func (s *Selection) String() string {
	text := ""
	short := shortNames(s.Levels.factors)
	for f, name := range s.Levels.names {
		if name == "" {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += clean(short[f]) + "=" + clean(name)
	}
	return text
}

// choice is a selection with the points of the line that have the setting.
type choice struct {
	Selection
	line     line
	points   []int
	settings []int // the factors that make a setting
}

// choose picks the best setting of a line.
func (c *Comparison) choose(l line) (choice, error) {
	m := c.m
	ch := choice{line: l, settings: m.settings(l)}
	ch.Arm, ch.Levels.factors = m.Study.Arms[l.arm].Label, c.columns
	if l.task >= 0 {
		ch.Task = m.Study.Tasks[l.task].Label
	}
	groups, at := [][]int{}, map[string]int{}
	for _, p := range l.points {
		k := m.levelKey(p, ch.settings)
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], p)
	}
	ch.Tried = len(groups)
	if err := c.sameConditions(&ch, groups); err != nil {
		return ch, err
	}
	best, score := -1, math.NaN()
	for i, points := range groups {
		x := half(m.runs(points), 0)
		if slices.ContainsFunc(x, func(runs []float64) bool { return len(stats.Present(runs)) == 0 }) {
			continue // a setting without any run under some condition is not the best
		}
		if s := c.summary.Of(x); best < 0 || m.worse(score, s) {
			best, score = i, s
		}
	}
	if best < 0 {
		return ch, fmt.Errorf("no setting of arm %q has a result at all of its points on the replications of even number", ch.Arm)
	}
	ch.points, ch.Chosen = groups[best], number(score)
	ch.Judged = number(c.summary.Of(half(m.runs(ch.points), 1)))
	ch.Levels.names = make([]string, len(m.Study.Factors))
	for _, f := range ch.settings {
		ch.Levels.names[f] = m.scales.name(ch.points[0], f)
	}
	return ch, nil
}

// settings returns the factors of a line that are settings; see jobs.Settings.
func (m *Model) settings(l line) []int {
	return slices.DeleteFunc(m.Study.Settings(), func(f int) bool { return m.scales.at(l.points[0])[f] < 0 })
}

// sameConditions refuses settings that met different levels of the environment:
// the best one might have had the easiest.
func (c *Comparison) sameConditions(ch *choice, groups [][]int) error {
	m := c.m
	var rest []int
	for f := range m.Study.Factors {
		if !slices.Contains(ch.settings, f) {
			rest = append(rest, f)
		}
	}
	met := func(points []int) []string {
		var keys []string
		for _, p := range points {
			keys = append(keys, fmt.Sprint(m.cells[p].task)+"/"+m.levelKey(p, rest))
		}
		slices.Sort(keys)
		return keys
	}
	first := met(groups[0])
	for _, g := range groups[1:] {
		if !slices.Equal(met(g), first) {
			return fmt.Errorf("the settings of arm %q did not all meet the same levels of the environment, so none can be called the best: cross them, as `design: grid` does, or `design: [{kind: sobol, of: [...], points: 64}, {kind: grid, of: [...]}]`", ch.Arm)
		}
	}
	return nil
}

// facing returns the points of one choice that stand beside each of another's:
// the same task and levels, settings aside.
func (c *Comparison) facing(ours, theirs *choice) [][]int {
	m := c.m
	beside := make([][]int, len(ours.points))
	for task := range m.Study.Tasks {
		of := func(points []int) []int {
			return slices.DeleteFunc(slices.Clone(points), func(p int) bool { return int(m.cells[p].task) != task })
		}
		mine, others := of(ours.points), of(theirs.points)
		if len(mine) == 0 || len(others) == 0 {
			continue
		}
		// The factors both have are the same at all points of a task.
		factors := slices.DeleteFunc(m.common(mine[0], others[0]), func(f int) bool {
			return slices.Contains(ours.settings, f) || slices.Contains(theirs.settings, f)
		})
		groups := map[string][]int{}
		for _, q := range others {
			k := m.levelKey(q, factors)
			groups[k] = append(groups[k], q)
		}
		for i, p := range ours.points {
			if int(m.cells[p].task) == task {
				beside[i] = groups[m.levelKey(p, factors)]
			}
		}
	}
	return beside
}
