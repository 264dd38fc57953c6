package jobs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// envs reads env or envs.
func (p *parser) envs() {
	one, many := p.root.Lookup("env"), p.root.Lookup("envs")
	var nodes []*tree.Node
	switch {
	case one != nil && many != nil:
		p.fail(p.keyOf("envs"), "there are both env and envs", "move what stands under env into the list envs")
		return
	case one != nil && one.Kind == tree.List:
		p.fail(one.Pos, "env is a list, and it takes one environment", "write envs: for several")
		nodes = one.Items
	case one != nil:
		nodes = []*tree.Node{one}
	case many != nil && many.Kind == tree.Mapping && many.Lookup("name") != nil:
		p.fail(many.Pos, "envs is one environment, not a list", "write env:, or begin each environment with '- '")
		nodes = []*tree.Node{many}
	case many != nil && (many.Kind != tree.List || len(many.Items) == 0):
		p.fail(many.Pos, "envs is "+many.String()+", not a list of environments", "begin each with '- {as: LABEL, name: ENVIRONMENT}'")
	case many != nil:
		nodes = many.Items
	}
	for i, n := range nodes {
		what := "env"
		if len(nodes) > 1 {
			what = fmt.Sprintf("entry %d of envs", i+1)
		}
		src, label := p.heading(n, what, "environment", p.envNames())
		if src.node == nil {
			continue
		}
		src.prefix = "env"
		if len(nodes) > 1 {
			src.prefix = label
		}
		src.title = "environment " + label
		t := Task{Label: label, Params: p.params(n, owner{prefix: src.prefix}, "as", "name")}
		if src.name != nil {
			t.Env = src.name.Text
		}
		p.s.Tasks = append(p.s.Tasks, t)
		p.tasks = append(p.tasks, src)
	}
}

// agents reads the arms.
func (p *parser) agents() {
	n := p.root.Lookup("agents")
	if n == nil {
		return
	}
	if n.Kind != tree.List || len(n.Items) == 0 {
		p.fail(n.Pos, "agents is "+n.String()+", not a list", "begin each arm with '- {name: AGENT}'")
		return
	}
	for i, item := range n.Items {
		src, label := p.heading(item, fmt.Sprintf("entry %d of agents", i+1), "agent", p.agentNames())
		if src.node == nil {
			continue
		}
		src.prefix, src.title = label, "arm "+label
		a := Arm{Label: label, Params: p.params(item, owner{prefix: label, arm: label}, "as", "name", "on", "train")}
		if src.name != nil {
			a.Agent = src.name.Text
		}
		if v := item.Lookup("on"); v != nil {
			a.On = p.onLabels(v, label)
		}
		if v := item.Lookup("train"); v != nil {
			if b, ok := p.budget(v, label+".train"); ok {
				a.Train = &b
			}
		}
		p.s.Arms = append(p.s.Arms, a)
		p.arms = append(p.arms, src)
	}
}

// heading reads name and as of an entry. The label is never empty where the entry
// is a mapping.
func (p *parser) heading(n *tree.Node, what, noun string, names []string) (source, string) {
	if n.Kind != tree.Mapping {
		instead := "write {name: " + strings.ToUpper(noun) + "}"
		if s, ok := n.Value.(string); ok {
			instead = "write {name: " + tree.Shorten(s, 40) + "}"
		}
		p.fail(n.Pos, what+" is "+n.String()+", not a mapping", instead)
		return source{}, ""
	}
	src, label := source{node: n}, what
	switch name := n.Lookup("name"); {
	case name == nil:
		instead := "add name: followed by one of " + enumerate(names, 12)
		for _, e := range n.Entries { // {reinforce: {...}}
			if slices.Contains(names, e.Key) {
				instead = "write {name: " + e.Key + ", ...}"
			}
		}
		p.fail(n.Pos, what+" has no name", instead)
	case name.Kind != tree.Scalar || !slices.Contains(names, name.Text):
		if name.Kind == tree.Mapping && isFactor(name) {
			p.fail(name.Pos, "the name of an "+noun+" can't vary", "write one entry for each "+noun)
		} else if s, ok := p.text(name, "the name of "+what, "one of "+enumerate(names, 12)); ok {
			p.fail(name.Pos, fmt.Sprintf("there is no %s %q", noun, tree.Shorten(s, 40)), suggest(s, noun+"s", names))
			if checkName(s) == "" {
				label = s
			}
		}
	default:
		src.name, label = name, name.Text
	}
	if as := n.Lookup("as"); as != nil {
		s, ok := p.text(as, "the label of "+what, "a label")
		switch why := checkName(s); {
		case !ok:
			label = what // so that it is no other entry's
		case why != "":
			p.fail(as.Pos, fmt.Sprintf("the label %q %s", tree.Shorten(s, 40), why), nameRule)
			label = what
		default:
			label = s
		}
	}
	return src, label
}

// params turns the other keys of an entry into parameters.
func (p *parser) params(n *tree.Node, o owner, own ...string) *param.Map {
	m := &param.Map{}
	for _, e := range n.Entries {
		if !slices.Contains(own, e.Key) {
			m.Entries = append(m.Entries, param.Entry{Key: e.Key, Value: p.value(e.Value, e.Key, o)})
		}
	}
	return m
}

func (p *parser) onLabels(n *tree.Node, arm string) []string {
	nodes := n.Items
	if n.Kind == tree.Scalar && n.Value != nil {
		nodes = []*tree.Node{n}
	}
	if len(nodes) == 0 {
		p.fail(n.Pos, arm+".on is "+n.String()+", not a list of environments", "write on: [LABEL], or leave it out to run on all")
	}
	var on []string
	var labels []string
	for i := range p.s.Tasks {
		labels = append(labels, p.s.Tasks[i].Label)
	}
	for _, item := range nodes {
		s, ok := p.text(item, arm+".on", "the label of an environment")
		switch {
		case !ok:
		case !slices.Contains(labels, s):
			p.fail(item.Pos, fmt.Sprintf("%s.on names the environment %s, which is not there", arm, tree.Shorten(s, 40)), suggest(s, "environments", labels))
		case slices.Contains(on, s):
			p.fail(item.Pos, fmt.Sprintf("%s.on names %s twice", arm, s), "leave one out")
		default:
			on = append(on, s)
		}
	}
	return on
}

// labels checks that labels are unique, that every environment has an arm, and
// the baseline.
func (p *parser) labels() {
	var envs, arms []string
	for i := range p.s.Tasks {
		envs = append(envs, p.s.Tasks[i].Label)
	}
	for i := range p.s.Arms {
		arms = append(arms, p.s.Arms[i].Label)
	}
	unique := p.unique("environments", envs, p.tasks)
	unique = p.unique("arms", arms, p.arms) && unique
	for t := range p.s.Tasks {
		if len(arms) > 0 && !slices.ContainsFunc(p.s.Arms, func(a Arm) bool { return len(a.On) == 0 || slices.Contains(a.On, envs[t]) }) {
			p.fail(p.tasks[t].node.Pos, "no arm runs on environment "+envs[t], "leave it out, or name it in the `on` of an arm")
		}
	}
	if n := p.root.Lookup("baseline"); n != nil {
		if s, ok := p.text(n, "baseline", "the label of an arm"); ok && len(arms) > 0 && !slices.Contains(arms, s) {
			p.fail(n.Pos, fmt.Sprintf("the baseline %s is no arm", tree.Shorten(s, 40)), suggest(s, "arms", arms))
		} else {
			p.s.Baseline = s
		}
	}
	names := map[string]int{}
	for i := range p.s.Factors {
		if !unique {
			break // it would be said twice
		}
		f := &p.s.Factors[i]
		if j, ok := names[f.Name]; ok {
			p.fail(p.defs[i].node.Pos, fmt.Sprintf("two factors would be named %s, here and %s", f.Name, placeOf(p.defs[j].node.Pos)), "give the arm another label with as:")
		}
		names[f.Name] = i
	}
}

func (p *parser) unique(plural string, labels []string, from []source) bool {
	taken := map[string]bool{}
	for _, l := range labels {
		taken[l] = true
	}
	first := map[string]int{}
	for i, l := range labels {
		j, ok := first[l]
		if !ok {
			first[l] = i
			continue
		}
		free := ""
		for k := 2; free == "" || taken[free]; k++ {
			free = l[:min(len(l), maxName-8)] + "-" + strconv.Itoa(k)
		}
		taken[free] = true
		at := from[i].node.Pos
		if as := from[i].node.Lookup("as"); as != nil {
			at = as.Pos
		} else if from[i].name != nil {
			at = from[i].name.Pos
		}
		p.fail(at, fmt.Sprintf("two %s have the label %s, the first %s", plural, l, placeOf(from[j].node.Pos)), "write as: "+free)
	}
	return len(first) == len(labels)
}

// keyOf is the place of a key itself.
func (p *parser) keyOf(key string) tree.Pos {
	for _, e := range p.root.Entries {
		if e.Key == key {
			return e.Pos
		}
	}
	return p.root.Pos
}
