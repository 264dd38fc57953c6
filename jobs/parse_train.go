package jobs

import (
	"fmt"
	"slices"
	"strings"

	"overnight/internal/param"

	"overnight/jobs/internal/tree"
)

// Defaults of train and evaluate.
const (
	defaultEpisodes = 1000
	defaultFinal    = 100
	defaultChecks   = 20 // episodes of each evaluation in between
)

// oneStepEnv is the environment whose episodes are one step without noise, so
// that one of them says all.
const oneStepEnv = "function"

// budget reads train: exactly one of episodes, steps and updates.
func (p *parser) budget(n *tree.Node, what string) (b Budget, ok bool) {
	keys := []string{"episodes", "steps", "updates"}
	if n.Kind == tree.Scalar && n.Value != nil && n.Bad == nil {
		p.fail(n.Pos, what+" is "+n.String()+", not a mapping", "write train: {episodes: "+tree.Shorten(n.Text, 20)+"}")
		return b, false
	}
	before := len(p.problems)
	m := p.mapping(n, what, "train: {episodes: 1000}", keys...)
	if m == nil {
		return b, false
	}
	given := 0
	for i, into := range []*uint64{&b.Episodes, &b.Steps, &b.Updates} {
		v := m.Lookup(keys[i])
		if v == nil {
			continue
		}
		given++
		if p.varies(v, what+"."+keys[i]) {
			continue
		}
		*into, _ = p.count(v, what+"."+keys[i], 1)
	}
	if given != 1 && len(p.problems) == before {
		if given == 0 {
			p.fail(n.Pos, what+" gives no budget", "write train: {episodes: 1000}, or steps, or updates")
		} else {
			p.fail(n.Pos, fmt.Sprintf("%s gives %d budgets, and one ends the training", what, given), "write one of episodes, steps and updates")
		}
	}
	return b, len(p.problems) == before
}

// varies reports a factor where none can be.
func (p *parser) varies(n *tree.Node, what string) bool {
	s, _ := n.Value.(string)
	if !isFactor(n) && !strings.HasPrefix(s, "$") {
		return false
	}
	p.fail(n.Pos, what+" can't vary", "write a number; for several budgets, list the agent several times, each with its own train")
	return true
}

// evaluation reads train and evaluate, once it is known which environments are
// online by nature.
func (p *parser) evaluation() {
	s := p.s
	train, n := p.root.Lookup("train"), p.root.Lookup("evaluate")
	if train != nil {
		s.Train, _ = p.budget(train, "train")
	} else {
		s.Train = Budget{Episodes: defaultEpisodes}
	}
	switch {
	case n == nil:
		s.Evaluate.Online = p.onlineByNature()
	case n.Kind == tree.Mapping:
		p.schedule(n)
		return
	case n.Kind != tree.Scalar || n.Text != "online":
		example := "write evaluate: {final: 100}, or evaluate: online"
		if v, ok := n.Value.(int64); ok && v > 0 {
			example = fmt.Sprintf("write evaluate: {final: %d}", v)
		}
		if n.Kind == tree.Scalar && param.Nearest(n.Text, []string{"online"}) != "" {
			example = "did you mean online?"
		}
		p.fail(n.Pos, "evaluate is "+n.String()+", neither a mapping nor online", example)
		return
	default:
		s.Evaluate.Online = true
	}
	if !s.Evaluate.Online {
		s.Evaluate.Final = p.final()
		return
	}
	s.Train = Budget{}
	refuse := func(at tree.Pos) {
		if n != nil {
			p.fail(at, "train and evaluate: online exclude each other: the one learning run is the training", "leave one of the two out")
		} else {
			p.fail(at, "environment "+s.Tasks[0].Label+" is one learning run by nature, so there is nothing to train before", "leave train out, or write evaluate: {final: 100} to judge what was learned in separate episodes")
		}
	}
	if train != nil {
		refuse(p.keyOf("train"))
	}
	for i := range s.Arms {
		if s.Arms[i].Train != nil {
			refuse(p.arms[i].node.Lookup("train").Pos)
		}
	}
}

// onlineByNature tells whether all environments are, and reports a mixture.
func (p *parser) onlineByNature() bool {
	var online, others []string
	for t, spec := range p.specs {
		switch {
		case spec == nil:
		case spec.Online:
			online = append(online, p.s.Tasks[t].Label)
		default:
			others = append(others, p.s.Tasks[t].Label)
		}
	}
	if len(online) > 0 && len(others) > 0 {
		p.fail(p.keyOf("envs"), fmt.Sprintf("environment %s is one learning run by nature, and %s is not", online[0], others[0]), "say how to judge both: evaluate: online, or evaluate: {final: 100}")
	}
	return len(online) > 0 && len(others) == 0
}

// final is the default number of final evaluation episodes.
func (p *parser) final() uint64 {
	if !slices.ContainsFunc(p.s.Tasks, func(t Task) bool { return t.Env != oneStepEnv }) {
		return 1
	}
	return defaultFinal
}

// schedule reads evaluate: {every, episodes, final}.
func (p *parser) schedule(n *tree.Node) {
	e := &p.s.Evaluate
	e.Final = p.final()
	m := p.mapping(n, "evaluate", "evaluate: {final: 100}", "every", "episodes", "final")
	every, episodes := m.Lookup("every"), m.Lookup("episodes")
	for _, f := range []struct {
		key  string
		node *tree.Node
		into *uint64
	}{{"every", every, &e.Every}, {"episodes", episodes, &e.Episodes}, {"final", m.Lookup("final"), &e.Final}} {
		if f.node != nil && !p.varies(f.node, "evaluate."+f.key) {
			*f.into, _ = p.count(f.node, "evaluate."+f.key, 1)
		}
	}
	switch {
	case every == nil && episodes != nil:
		p.fail(episodes.Pos, "evaluate.episodes counts the episodes of checks during training, and there are none", "write final: for the final evaluation, or add every: 100")
	case every != nil && episodes == nil:
		e.Episodes = defaultChecks
	}
}

// objective reads what results are judged by.
func (p *parser) objective() {
	o := &p.s.Objective
	*o = Objective{Metric: "return", Summary: "mean"}
	n := p.root.Lookup("objective")
	if n == nil {
		return
	}
	if n.Kind == tree.Scalar && n.Value != nil && n.Bad == nil {
		p.fail(n.Pos, "objective is "+n.String()+", not a mapping", "write objective: {metric: "+tree.Shorten(n.Text, 40)+"}")
		return
	}
	m := p.mapping(n, "objective", "objective: {metric: return}", "metric", "goal", "summary")
	if m == nil {
		return
	}
	if v := m.Lookup("metric"); v != nil {
		if s, ok := p.text(v, "objective.metric", "the name of a metric"); ok {
			o.Metric = s
			o.Minimize = LowerIsBetter(s)
		}
	}
	if v := m.Lookup("goal"); v != nil {
		if s, ok := p.oneOf(v, "objective.goal", []string{"maximize", "minimize"}); ok {
			o.Minimize = s == "minimize"
		}
	}
	if v := m.Lookup("summary"); v != nil {
		if s, ok := p.oneOf(v, "objective.summary", summaries()); ok {
			o.Summary = s
		}
	}
}

// LowerIsBetter tells whether the name of a metric says so: regret and its kinds,
// violations, gaps, and times to something. It is the goal where none is given.
func LowerIsBetter(metric string) bool {
	for _, end := range []string{"regret", "violations", "gap"} {
		if metric == end || strings.HasSuffix(metric, "_"+end) {
			return true
		}
	}
	return strings.HasPrefix(metric, "time_to_")
}
