package report

import (
	"fmt"
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results/stats"
)

// CompareTest is how a comparison decides.
type CompareTest string

// The tests.
const (
	// ByPermutation flips which arm is which: in whole replications where the arms
	// share their noise (Fisher 1935), between the runs of a point where they don't
	// (Pitman 1937). Its level holds for any distribution and any number of runs.
	ByPermutation CompareTest = "permutation"
	// ByT is the t test of the difference over replications, for means alone. It can
	// reject from two runs on, and holds its level where differences are near normal.
	ByT CompareTest = "t"
)

// CompareOptions say which arms are compared and how.
type CompareOptions struct {
	// Against is the label of the arm that the others are compared with. Defaults to
	// the study's baseline.
	Against string
	// AllPairs compares every two arms instead.
	AllPairs bool
	// ByPoint compares at each point by itself instead of over all points of a task.
	ByPoint bool
	// Select chooses the best of each arm's own settings on the replications of even
	// number and compares the chosen ones on those of odd number.
	Select bool
	// Test defaults to ByPermutation.
	Test CompareTest
	// Stop is asked before each row; its error ends the comparison. Nil: nothing does.
	Stop func() error
}

// Verdict is what a comparison comes to at the level of the table's intervals,
// after Holm's adjustment for all of the table's decisions.
type Verdict string

// The verdicts.
const (
	Better   Verdict = "better"
	Worse    Verdict = "worse"
	NotApart Verdict = "not told apart"
	// TooFew: no outcome of so many runs could have told the arms apart in a table
	// of so many decisions.
	TooFew Verdict = "too few runs to tell"
)

// CompareRow is an arm beside another, in the units of the objective.
type CompareRow struct {
	Task    string  `json:"task"` // empty where all tasks are pooled
	Arm     string  `json:"arm"`
	Against string  `json:"against"`
	Point   *uint64 `json:"point,omitempty"` // of ByPoint: the arm's
	Levels  *levels `json:"levels,omitempty"`
	Points  int     `json:"points"` // the arm's, with one of the other beside them
	Alone   int     `json:"alone"`  // the arm's points that have none
	// Runs counts the pairs of runs compared; unpaired, the runs of the arm.
	Runs int `json:"runs"`
	// Units is how many independent numbers the test had: replications, or the rows
	// of a sampled design without replications.
	Units int `json:"units"`
	// Lacking pairs have a run on one side alone and are left out; Failed and
	// AgainstFailed count the runs of both sides that failed, died or overran.
	Lacking       int    `json:"lacking"`
	Failed        uint64 `json:"failed"`
	AgainstFailed uint64 `json:"against_failed"`

	Value          number `json:"value"` // the objective's summary of the arm
	AgainstValue   number `json:"against_value"`
	Difference     number `json:"difference"` // Value less AgainstValue
	DifferenceLow  number `json:"difference_low"`
	DifferenceHigh number `json:"difference_high"`
	// Improvement is the probability that a run of the arm is better than any run of
	// the other at the same point, ties counting one half; mean over points.
	Improvement     number `json:"improvement"`
	ImprovementLow  number `json:"improvement_low"`
	ImprovementHigh number `json:"improvement_high"`
	// Wins is the share of pairs of one replication in which the arm is better, ties
	// counting one half. NaN unpaired.
	Wins number `json:"wins"`

	P        number  `json:"p"`
	Least    number  `json:"p_least"`    // the least P that so many runs could give
	Adjusted number  `json:"p_adjusted"` // after Holm
	Verdict  Verdict `json:"verdict"`

	// Correlation of both sides over replications, and Reduction: how many times the
	// variance of the difference would be as large without shared noise. NaN
	// unpaired.
	Correlation number `json:"correlation"`
	Reduction   number `json:"variance_reduction"`

	// Chosen settings, with Select.
	Setting        *Selection `json:"setting,omitempty"`
	AgainstSetting *Selection `json:"against_setting,omitempty"`

	overRows bool
	several  bool // points of the other are averaged beside one
}

// Comparison is a table of arms beside others.
type Comparison struct {
	m       *Model
	o       CompareOptions
	rows    []CompareRow
	columns []string // of levels and settings
	picked  []Selection
	summary stats.Statistic
}

// Rows returns the comparisons, by task and arm in the study's order.
func (c *Comparison) Rows() []CompareRow { return c.rows }

// Family returns how many decisions the table takes: what P is adjusted for.
func (c *Comparison) Family() int { return len(c.rows) }

// Notes says how the table's numbers were made.
func (c *Comparison) Notes() []string { return c.notes() }

// Selections returns the settings chosen with Select, by task and arm.
func (c *Comparison) Selections() []Selection { return c.picked }

// Compare compares arms within tasks; for `optimality`, whose unit is the same
// everywhere, over all tasks together. Points stand beside each other as in
// ArmTable. It is refused above MaxTrials, without an arm to compare with, and
// where settings can't be chosen.
func (m *Model) Compare(o CompareOptions) (*Comparison, error) {
	if o.Test == "" {
		o.Test = ByPermutation
	}
	if !o.AllPairs && o.Against == "" {
		o.Against = m.Study.Baseline
	}
	if err := m.comparable(&o); err != nil {
		return nil, err
	}
	c := &Comparison{m: m, o: o, columns: m.Study.Columns(), summary: m.statistic()}
	duels, err := c.duels()
	if err != nil {
		return nil, err
	}
	for i := range duels {
		if err := stopped(o.Stop); err != nil {
			return nil, err
		}
		c.rows = append(c.rows, c.row(&duels[i], len(duels)))
	}
	c.decide()
	return c, nil
}

// stopped asks stop, if there is one.
func stopped(stop func() error) error {
	if stop == nil {
		return nil
	}
	return stop()
}

// comparable says what stands in the way of a comparison.
func (m *Model) comparable(o *CompareOptions) error {
	s := m.Study
	var labels []string
	for _, a := range s.Arms {
		labels = append(labels, a.Label)
	}
	switch {
	case !m.whole() || !m.byPoint():
		return fmt.Errorf("study %q has %d trials, more than the %d whose runs can be compared; `overnight export %s` has them all", s.Name, m.layout.Trials(), m.limits.trials, s.Name)
	case len(s.Arms) < 2:
		return fmt.Errorf("study %q has one arm, %q, and nothing to compare it with; add another under `agents`", s.Name, s.Arms[0].Label)
	case o.AllPairs && o.Against != "":
		return fmt.Errorf("all pairs of arms and a comparison with %q alone: choose one of them", o.Against)
	case !o.AllPairs && o.Against == "":
		return fmt.Errorf("study %q has no baseline; write --baseline ARM with one of %q, or --all-pairs", s.Name, labels)
	case !o.AllPairs && !slices.Contains(labels, o.Against):
		return fmt.Errorf("study %q has no arm %q to compare with; it has %q", s.Name, o.Against, labels)
	case o.Test != ByPermutation && o.Test != ByT:
		return fmt.Errorf("there is no test %q; write permutation or t", o.Test)
	case o.Test == ByT && m.statistic() != stats.ByMean:
		return fmt.Errorf("the t test is about means, and study %q sums runs up by their %s; use the permutation test", s.Name, m.statistic())
	case o.Select && s.Replications < 2:
		return fmt.Errorf("settings are chosen on one half of the replications and judged on the other, and study %q has one replication; write `replications: 20`", s.Name)
	}
	return nil
}

// duel is a line beside another arm.
type duel struct {
	line   line
	beside [][]int
	other  int
	point  int // of ByPoint, else -1
	ours   *Selection
	theirs *Selection
}

// duels returns the comparisons to make.
func (c *Comparison) duels() ([]duel, error) {
	m := c.m
	against := slices.IndexFunc(m.Study.Arms, func(a jobs.Arm) bool { return a.Label == c.o.Against })
	lines := m.lines(m.pooled())
	var chosen []choice
	if c.o.Select {
		for _, l := range lines {
			ch, err := c.choose(l)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, ch)
			c.picked = append(c.picked, ch.Selection)
		}
	}
	var all []duel
	for i, l := range lines {
		for k, o := range lines {
			if o.task != l.task || c.o.AllPairs && o.arm <= l.arm || !c.o.AllPairs && (o.arm != against || l.arm == against) {
				continue
			}
			d := duel{line: l, other: o.arm, point: -1}
			if c.o.AllPairs { // the later arm less the earlier one, which is the simpler as a rule
				d.line, d.other = o, l.arm
			}
			if c.o.Select {
				ours, theirs := &chosen[i], &chosen[k]
				if c.o.AllPairs {
					ours, theirs = theirs, ours
				}
				d.line.points, d.beside = ours.points, c.facing(ours, theirs)
				d.ours, d.theirs = &ours.Selection, &theirs.Selection
			} else {
				d.beside = m.besides(d.line, d.other)
			}
			if !c.o.ByPoint {
				all = append(all, d)
				continue
			}
			for at, p := range d.line.points {
				if len(d.beside[at]) > 0 {
					one := d
					one.line.points, one.beside, one.point = []int{p}, d.beside[at:at+1], p
					one.line.task = int(m.cells[p].task)
					all = append(all, one)
				}
			}
		}
	}
	return all, nil
}

// decide adjusts the P of all rows and gives the verdicts.
func (c *Comparison) decide() {
	p, least := make([]float64, len(c.rows)), make([]float64, len(c.rows))
	for i := range c.rows {
		p[i], least[i] = float64(c.rows[i].P), float64(c.rows[i].Least)
	}
	p, least = stats.Holm(p), stats.Holm(least)
	for i := range c.rows {
		r := &c.rows[i]
		r.Adjusted = number(p[i])
		d := float64(r.Difference)
		switch {
		case math.IsNaN(p[i]) || least[i] > 1-level:
			r.Verdict = TooFew
		case p[i] > 1-level || d == 0:
			r.Verdict = NotApart
		case (d > 0) != c.m.Study.Objective.Minimize:
			r.Verdict = Better
		default:
			r.Verdict = Worse
		}
	}
}
