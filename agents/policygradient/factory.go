package policygradient

import (
	"fmt"
	"math"
	"sync"

	"overnight/agents"
	"overnight/agents/nn"
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Factory makes reinforce agents. Its zero value is ready.
type Factory struct{}

var _ agents.Factory = Factory{}

// Name returns "reinforce".
func (Factory) Name() string { return "reinforce" }

// Doc describes the agent.
func (Factory) Doc() string {
	return "Learns a policy network by REINFORCE (Williams 1992). " +
		"The default corrects what the notebook's loop gets wrong: softmax-normal actions judged by the log-probability of what was drawn, batches of episodes, a baseline for each day. " +
		"`faithful: true` is the notebook's loop, which ends below `random`. " +
		"A daily spend cap is kept by construction: shares sum to 1, and with the environment's `unspent` the policy may keep part of the budget."
}

var schema = sync.OnceValue(func() param.Schema { return param.Of(Params{}) })

// Schema describes Params.
func (Factory) Schema() param.Schema { return schema() }

// Traits says that it learns and that its samples differ from its best action.
func (Factory) Traits(*param.Map) agents.Traits { return agents.Traits{Learns: true, Stochastic: true} }

// Fits wants episodes of a known length, and shares or bounded numbers as
// actions.
func (Factory) Fits(p *param.Map, s *envs.Spec) error {
	var params Params
	param.Decode(p, &params)
	if err := params.check(); err != nil {
		return err
	}
	switch {
	case s.Online || s.Horizon < 1:
		return fmt.Errorf("reinforce learns from whole episodes, and the environment is one learning run; use an agent that learns at every step, say thompson")
	case s.Action.Kind == envs.Discrete:
		return fmt.Errorf("reinforce acts with numbers, and the environment's actions are one of %d choices; use random, or an agent for choices such as ucb1", s.Action.N)
	case s.Action.Kind == envs.Box && params.Head == "softmax_gaussian":
		return &param.Error{Path: "head", What: "is softmax_gaussian, which gives shares, and the environment's actions are numbers within bounds",
			Instead: "write head: gaussian_clipped"}
	case s.Action.Kind == envs.Box:
		for i, low := range s.Action.Low {
			if width := s.Action.High[i] - low; math.IsInf(width, 0) || width != width {
				return fmt.Errorf("reinforce needs bounds for every number of an action, and number %d has none; use random", i)
			}
		}
	}
	return nil
}

// New returns an untrained agent. Layer i of the network is drawn from
// init.At(i).
func (Factory) New(p *param.Map, s *envs.Spec, init rng.Key, reuse agents.Agent) (agents.Agent, error) {
	if v, _ := p.Lookup("precision"); v == "float64" {
		return build[float64](p, s, init, reuse)
	}
	return build[float32](p, s, init, reuse)
}

func build[T fp.Float](p *param.Map, s *envs.Spec, init rng.Key, reuse agents.Agent) (agents.Agent, error) {
	r, ok := reuse.(*reinforce[T])
	if !ok {
		r = &reinforce[T]{}
	}
	param.Decode(p, &r.p)
	if err := r.p.check(); err != nil {
		return nil, err
	}
	r.configure(s)
	r.reset(init)
	return r, nil
}

// configure makes room for a network and a batch, where reuse has not left the
// very same.
func (r *reinforce[T]) configure(s *envs.Spec) {
	r.n, r.horizon = s.Action.N, s.Horizon
	r.softmax = r.p.Head == "softmax_gaussian"
	r.keepClipped = r.p.LogProb == "clipped"
	r.own = r.p.Credit == "own"
	r.low, r.width = r.low[:0], r.width[:0]
	if s.Action.Kind == envs.Box {
		r.low = append(r.low, s.Action.Low...)
		for i, low := range s.Action.Low {
			r.width = append(r.width, s.Action.High[i]-low)
		}
	}

	r.sizes = append(append(append(r.sizes[:0], s.Size()), r.p.Hidden...), r.n)
	shape := nn.Shape{Sizes: r.sizes, Hidden: nn.ReLU, Output: nn.Sigmoid, Extra: r.n}
	if r.p.Activation == "tanh" {
		shape.Hidden = nn.Tanh
	}
	if r.softmax {
		shape.Output = nn.Identity
	}
	rows := r.p.Batch*r.horizon + 1 // the last is for acting without learning
	if r.net != nil && r.net.Shape.Equal(shape) && r.tape.Rows() == rows {
		return
	}
	r.net = nn.New[T](shape)
	r.tape = r.net.NewTape(rows)
	r.grad = r.net.Vector()
	r.std, r.raw, r.shares, r.spreadGrad = make([]T, r.n), make([]T, r.n), make([]T, r.n), make([]T, r.n)
	r.drawn = make([]T, rows*r.n)
	r.rewards, r.weights = make([]float64, rows), make([]float64, rows)
	r.ends = make([]int, 0, r.p.Batch)
	r.noise = make([]float64, r.horizon*r.n)
	r.daySum, r.dayCount = make([]float64, r.horizon), make([]float64, r.horizon)
}

// reset puts the agent at its untrained state.
func (r *reinforce[T]) reset(init rng.Key) {
	r.net.Init(init)
	for i := range r.n {
		*r.net.Extra(r.net.Params, i) = T(r.p.LogStd.Init)
	}
	r.spread()
	r.adam.LearningRate, r.adam.Epsilon = r.p.LearningRate, r.p.Epsilon
	r.adam.Beta1, r.adam.Beta2 = r.p.Beta1, r.p.Beta2
	r.adam.Reset(r.net)
	r.rows, r.ends, r.updates, r.err = 0, r.ends[:0], 0, nil
	for i := range r.diagnostics {
		r.diagnostics[i] = math.NaN()
	}
}
