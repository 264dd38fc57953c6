package jobs

import (
	"fmt"
	"slices"

	"overnight/envs"
	"overnight/jobs/internal/tree"
)

// available are the metrics of a spec, all in all.
func (p *parser) available(spec *envs.Spec) []string {
	names := []string{"return"}
	if !p.s.Evaluate.Online {
		names = append(names, "return_sampled")
		names = append(names, envs.OptimumMetrics(spec)...)
	}
	for _, m := range spec.Metrics {
		if !slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}

// measure adds a metric that is not there yet.
func (p *parser) measure(metric string) {
	if !slices.Contains(p.s.Metrics, metric) {
		p.s.Metrics = append(p.s.Metrics, metric)
	}
}

// aim is what is known of where metrics are measured.
type aim struct {
	envs    map[string]int // metrics that an environment has: the first task of them
	own     map[string]int // metrics that an agent has: the first arm of them
	by      map[int]bool   // arms that measure the objective themselves, at one point at least
	lacking map[int]bool   // and arms with a point where nobody measures it
	task    string         // the environment of the first such point,
	levels  string         // and its levels
}

func newAim() aim {
	return aim{envs: map[string]int{}, own: map[string]int{}, by: map[int]bool{}, lacking: map[int]bool{}}
}

// measured adds what an environment and an agent measure at a point (names, own),
// and notes where the objective is none of either.
func (p *parser) measured(point *Point, names []string, own []envs.Metric) {
	goal := p.s.Objective.Metric
	has := slices.Contains(names, goal)
	for _, m := range own {
		p.measure(m.Name)
		if _, known := p.aim.own[m.Name]; !known {
			p.aim.own[m.Name] = point.Arm
		}
		if m.Name == goal {
			has, p.aim.by[point.Arm] = true, true
		}
	}
	if !has {
		if len(p.aim.lacking) == 0 {
			p.aim.task, p.aim.levels = p.s.Tasks[point.Task].Env, p.where(point)
		}
		p.aim.lacking[point.Arm] = true
	}
}

// engineMetrics are those that trials make of the return.
func engineMetrics() []string {
	return []string{"return", "return_sampled", "optimality", "regret", "upper_bound"}
}

// metrics fixes the list of metrics and checks the objective against it.
func (p *parser) metrics() {
	if !p.stochastic {
		p.s.Metrics = slices.DeleteFunc(p.s.Metrics, func(m string) bool { return m == "return_sampled" })
	}
	if len(p.problems) > 0 {
		return
	}
	for _, name := range p.s.Metrics {
		arm, own := p.aim.own[name]
		if task, has := p.aim.envs[name]; own && has {
			p.fail(p.arms[arm].name.Pos, fmt.Sprintf("agent %s measures %s, which is a metric of environment %s as well", p.s.Arms[arm].Agent, name, p.s.Tasks[task].Env), "choose another agent or another environment")
		}
	}
	m := p.s.Objective.Metric
	at := p.at("objective")
	if n := p.root.Lookup("objective").Lookup("metric"); n != nil {
		at = n.Pos
	}
	switch {
	case !slices.Contains(p.s.Metrics, m) && slices.Contains(engineMetrics(), m):
		p.fail(at, m+" is not measured in this study", "its metrics are "+enumerate(p.s.Metrics, 12))
	case !slices.Contains(p.s.Metrics, m):
		p.fail(at, fmt.Sprintf("there is no metric %s", tree.Shorten(m, 40)), suggest(m, "metrics", p.s.Metrics))
	case len(p.aim.lacking) > 0 && len(p.aim.by) > 0:
		p.fail(at, m+" is measured by "+p.measurers(), "choose a metric that every arm has, such as return; the results tell this one beside it")
	case len(p.aim.lacking) > 0:
		p.fail(at, fmt.Sprintf("%s is not measured on environment %s", m, p.aim.task+p.aim.levels), "choose a metric that is measured everywhere, such as return")
	}
	for i := range p.s.Factors {
		if f := &p.s.Factors[i]; f.Shared && slices.Contains(p.s.Metrics, f.Name) {
			p.fail(p.defs[i].node.Pos, fmt.Sprintf("the factor %s has the name of a metric", f.Name), "choose another name")
		}
	}
}

// measurers says which arms measure the objective: those that always do, or else
// those that do at some of their points.
func (p *parser) measurers() string {
	var always, partly []string
	for a := range p.s.Arms {
		switch label := p.s.Arms[a].Label; {
		case p.aim.by[a] && p.aim.lacking[a]:
			partly = append(partly, label)
		case p.aim.by[a]:
			always = append(always, label)
		}
	}
	arm := map[bool]string{true: "arm ", false: "arms "}
	switch {
	case len(partly) == 0:
		return arm[len(always) == 1] + enumerate(always, 4) + " only"
	case len(always) == 0:
		return arm[len(partly) == 1] + enumerate(partly, 4) + " only, and not at all points" + p.aim.levels
	}
	return arm[len(always) == 1] + enumerate(always, 4) + ", and by " + enumerate(partly, 4) + " at some points only"
}
