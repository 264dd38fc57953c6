package jobs

import (
	"fmt"
	"slices"
	"strings"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
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
			made := &tasks[point.Task]
			if err = p.makeEnv(&point, made); err != nil {
				src = &p.tasks[point.Task]
			} else {
				arms[point.Arm], err = p.makeAgent(&point, made, arms[point.Arm])
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
	env     envs.Env
	tree    *param.Map
	at      uint64   // version of tree
	metrics []string // that trials on it have, whoever acts
}

func (p *parser) makeEnv(point *Point, made *madeEnv) error {
	now := point.work.tasks[point.Task]
	if made.env != nil && made.tree == now.tree && made.at == now.version {
		return nil
	}
	env, err := p.cat.Env(p.s.Tasks[point.Task].Env).New(point.Env, made.env)
	if err != nil {
		made.env = nil
		return err
	}
	*made = madeEnv{env, now.tree, now.version, p.available(env.Spec())}
	for _, m := range made.metrics {
		p.measure(m)
		if _, known := p.aim.envs[m]; !known {
			p.aim.envs[m] = point.Task
		}
	}
	return nil
}

func (p *parser) makeAgent(point *Point, made *madeEnv, reuse agents.Agent) (agents.Agent, error) {
	env := made.env
	factory := p.cat.Agent(p.s.Arms[point.Arm].Agent)
	agent, err := fit(factory, point.Agent, env.Spec(), reuse)
	if err != nil {
		return nil, err
	}
	traits := factory.Traits(point.Agent)
	if traits.Stochastic {
		p.stochastic = true
	}
	p.measured(point, made.metrics, traits.Metrics)
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
