package jobs

import (
	"fmt"
	"slices"
	"strings"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// Bounds of what checkPairs tries.
const (
	allPoints    = 10_000 // studies of that many points are tried whole
	spreadPoints = 1_000  // of larger ones, beside every level of every pair
	levelPoints  = 50_000 // at most so many of these
)

// pointsToTry returns the numbers of points to try, ascending.
func (p *parser) pointsToTry() []uint64 {
	l := p.s.layout
	var list []uint64
	if l.points <= allPoints {
		for i := range l.points {
			list = append(list, i)
		}
		return list
	}
	for i := range l.pairs {
		pr := &l.pairs[i]
		strides, _ := pr.radix.Strides() // the product fits: prepare checked it
		list = append(list, pr.first)
		for d, n := range pr.radix {
			for k := uint64(1); k < min(n, maxLevels) && len(list) < levelPoints; k++ {
				list = append(list, pr.first+k*strides[d])
			}
		}
	}
	for i := range uint64(spreadPoints) {
		list = append(list, i*(l.points/spreadPoints))
	}
	list = append(list, l.points-1)
	slices.Sort(list)
	return slices.Compact(list)
}

// checkPairs makes the environment and the agent of every point to try, and
// notes which metrics they have.
func (p *parser) checkPairs() {
	var point Point
	var tasks, arms = make([]madeEnv, len(p.tasks)), make([]agents.Agent, len(p.arms))
	said := map[string]bool{}
	for _, i := range p.pointsToTry() {
		err := p.s.Resolve(i, &point)
		src := &p.arms[point.Arm]
		if err == nil {
			var env envs.Env
			if env, err = p.makeEnv(&point, &tasks[point.Task]); err != nil {
				src = &p.tasks[point.Task]
			} else {
				arms[point.Arm], err = p.makeAgent(&point, env, arms[point.Arm])
			}
		} else if strings.HasPrefix(err.Error(), "environment ") {
			src = &p.tasks[point.Task]
		}
		if err == nil {
			continue
		}
		if key := fmt.Sprintf("%d %d %v", point.Task, point.Arm, err); !said[key] {
			said[key] = true
			p.refused(src, err, p.nodesOf(&point), p.where(&point))
		}
		if len(p.problems) > maxProblems {
			return
		}
	}
}

// madeEnv is a task's environment, kept from point to point.
type madeEnv struct {
	env  envs.Env
	tree *param.Map
	at   uint64 // version of tree
}

func (p *parser) makeEnv(point *Point, made *madeEnv) (envs.Env, error) {
	now := point.work.tasks[point.Task]
	if made.env != nil && made.tree == now.tree && made.at == now.version {
		return made.env, nil
	}
	env, err := p.cat.Env(p.s.Tasks[point.Task].Env).New(point.Env, made.env)
	if err != nil {
		made.env = nil
		return nil, err
	}
	*made = madeEnv{env, now.tree, now.version}
	p.note(env.Spec(), point)
	return env, nil
}

func (p *parser) makeAgent(point *Point, env envs.Env, reuse agents.Agent) (agents.Agent, error) {
	factory := p.cat.Agent(p.s.Arms[point.Arm].Agent)
	agent, err := fit(factory, point.Agent, env.Spec(), reuse)
	if err != nil {
		return nil, err
	}
	traits := factory.Traits(point.Agent)
	if traits.Stochastic {
		p.stochastic = true
	}
	for _, m := range traits.Metrics {
		p.measure(m.Name)
	}
	if _, needs := agent.(agents.NeedsOracle); needs {
		if p.oracles == nil {
			p.oracles = map[int]bool{}
		}
		p.oracles[point.Arm] = true
		if _, has := env.(envs.Oracle); !has {
			return nil, fmt.Errorf("%s asks for the best action, and environment %s does not know it", factory.Name(), p.s.Tasks[point.Task].Label)
		}
	}
	if n, ok := agent.(agents.NeedsAttribution); ok && n.UsesAttribution() {
		if _, has := env.(envs.Attributor); !has {
			return nil, fmt.Errorf("%s asks what each action brings, and environment %s does not know it", factory.Name(), p.s.Tasks[point.Task].Label)
		}
	}
	if _, counts := agent.(agents.Updater); point.Train.Updates > 0 && !counts {
		at := p.at("train")
		if own := p.arms[point.Arm].node.Lookup("train"); own != nil {
			at = own.Pos
		}
		p.fail(at, fmt.Sprintf("agent %s of arm %s counts no updates", factory.Name(), p.s.Arms[point.Arm].Label), "write train: {episodes: ...} or {steps: ...}")
	}
	return agent, nil
}

// nodesOf is where the values of a point's factors stand.
func (p *parser) nodesOf(point *Point) levelNodes {
	nodes := levelNodes{}
	for _, l := range point.Levels {
		if l.Level >= 0 {
			nodes[l.Factor] = p.defs[l.Factor].levels[l.Level]
		} else {
			nodes[l.Factor] = p.defs[l.Factor].value
		}
	}
	return nodes
}

// where names a point by its environment, if there are several, and its levels.
func (p *parser) where(point *Point) string {
	if len(point.Levels) == 0 {
		return p.on(point.Task)
	}
	var parts []string
	if len(p.s.Tasks) > 1 {
		parts = append(parts, "environment "+p.s.Tasks[point.Task].Label)
	}
	for _, l := range point.Levels {
		parts = append(parts, p.s.Factors[l.Factor].Name+" = "+l.Name)
	}
	return " (with " + enumerate(parts, 4) + ")"
}

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

// note remembers the metrics of an environment at a point, and the first point
// where the objective is none of them.
func (p *parser) note(spec *envs.Spec, point *Point) {
	names := p.available(spec)
	for _, m := range names {
		p.measure(m)
	}
	if m := p.s.Objective.Metric; !slices.Contains(names, m) && p.unmeasured == "" {
		p.unmeasured = p.s.Tasks[point.Task].Env + p.where(point)
	}
}

// metrics fixes the list of metrics and checks the objective against it.
func (p *parser) metrics() {
	if !p.stochastic {
		p.s.Metrics = slices.DeleteFunc(p.s.Metrics, func(m string) bool { return m == "return_sampled" })
	}
	if len(p.problems) > 0 {
		return
	}
	m := p.s.Objective.Metric
	at := p.at("objective")
	if n := p.root.Lookup("objective").Lookup("metric"); n != nil {
		at = n.Pos
	}
	known := []string{"return_sampled", "optimality", "regret", "upper_bound"}
	switch {
	case !slices.Contains(p.s.Metrics, m) && slices.Contains(known, m):
		p.fail(at, m+" is not measured in this study", "its metrics are "+enumerate(p.s.Metrics, 12))
	case !slices.Contains(p.s.Metrics, m):
		p.fail(at, fmt.Sprintf("there is no metric %s", tree.Shorten(m, 40)), suggest(m, "metrics", p.s.Metrics))
	case p.unmeasured != "":
		p.fail(at, fmt.Sprintf("%s is not measured on environment %s", m, p.unmeasured), "choose a metric that is measured everywhere, such as return")
	}
	for i := range p.s.Factors {
		if f := &p.s.Factors[i]; f.Shared && slices.Contains(p.s.Metrics, f.Name) {
			p.fail(p.defs[i].node.Pos, fmt.Sprintf("the factor %s has the name of a metric", f.Name), "choose another name")
		}
	}
}
