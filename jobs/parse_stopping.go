package jobs

import (
	"fmt"
	"math"
	"slices"

	"overnight/jobs/internal/tree"
)

// stoppingExample is what to write instead of something else.
const stoppingExample = "replications: {min: 20, max: 100, until: {half_width: 0.01}}"

// stopping reads replications: {min, max, check_at, until}.
func (p *parser) stopping(n *tree.Node) {
	s := p.s
	m := p.mapping(n, "replications", stoppingExample, "min", "max", "check_at", "until")
	least, okMin := p.needed(n, "replications", "min", 2, "how many replications every point gets")
	most, okMax := p.needed(n, "replications", "max", 2, "how many replications a point gets at most")
	t := &Stopping{}
	until := m.Lookup("until")
	if until == nil {
		p.fail(n.Pos, "replications says not until when: the key until is missing", "write until: {half_width: 0.01}, or one number, such as replications: 30")
	} else {
		p.until(until, t)
	}
	if !okMin || !okMax {
		return
	}
	if least > most {
		p.fail(m.Lookup("min").Pos, fmt.Sprintf("replications.min is %d, above the max of %d", least, most), "write a min of at most max")
		return
	}
	t.CheckAt = defaultStages(least, most)
	if at := m.Lookup("check_at"); at != nil {
		t.CheckAt = p.checkAt(at, least, most)
	}
	if n := len(t.CheckAt); n > 1 && t.CheckAt[n-1] == most {
		t.CheckAt = t.CheckAt[:n-1] // a point ends there anyway
	}
	s.Replications, s.Stopping = most, t
}

// needed reads a count that a mapping must have.
func (p *parser) needed(n *tree.Node, what, key string, least uint64, means string) (uint64, bool) {
	v := n.Lookup(key)
	if v == nil {
		p.fail(n.Pos, fmt.Sprintf("%s says not %s: the key %s is missing", what, means, key), "write "+key+": "+map[string]string{"min": "20", "max": "100", "top": "3", "replications": "30"}[key])
		return 0, false
	}
	return p.count(v, what+"."+key, least)
}

// checkAt reads the stages, and puts min in front where it is not there.
func (p *parser) checkAt(n *tree.Node, least, most uint64) []uint64 {
	if n.Kind != tree.List || len(n.Items) == 0 {
		p.fail(n.Pos, "replications.check_at is "+n.String()+", not a list of numbers", fmt.Sprintf("write check_at: [%d, %d]", least, most))
		return []uint64{least}
	}
	stages := []uint64{least}
	for i, item := range n.Items {
		what := fmt.Sprintf("replications.check_at[%d]", i)
		v, ok := p.count(item, what, 1)
		last := stages[len(stages)-1]
		switch {
		case !ok:
			return stages
		case v < least || v > most:
			p.fail(item.Pos, fmt.Sprintf("%s is %d, outside min %d to max %d", what, v, least, most), "write numbers between the two")
			return stages
		case i == 0 && v == least:
		case v <= last:
			p.fail(item.Pos, fmt.Sprintf("%s is %d, not above %d before it", what, v, last), "write ascending numbers, each once")
			return stages
		default:
			stages = append(stages, v)
		}
	}
	if len(stages) > MaxStages {
		p.fail(n.Pos, fmt.Sprintf("replications.check_at has %d stages, more than %d", len(stages), MaxStages), "write a few: every look costs some coverage")
		return stages[:MaxStages]
	}
	return stages
}

// until reads what a point has to reach. The arm is looked up by difference, once
// the arms are known.
func (p *parser) until(n *tree.Node, t *Stopping) {
	m := p.mapping(n, "replications.until", "until: {half_width: 0.01}", "difference_from", "half_width", "relative")
	if m == nil {
		return
	}
	given := 0
	for _, f := range []struct {
		key  string
		into *float64
	}{{"half_width", &t.HalfWidth}, {"relative", &t.Relative}} {
		v := m.Lookup(f.key)
		if v == nil {
			continue
		}
		given++
		what := "replications.until." + f.key
		x, ok := p.number(v, what)
		if ok && (x <= 0 || math.IsInf(x, 0)) {
			p.fail(v.Pos, what+" is "+v.Text+", not above 0", "write how wide half of the 95 % interval may be, such as 0.01")
		}
		*f.into = x
	}
	if given != 1 {
		what := "gives no width"
		if given > 1 {
			what = "gives half_width and relative, and one is enough"
		}
		p.fail(n.Pos, "replications.until "+what, "write half_width: 0.01 in units of the objective, or relative: 0.02 as a share of the summary")
	}
}

// number reads any number.
func (p *parser) number(n *tree.Node, what string) (float64, bool) {
	v, ok := p.scalar(n)
	if n.Bad != nil {
		return 0, false
	}
	switch v := v.(type) {
	case int64:
		return float64(v), ok
	case float64:
		return v, ok
	}
	p.fail(n.Pos, what+" is "+n.String()+", not a number", "write a number")
	return 0, false
}

// difference reads replications.until.difference_from, also where something else
// is wrong with replications.
func (p *parser) difference() {
	n := p.root.Lookup("replications").Lookup("until").Lookup("difference_from")
	if n == nil {
		return
	}
	label, ok := p.text(n, "replications.until.difference_from", "the label of an arm")
	if !ok {
		return
	}
	var arms []string
	for i := range p.s.Arms {
		arms = append(arms, p.s.Arms[i].Label)
	}
	switch {
	case len(arms) == 0: // said already
	case !slices.Contains(arms, label):
		p.fail(n.Pos, fmt.Sprintf("replications.until.difference_from is %s, which is no arm", tree.Shorten(label, 40)), suggest(label, "arms", arms))
	case len(arms) == 1:
		p.fail(n.Pos, "the study has one arm, which can't differ from itself", "leave difference_from out: then the width is that of the arm's own summary")
	case p.s.Stopping != nil:
		p.s.Stopping.DifferenceFrom = label
	}
}

// confirm reads confirm: {of, top, replications}. The arms are looked up by top,
// once they are known.
func (p *parser) confirm(n *tree.Node) {
	if m := p.mapping(n, "confirm", "confirm: {top: 3, replications: 30}", "of", "top", "replications"); m == nil {
		return
	}
	top, ok := p.needed(n, "confirm", "top", 1, "how many points of each environment to confirm")
	reps, ok2 := p.needed(n, "confirm", "replications", 2, "how often they run again")
	if ok && ok2 {
		p.s.Confirm = &Confirm{Top: top, Replications: reps}
	}
}

// ruledSize checks that what decides can be kept in memory.
func (p *parser) ruledSize() {
	switch {
	case !p.s.Ruled():
	case p.s.Points() > MaxRuledPoints:
		p.fail(p.ruleAt(), fmt.Sprintf("the study has %d points, and results decide how often they run for at most %d", p.s.Points(), MaxRuledPoints), "write one number of replications, and leave confirm out")
	case p.s.Trials() > MaxRuledTrials:
		p.fail(p.ruleAt(), fmt.Sprintf("the study may have %d trials, and results decide which of them run for at most %d", p.s.Trials(), uint64(MaxRuledTrials)), "write a smaller max")
	}
}

// ruleAt is the place of replications where they stop, or of confirm.
func (p *parser) ruleAt() tree.Pos {
	if p.s.Stopping != nil {
		return p.at("replications")
	}
	return p.at("confirm")
}

// confirmed finds the arms of which the best points are confirmed - all but the
// one that runs along and those that ask for the best action, unless the file
// names them - and checks that they have enough points.
func (p *parser) confirmed() {
	s := p.s
	if s.Confirm == nil || len(p.problems) > 0 {
		return
	}
	top := p.root.Lookup("confirm").Lookup("top")
	if p.root.Lookup("confirm").Lookup("of") == nil {
		for i := range s.Arms {
			if label := s.Arms[i].Label; label != s.Reference() && !p.oracles[i] {
				s.Confirm.Of = append(s.Confirm.Of, label)
			}
		}
	}
	for t, n := range s.candidates() {
		if s.Confirm.Top <= n {
			continue
		}
		where := "the study has"
		if len(s.Tasks) > 1 {
			where = "environment " + s.Tasks[t].Label + " has"
		}
		if len(s.Confirm.Of) < len(s.Arms) {
			where += " of " + enumerate(s.Confirm.Of, 4)
		}
		if len(s.Confirm.Of) == 0 {
			p.fail(top.Pos, "no point can be confirmed: the baseline runs along, and the other arms know the best action", "leave confirm out, or name arms with of: [LABEL]")
			return
		}
		p.fail(top.Pos, fmt.Sprintf("confirm.top is %d, more than the %d points that %s", s.Confirm.Top, n, where), "write a smaller number: the points that look best run again, to see what their luck was")
		return
	}
}

// confirmOf reads confirm.of, also where something else is wrong with confirm.
func (p *parser) confirmOf() {
	n := p.root.Lookup("confirm").Lookup("of")
	if n == nil || len(p.s.Arms) == 0 {
		return
	}
	if n.Kind != tree.List || len(n.Items) == 0 {
		p.fail(n.Pos, "confirm.of is "+n.String()+", not a list of arms", "write of: [LABEL], or leave it out for all arms but the baseline")
		return
	}
	var arms []string
	for i := range p.s.Arms {
		if label := p.s.Arms[i].Label; label != p.s.Reference() {
			arms = append(arms, label)
		}
	}
	var of []string
	for i, item := range n.Items {
		label, ok := p.text(item, fmt.Sprintf("confirm.of[%d]", i), "the label of an arm")
		switch {
		case !ok:
		case label == p.s.Reference():
			p.fail(item.Pos, fmt.Sprintf("confirm.of names %s, which runs along with every point that is confirmed", label), "leave it out")
		case slices.Contains(of, label):
			p.fail(item.Pos, "confirm.of names "+label+" twice", "leave one out")
		case !slices.Contains(arms, label):
			p.fail(item.Pos, fmt.Sprintf("confirm.of names %s, which is no arm", tree.Shorten(label, 40)), suggest(label, "arms", arms))
		default:
			of = append(of, label)
		}
	}
	if p.s.Confirm != nil {
		p.s.Confirm.Of = of
	}
}
