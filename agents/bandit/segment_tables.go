package bandit

import (
	"errors"
	"fmt"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// SegmentTablesParams are the parameters of the policy `segment_tables`, beside
// one group for each policy that it can keep.
type SegmentTablesParams struct {
	Policy string `param:"policy" default:"thompson" doc:"The policy that each segment has; its parameters are written in a group of its name."`
	Clock  string `param:"clock" default:"own" enum:"own,all" doc:"Whose sends the t of the segment's policy counts, for ln t or a decaying epsilon: the segment's own, or those of all segments."`
	Field  string `param:"field" default:"segment" doc:"Observation field that tells the segment: one integer."`
}

// segmentTables makes the policy `segment_tables`: any policy without a context,
// once for each segment. Seed 001's rules are this with `clock: all`: its
// contextual UCB, argmax Q(c,a) + c sqrt(ln t / N(c,a)), with ucb, and its tabular
// Q-learning with gamma 0 with epsilon_greedy and a step_size.
type segmentTables struct{}

var _ agents.Factory = segmentTables{}

// Name returns "segment_tables".
func (segmentTables) Name() string { return "segment_tables" }

// Doc describes the policy.
func (segmentTables) Doc() string {
	return "A policy of its own for each segment of the audience, which learns nothing from the others. The segments' policies know the whole horizon, not how much of it will be theirs."
}

// tables returns the policies that a segment can have.
func (segmentTables) tables() []agents.Factory { return stationary() }

// Schema returns the parameters: SegmentTablesParams, then a group for each
// policy that has parameters.
func (f segmentTables) Schema() param.Schema {
	s := append(param.Schema{}, param.Of(SegmentTablesParams{})...)
	for _, t := range f.tables() {
		s[0].Enum = append(s[0].Enum, t.Name())
		if fields := t.Schema(); len(fields) > 0 {
			s = append(s, param.Field{Name: t.Name(), Kind: param.Group, Fields: fields, Doc: "Parameters of the policy " + t.Name() + "; unused where the policy is another."})
		}
	}
	return s
}

// policy returns the factory of a segment's policy and its parameters.
func (f segmentTables) policy(p *param.Map) (agents.Factory, *param.Map) {
	name, _ := p.Lookup("policy")
	for _, t := range f.tables() {
		if t.Name() != name {
			continue
		}
		group, _ := p.Lookup(t.Name())
		m, ok := group.(*param.Map)
		if !ok {
			m = &param.Map{}
		}
		return t, m
	}
	panic(fmt.Sprintf("bandit: parameters of segment_tables are not complete: policy %v", name))
}

// Traits are those of the segment's policy.
func (f segmentTables) Traits(p *param.Map) agents.Traits {
	t, m := f.policy(p)
	return t.Traits(m)
}

// Fits checks the field, then what the policy says.
func (f segmentTables) Fits(p *param.Map, s *envs.Spec) error {
	t, m := f.policy(p)
	err := t.Fits(m, s)
	if blamed := new(*param.Error); errors.As(err, blamed) {
		return &param.Error{Path: t.Name() + "." + (*blamed).Path, What: (*blamed).What, Instead: (*blamed).Instead}
	}
	if err != nil {
		return err
	}
	_, _, err = f.field(p, s)
	return err
}

// field finds the segment in observations, and how many there are.
func (segmentTables) field(p *param.Map, s *envs.Spec) (at, levels int, err error) {
	name, _ := p.Lookup("field")
	for _, f := range s.Observation {
		if f.Name == name && f.Len == 1 && f.Levels > 0 {
			return at, f.Levels, nil
		}
		at += f.Len
	}
	return 0, 0, &param.Error{Path: "field", What: fmt.Sprintf("is %q, and the environment does not show one integer of that name", name), Instead: "write an integer field of " + fieldNames(s) + ", or use the policy alone"}
}

// New returns the policies of all segments, untrained.
func (f segmentTables) New(p *param.Map, s *envs.Spec, init rng.Key, reuse agents.Agent) (agents.Agent, error) {
	if err := f.Fits(p, s); err != nil {
		return nil, err
	}
	b := recycle[segments](reuse)
	t, m := f.policy(p)
	at, levels, _ := f.field(p, s)
	b.at, b.credited = at, s.Credited
	clock, _ := p.Lookup("clock")
	b.all = clock == "all"
	for len(b.list) < levels {
		b.list = append(b.list, segment{})
	}
	b.list = b.list[:levels]
	for i := range b.list {
		g := &b.list[i]
		old := g.policy
		if b.name != t.Name() {
			old = nil
		}
		var err error
		if g.policy, err = t.New(m, s, init.At(uint64(i)), old); err != nil {
			return nil, err
		}
		g.open, g.known, g.mask = false, g.known[:0], grow(g.mask, s.Action.N)
	}
	b.name = t.Name()
	b.owner = grow(b.owner, max(s.Horizon, 1))
	return b, nil
}

// grow returns n zeros, in the memory of s where they fit.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// segments routes sends and outcomes. A policy learns of a send when its segment
// comes up again (or at the episode's end), together with all that has become
// known of its segment by then: just before its next decision, so it decides as
// if it had learned each thing at once.
type segments struct {
	name     string
	at       int // of the segment in the observation
	credited bool
	all      bool // policies' t counts the sends of all
	list     []segment
	owner    []int32     // the segment of each step's send
	before   []float64   // scratch of asked
	scratch  envs.Action // of asked
}

type segment struct {
	policy agents.Agent
	open   bool // a send that the policy has not learned of
	in     envs.Step
	action envs.Action
	known  []envs.Credit
	reward float64
	mask   []bool
	out    envs.Step // scratch of flush
}

// Begin starts an episode of every segment, each with draws of its own.
func (b *segments) Begin(episode rng.Key, m agents.Mode) {
	for i := range b.list {
		b.list[i].policy.Begin(episode.At(uint64(i)), m)
	}
}

// flush tells the policy what it has not learned of.
func (g *segment) flush() {
	if !g.open {
		return
	}
	g.open = false
	g.out = envs.Step{T: g.in.T + 1, Reward: g.reward, Credits: g.known}
	g.policy.Learn(&g.in, &g.action, &g.out)
	g.known = g.known[:0]
}

// Act lets the segment's policy act.
func (b *segments) Act(in *envs.Step, a *envs.Action) {
	g := &b.list[int(in.Obs[b.at])]
	g.flush()
	g.policy.Act(in, a)
}

// Learn keeps the send and its context for the segment's next turn, and gives
// outcomes to the segments that they belong to.
func (b *segments) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	s := int32(in.Obs[b.at])
	g := &b.list[s]
	b.owner[in.T] = s
	if b.all {
		for i := range b.list {
			if i != int(s) {
				b.list[i].policy.(interface{ pass() }).pass()
			}
		}
	}
	g.open, g.action, g.reward = true, envs.Action{Index: a.Index, Prob: a.Prob}, out.Reward
	g.in = envs.Step{T: in.T}
	if in.Allowed != nil {
		copy(g.mask, in.Allowed)
		g.in.Allowed = g.mask
	}
	for _, c := range out.Credits {
		to := s
		if c.Step >= 0 {
			to = b.owner[c.Step]
		}
		b.list[to].known = append(b.list[to].known, c)
	}
	if out.Done {
		for i := range b.list {
			b.list[i].flush()
			b.list[i].known = b.list[i].known[:0]
		}
	}
}
