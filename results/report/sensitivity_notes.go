package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/jobs/design"
	"overnight/results/sensitivity"
	"overnight/results/stats"
)

// notes are those of the arms, once each, with the arms' names where they
// differ.
func (t *SensitivityTable) notes() []string {
	var out []string
	var who [][]string
	var most *SensitivityArm // whose indices moved most
	for i := range t.arms {
		a := &t.arms[i]
		label := t.label(a)
		if a.settled != "" && (most == nil || a.moved > most.moved) {
			most = a
		}
		for _, n := range a.Notes {
			k := slices.Index(out, n)
			if k < 0 {
				k = len(out)
				out, who = append(out, n), append(who, nil)
			}
			who[k] = append(who[k], label)
		}
	}
	for k := range out {
		if len(who[k]) < len(t.arms) {
			label := strings.Join(who[k][:min(len(who[k]), 3)], "; ")
			if more := len(who[k]) - 3; more > 0 {
				label += fmt.Sprintf(" and %d more", more)
			}
			out[k] = clean(label) + ": " + out[k]
		}
	}
	if most != nil {
		s := "Convergence: "
		if len(t.arms) > 1 {
			s += clean(t.label(most)) + ", "
		}
		out = append(out, s+most.settled)
	}
	if t.o.Second {
		out = append(out, "A row `a with b` is the share of their interaction alone.")
	}
	return out
}

// label names an analysis.
func (t *SensitivityTable) label(a *SensitivityArm) string {
	label := a.Arm
	if len(t.m.Study.Tasks) > 1 {
		label = a.Task + " " + label
	}
	if a.Within != "" {
		label += ", " + a.Within
	}
	return label
}

// notes say what an arm's numbers are and are not.
func (x *analysis) notes() []string {
	r, a := &x.arm.Result, x.arm
	reps := int(x.m.Study.Replications)
	notes := []string{x.scope()}
	notes = append(notes, x.luck(reps))
	if r.Missing > 0 {
		notes = append(notes, x.missing())
	}
	if a.Method == RankPRCC || a.Method == ForestFANOVA {
		if !math.IsNaN(r.Explained) {
			notes = append(notes, fmt.Sprintf("The forest explains %s of the points' variance at points it has not seen; the rest is luck, or more than so many points teach.", percent(r.Explained)))
		}
		if r.N == sensitivity.MaxForest && len(x.points) > r.N {
			notes = append(notes, fmt.Sprintf("The forest is grown on a seeded sample of %d of %d points.", r.N, len(x.points)))
		}
		if named := x.unranked(); a.Method == RankPRCC && len(named) > 0 {
			notes = append(notes, "No rank correlation of "+strings.Join(named, ", ")+": its levels have no order.")
		}
	}
	if a.Method == EffectShares && !math.IsNaN(r.Explained) {
		notes = append(notes, fmt.Sprintf("The response surface explains %s of the variance of the points it is fitted to.", percent(r.Explained)))
	}
	a.moved, a.settled = x.settled()
	return notes
}

// scope says what the analysis is over.
func (x *analysis) scope() string {
	r, a := &x.arm.Result, x.arm
	runs := " x " + plural(x.m.Study.Replications, "replication")
	switch a.Method {
	case SobolIndices:
		return count(r.N, "base sample") + runs + "; first order: the factor alone; total: with all its interactions. Intervals resample base samples."
	case MorrisScreen:
		return fmt.Sprintf("%d trajectories%s; mu*: mean size of the change over a factor's range, mu: its mean, sigma: how much it differs from place to place. Intervals are over trajectories.", r.N, runs)
	case RankPRCC, ForestFANOVA:
		return count(len(x.points), "point") + runs + "; intervals are over halves of the rows for importance, over resampled rows for rank correlation."
	case EffectShares:
		if x.sampled && x.sample.Kind == design.OAT {
			return count(r.N, "point") + runs + "; one factor at a time: interactions can't be seen, and shares are as if there were none."
		}
		if len(r.Pairs) == 0 && len(x.factors) > 1 {
			return count(r.N, "point") + runs + "; not all combinations of levels, so main effects only."
		}
	}
	return count(r.N, "point") + runs + "; intervals are over replications, of which they need three."
}

// luck says what luck is told by.
func (x *analysis) luck(reps int) string {
	paired := x.m.Study.Paired
	switch {
	case reps > 1 && paired == jobs.PairedAll && (x.arm.Method == SobolIndices || x.arm.Method == MorrisScreen):
		s := fmt.Sprintf("Told from luck: the %d replications agree on it beyond what luck gives a factor without effect. They are the same %[1]d draws of luck at every point", reps)
		if x.arm.Method == SobolIndices && reps >= stats.MinBootstrap {
			return s + ", and intervals resample them too."
		}
		return s + ", and intervals are about these alone; `paired: row` draws luck anew."
	case reps > 1 && (x.arm.Method == RankPRCC || x.arm.Method == ForestFANOVA):
		return "Luck: what runs of one point differ in. Told from luck: a rank correlation whose interval does not hold 0, or an importance above that of a column without meaning."
	case reps > 1:
		return "Luck: what runs of one point differ in. Told from luck: more than luck gives a factor without effect, which is not zero."
	case x.arm.Method == RankPRCC || x.arm.Method == ForestFANOVA:
		return "One replication can't tell luck from what a forest does not explain; told from luck: a rank correlation whose interval does not hold 0, or an importance above that of a column without meaning."
	case paired == jobs.PairedAll:
		return "One replication, with one luck for all points: nothing here tells luck from effects; `replications: 2` or more does."
	case x.arm.Method == SobolIndices && paired == jobs.PairedRow:
		return "One replication, with one luck a base sample: luck's first order is what it moves whole base samples by; its interactions stand in the factors' indices. Told from luck: a first order above 0, or a total above another factor's."
	case x.arm.Method == SobolIndices || x.arm.Method == MorrisScreen:
		return "One replication: luck is in the indices and has none of its own. Told from luck: an effect with one direction, or one above another factor's."
	}
	return "One replication can't tell luck from interactions; `replications: 3` or more does."
}

// missing says what is missing and what it may change.
func (x *analysis) missing() string {
	r := &x.arm.Result
	stopped := 0 // what was not wanted: those points were settled
	for _, p := range x.points {
		stopped += x.m.reps - int(min(x.m.Planned(p), uint64(x.m.reps)))
	}
	var gaps []string
	if lost := r.Missing - stopped; lost > 0 {
		gaps = append(gaps, fmt.Sprintf("%d of %d runs are missing or failed", lost, r.Runs+r.Missing))
	}
	if stopped > 0 {
		gaps = append(gaps, fmt.Sprintf("%d of %d runs were not made, since their points had stopped", stopped, r.Runs+r.Missing))
	}
	s := strings.Join(gaps, " and ") + "; "
	switch x.arm.Method {
	case SobolIndices:
		s += fmt.Sprintf("%d of %d base samples are whole, and each index uses those that have the runs it needs.", r.Rows, r.N)
	case MorrisScreen:
		s += fmt.Sprintf("%d of %d trajectories are whole, and each effect needs its two runs.", r.Rows, r.N)
	case EffectShares:
		s += "a point without any run is filled in from main effects."
	default:
		s += "points without any run are left out."
	}
	short := shortNames(x.m.Study.Columns())
	most, name, low, high := 0.0, "", 0.0, 0.0
	for i := range r.Factors {
		h := r.Factors[i].Holes
		if h == nil {
			continue
		}
		e, v := r.Factors[i].Total.Value, []float64{h.TotalWorst, h.TotalBest}
		switch {
		case x.arm.Method == MorrisScreen:
			e = r.Factors[i].MuStar.Value
		case x.arm.Method == RankPRCC:
			e, v = r.Factors[i].PRCC.Value, []float64{h.FirstWorst, h.FirstBest}
		case math.IsNaN(v[0]):
			e, v = r.Factors[i].First.Value, []float64{h.FirstWorst, h.FirstBest}
		}
		if shift := max(math.Abs(v[0]-e), math.Abs(v[1]-e)); shift > most {
			most, name, low, high = shift, clean(short[x.factors[i]]), min(v[0], v[1], e), max(v[0], v[1], e)
		}
	}
	if name != "" {
		f := formatFor(high, (high-low)/2)
		s += fmt.Sprintf(" With the worst or the best score in their place, %s, which moves most, would be between %s and %s.", name, f.text(low), f.text(high))
	}
	return s
}

// settled says how far the main index moved between half of the sample and all
// of it, of the factor whose moved most.
func (x *analysis) settled() (moved float64, says string) {
	most, name, n := 0.0, "", 0
	short := shortNames(x.m.Study.Columns())
	for i := range x.arm.Result.Factors {
		s := x.arm.Result.Factors[i].Steps
		if len(s) < 2 {
			continue
		}
		last, half := s[len(s)-1], s[len(s)-2]
		d := math.Abs(last.Total.Value - half.Total.Value)
		if math.IsNaN(d) {
			d = math.Abs(last.First.Value - half.First.Value)
		}
		if d >= most {
			most, name, n = d, clean(short[x.factors[i]]), half.N
		}
	}
	if name == "" {
		return 0, ""
	}
	unit := map[string]string{SobolIndices: "base samples", MorrisScreen: "trajectories", EffectShares: "replications", RankPRCC: "points"}[x.arm.Method]
	return most, fmt.Sprintf("from the first %d %s to all, the index that moved most, of %s, moved by %s.", n, unit, name, formatFor(most, most/2).text(most))
}

// unranked names the factors without an order.
func (x *analysis) unranked() []string {
	var out []string
	short := shortNames(x.m.Study.Columns())
	for _, f := range x.factors {
		if x.values(f) == nil {
			out = append(out, clean(short[f]))
		}
	}
	return out
}
