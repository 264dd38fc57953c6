// Package function is the environment of test functions: one step whose reward
// is the value of a known function of the environment's parameters x1 to x12.
// It checks designs and sensitivity indices against analytic answers, and
// measures the overhead of everything else. Start with Factory and its
// parameters.
//
// The agent's action is ignored. The value is computed once, in New; a step
// adds noise, if any, and keeps a core busy for as long as `busy` says.
package function

import (
	"time"

	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Params are the parameters of the environment. An x is null where the function
// does not take it.
type Params struct {
	Function string   `param:"function" default:"noop" enum:"ishigami,sobol_g,branin,sphere,noop" doc:"What the reward is: ishigami of x1 to x3 in [-pi, pi]; sobol_g of x1 to any number of them in [0, 1]; branin of x1 in [-5, 10] and x2 in [0, 15]; sphere, the sum of squares of those given; noop, 0 whatever is given."`
	X1       *float64 `param:"x1" doc:"First input."`
	X2       *float64 `param:"x2" doc:"Second input."`
	X3       *float64 `param:"x3" doc:"Third input."`
	X4       *float64 `param:"x4" doc:"Fourth input."`
	X5       *float64 `param:"x5" doc:"Fifth input."`
	X6       *float64 `param:"x6" doc:"Sixth input."`
	X7       *float64 `param:"x7" doc:"Seventh input."`
	X8       *float64 `param:"x8" doc:"Eighth input."`
	X9       *float64 `param:"x9" doc:"Ninth input."`
	X10      *float64 `param:"x10" doc:"Tenth input."`
	X11      *float64 `param:"x11" doc:"Eleventh input."`
	X12      *float64 `param:"x12" doc:"Twelfth input."`
	Busy     float64  `param:"busy" default:"0" min:"0" max:"86400000" unit:"ms" doc:"How long a step keeps one core busy. The result does not depend on it."`
	Noise    float64  `param:"noise" default:"0" min:"0" doc:"Standard deviation of a normal number added to the value."`
}

// inputs returns the twelve x in order.
func (p *Params) inputs() [maxInputs]*float64 {
	return [...]*float64{p.X1, p.X2, p.X3, p.X4, p.X5, p.X6, p.X7, p.X8, p.X9, p.X10, p.X11, p.X12}
}

// Factory makes the environment. The zero Factory is ready for use.
type Factory struct {
	// Now is the clock that `busy` is measured by. Defaults to time.Now.
	Now func() time.Time
}

var _ envs.Factory = Factory{}

// Name returns "function".
func (Factory) Name() string { return "function" }

// Doc describes the environment.
func (Factory) Doc() string {
	return "A test function of its own parameters, evaluated in one step whatever the agent does. " +
		"It checks designs and sensitivity indices against known answers; `noop` and `busy` measure overhead and scaling. " +
		"The reward is the function's value, so a study that looks for a minimum says `goal: minimize`."
}

// Schema returns the parameters.
func (Factory) Schema() param.Schema { return param.Of(Params{}) }

// New returns the environment. With reuse it allocates nothing. Its errors are
// *param.Error: an input that the function needs is missing, lies outside the
// function's domain, or is given but not used.
func (f Factory) New(p *param.Map, reuse envs.Env) (envs.Env, error) {
	e, ok := reuse.(*Env)
	if !ok {
		e = &Env{spec: envs.Spec{
			Action:  envs.Actions{Kind: envs.Discrete, N: 1, Names: []string{"evaluate"}},
			Horizon: 1,
		}}
	}
	e.now = f.Now
	if e.now == nil {
		e.now = time.Now
	}
	param.Decode(p, &e.params)
	value, err := e.params.value()
	if err != nil {
		return nil, err
	}
	e.value = value
	e.busy = time.Duration(e.params.Busy * float64(time.Millisecond))
	return e, nil
}

// Env is a test function. Start with Factory.New.
type Env struct {
	spec    envs.Spec
	params  Params
	value   float64
	busy    time.Duration
	now     func() time.Time
	episode rng.Key
	noise   rng.Stream
}

var _ envs.Env = (*Env)(nil)

// Spec returns one action, one step and no observation.
func (e *Env) Spec() *envs.Spec { return &e.spec }

// Reset begins an episode; there is nothing to observe.
func (e *Env) Reset(episode rng.Key, out *envs.Step) {
	e.episode = episode
	*out = envs.Step{Obs: out.Obs[:0], Credits: out.Credits[:0]}
}

// Step ends the episode with the function's value as reward.
func (e *Env) Step(_ *envs.Action, out *envs.Step) {
	*out = envs.Step{T: 1, Obs: out.Obs[:0], Credits: out.Credits[:0], Reward: e.value, Done: true}
	if e.params.Noise > 0 {
		e.noise.Seed(e.episode)
		out.Reward += float64(e.params.Noise * e.noise.Normal())
	}
	if e.busy > 0 {
		e.spin()
	}
}

// spin keeps the calling thread's core busy until the clock has advanced.
func (e *Env) spin() {
	for start := e.now(); e.now().Sub(start) < e.busy; {
	}
}

// Metrics writes nothing: the return is the value.
func (e *Env) Metrics([]float64) {}
