package jobs

import (
	"iter"
	"slices"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
	"overnight/jobs/internal/tree"
)

// maxVariants bounds the levels of an entry that are tried one at a time, times
// the values in it; beyond it they are thinned out evenly.
const maxVariants = 2_000_000

// variant is an entry with its factors at given levels.
type variant struct {
	levels []PointLevel // by position in the entry's factors
	nodes  levelNodes
}

// variants yields the entry with every factor at its first level, and then with
// each other level of each factor, one at a time; of ranges, their probes.
func (p *parser) variants(src *source) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		factors := src.entry.factors
		size := 0
		src.node.Walk(func(*tree.Node) { size++ })
		base := variant{nodes: levelNodes{}}
		for _, f := range factors {
			l, n := p.trial(f, 0)
			base.levels, base.nodes[f] = append(base.levels, l), n
		}
		if !yield(base) {
			return
		}
		for k, f := range factors {
			count := p.trials(f)
			by := 1 + count*size/maxVariants
			for i := by; i < count; i += by {
				v := variant{levels: slices.Clone(base.levels), nodes: levelNodes{}}
				for g, n := range base.nodes {
					v.nodes[g] = n
				}
				v.levels[k], v.nodes[f] = p.trial(f, i)
				if !yield(v) {
					return
				}
			}
		}
	}
}

// trials is how many values of a factor are tried on their own.
func (p *parser) trials(f int) int {
	if factor := &p.s.Factors[f]; factor.continuous() {
		return len(factor.probes())
	}
	return len(p.s.Factors[f].Levels)
}

// trial is the i-th of them and where it stands.
func (p *parser) trial(f, i int) (PointLevel, *tree.Node) {
	factor, d := &p.s.Factors[f], &p.defs[f]
	if !factor.continuous() {
		return factor.level(f, i), d.levels[i]
	}
	n := d.value
	if i < 2 && factor.Kind != Normal {
		n = d.levels[i]
	}
	return factor.value(f, factor.probes()[i]), n
}

// usable tells whether an entry can be tried: its name is known and none of its
// factors is broken.
func (p *parser) usable(src *source) bool {
	return src.name != nil && !slices.ContainsFunc(src.entry.factors, func(f int) bool {
		what, _ := p.s.Factors[f].check()
		return what != ""
	})
}

// checkEntry completes an entry in all its variants, and calls try with each.
func (p *parser) checkEntry(src *source, try func(m *param.Map) (where string, err error)) {
	at := make([]int, len(src.entry.factors))
	for k := range at {
		at[k] = k
	}
	for v := range p.variants(src) {
		where := ""
		m, err := src.entry.complete(v.levels, at)
		if err == nil {
			where, err = try(m)
		}
		if err != nil {
			p.refused(src, err, v.nodes, where)
		}
	}
}

// checkTasks tries every environment on its own.
func (p *parser) checkTasks() {
	p.checking = true
	defer func() { p.checking = false }()
	p.specs = make([]*envs.Spec, len(p.tasks))
	for t := range p.tasks {
		src := &p.tasks[t]
		if src.name == nil {
			continue
		}
		factory := p.cat.Env(src.name.Text)
		src.entry, _ = p.s.entry(src.title, p.s.Tasks[t].Params, factory.Schema())
		if !p.usable(src) {
			continue
		}
		var reuse envs.Env
		p.checkEntry(src, func(m *param.Map) (string, error) {
			if p.specs[t] == nil {
				env, err := factory.New(m, nil)
				if err == nil {
					p.specs[t] = env.Spec()
				}
				return "", err
			}
			env, err := factory.New(m, reuse)
			if err == nil {
				reuse = env
			}
			return "", err
		})
	}
}

// checkArms tries every agent on the first form of its environments.
func (p *parser) checkArms() {
	p.checking = true
	defer func() { p.checking = false }()
	for a := range p.arms {
		src := &p.arms[a]
		if src.name == nil {
			continue
		}
		factory := p.cat.Agent(src.name.Text)
		src.entry, _ = p.s.entry(src.title, p.s.Arms[a].Params, factory.Schema())
		if !p.usable(src) {
			continue
		}
		var reuse agents.Agent
		p.checkEntry(src, func(m *param.Map) (string, error) {
			for t, spec := range p.specs {
				on := p.s.Arms[a].On
				if spec == nil || len(on) > 0 && !slices.Contains(on, p.s.Tasks[t].Label) {
					continue
				}
				agent, err := fit(factory, m, spec, reuse)
				if err != nil {
					return p.on(t), err
				}
				reuse = agent
			}
			return "", nil
		})
	}
}

// on names a task where there are several.
func (p *parser) on(task int) string {
	if len(p.s.Tasks) == 1 {
		return ""
	}
	return " (on environment " + p.s.Tasks[task].Label + ")"
}

// fit makes an agent for an environment.
func fit(f agents.Factory, m *param.Map, spec *envs.Spec, reuse agents.Agent) (agents.Agent, error) {
	if err := f.Fits(m, spec); err != nil {
		return nil, err
	}
	return f.New(m, spec, rng.Key{}, reuse)
}
