package answer

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"overnight/results/report"
	"overnight/results/sensitivity"
)

// dependence says what each learning arm's runs differ by: the share of each
// factor and of luck, and the levels between which the largest one moves it.
func (b *builder) dependence() []string {
	m := b.Model
	short := m.ShortFactors()
	names := m.Study.Columns()
	byArm := map[string][]report.ShareRow{}
	var order []string
	for _, r := range m.WhatMatters().Rows() {
		key := r.Task + "\x00" + r.Arm
		if byArm[key] == nil {
			order = append(order, key)
		}
		byArm[key] = append(byArm[key], r)
	}
	order = slices.DeleteFunc(order, func(key string) bool { return !b.learns(byArm[key][0].Task, byArm[key][0].Arm) })
	left := len(order) - maxNamed
	if left > 0 {
		rank := b.ranks()
		slices.SortStableFunc(order, func(x, y string) int { return cmp.Compare(rank[byArm[x][0].Arm], rank[byArm[y][0].Arm]) })
		order = order[:maxNamed]
	}
	var out []string
	for _, key := range order {
		rows := byArm[key]
		var parts []string
		moved, lucky, told := "", false, false // of the factors
		for _, r := range rows {
			share := float64(r.Share)
			if math.IsNaN(share) || r.Factor == report.Rest && share < .005 {
				continue
			}
			name := r.Factor
			if i := slices.Index(names, name); i >= 0 {
				name = short[i]
			}
			parts = append(parts, fmt.Sprintf("%s %s", name, report.SayShare(share)))
			if r.Best == "" || r.Best == r.Worst {
				continue
			}
			isLuck := b.isLuck(r.Task, r.Arm, r.Factor)
			lucky, told = lucky || isLuck, told || !isLuck
			if moved == "" && share >= .01 && !isLuck {
				moved = fmt.Sprintf(" Of the factors, %s moves it most: from a mean of %s at %s to %s at %s.", name,
					report.Say(float64(r.WorstMean), math.NaN(), math.NaN()), r.Worst, report.Say(float64(r.BestMean), math.NaN(), math.NaN()), r.Best)
			}
		}
		if len(parts) == 0 {
			continue
		}
		if lucky && !told {
			moved = " No factor can be told from luck."
		}
		where := rows[0].Arm
		if len(m.Study.Tasks) > 1 {
			where += " on " + rows[0].Task
		}
		out = append(out, fmt.Sprintf("What the runs of %s differ by (estimated shares of the variance): %s.%s", where, list(parts), moved))
	}
	if left > 0 && len(out) > 0 {
		out = append(out, fmt.Sprintf("For %s more see what matters, below.", counted(left, "learning arm")))
	}
	return out
}

// ranks returns each arm's place, the best first; of several tasks that on the
// last one.
func (b *builder) ranks() map[string]int {
	rank := map[string]int{}
	for _, g := range b.groups() {
		for i, s := range g {
			rank[s.Arm] = i
		}
	}
	return rank
}

// isLuck tells whether a factor of an arm can't be told from luck: what its levels
// differ by is then no effect to report.
func (b *builder) isLuck(task, arm, factor string) bool {
	if b.sens == nil {
		return false
	}
	m, luck := b.Model, false
	for _, a := range b.sens.Arms() {
		if m.Study.Arms[a.Line.Arm].Label != arm || m.Study.Tasks[a.Line.Task].Label != task {
			continue
		}
		for i := range a.Factors {
			switch f := &a.Factors[i]; {
			case f.Name != factor:
			case f.Told != sensitivity.Luck:
				return false
			default:
				luck = true
			}
		}
	}
	return luck
}

// learns tells whether an arm learns at a point of the task.
func (b *builder) learns(task, arm string) bool {
	m := b.Model
	for _, l := range m.Lines() {
		if m.Study.Arms[l.Arm].Label == arm && m.Study.Tasks[l.Task].Label == task {
			return slices.ContainsFunc(l.Points, m.Learns)
		}
	}
	return false
}
