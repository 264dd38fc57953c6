package baseline

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// DirichletParams are the parameters of the agent `dirichlet`.
type DirichletParams struct {
	Concentration float64 `param:"concentration" default:"1" min:"0.001" max:"1000000" doc:"1 is uniform on the simplex; below it nearly all goes to one channel, above it splits are nearly even."`
}

// Dirichlet makes the agent `dirichlet`.
type Dirichlet struct{}

var _ agents.Factory = Dirichlet{}

// Name returns "dirichlet".
func (Dirichlet) Name() string { return "dirichlet" }

// Doc describes the agent.
func (Dirichlet) Doc() string {
	return "Draws each step's shares from a symmetric Dirichlet distribution. By default every division of the budget is equally likely."
}

// Schema returns the parameters.
func (Dirichlet) Schema() param.Schema { return param.Of(DirichletParams{}) }

// Traits says that it does not learn. It is random by definition, so acting
// greedily and sampling are the same.
func (Dirichlet) Traits(*param.Map) agents.Traits { return agents.Traits{} }

// Fits accepts simplexes.
func (Dirichlet) Fits(_ *param.Map, s *envs.Spec) error { return needsSimplex("dirichlet", s) }

// New returns the agent.
func (f Dirichlet) New(p *param.Map, s *envs.Spec, _ rng.Key, reuse agents.Agent) (agents.Agent, error) {
	if err := f.Fits(p, s); err != nil {
		return nil, err
	}
	a, ok := reuse.(*dirichlet)
	if !ok {
		a = &dirichlet{}
	}
	param.Decode(p, &a.params)
	return a, nil
}

type dirichlet struct {
	stateless
	params DirichletParams
	draws  rng.Stream
}

func (d *dirichlet) Begin(episode rng.Key, _ agents.Mode) { d.draws.Seed(episode) }

// Act normalises independent gamma variates (Devroye, Non-Uniform Random
// Variate Generation, 1986, theorem XI.4.1). It works with their logarithms,
// since those of a small concentration underflow.
func (d *dirichlet) Act(_ *envs.Step, a *envs.Action) {
	most := math.Inf(-1)
	for i := range a.Values {
		a.Values[i] = logGamma(&d.draws, d.params.Concentration)
		most = max(most, a.Values[i])
	}
	sum := 0.0
	for i, v := range a.Values {
		a.Values[i] = fp.Exp64(v - most)
		sum += a.Values[i]
	}
	for i := range a.Values {
		a.Values[i] /= sum
	}
}

// logGamma draws the logarithm of a gamma variate of the given shape and scale
// 1: an exponential where the shape is 1; else by Marsaglia and Tsang (A simple
// method for generating gamma variables, ACM TOMS 26, 2000), who take shapes
// below 1 from G(shape) = G(shape+1) U^(1/shape).
func logGamma(s *rng.Stream, shape float64) float64 {
	if shape == 1 {
		return fp.Log(max(s.Exponential(), 0x1p-1000)) // 0 once in 2**53
	}
	if shape < 1 {
		u := -s.Exponential() // the logarithm of a uniform
		return logGamma1(s, shape+1) + u/shape
	}
	return logGamma1(s, shape)
}

// logGamma1 is logGamma of a shape above 1. It rejects less than 5 % of its
// proposals.
func logGamma1(s *rng.Stream, shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(float64(9*d))
	for {
		x := s.Normal()
		t := 1 + float64(c*x)
		if t <= 0 {
			continue
		}
		logV := float64(3 * fp.Log(t))
		v := float64(float64(t*t) * t)
		square := float64(x * x)
		if -s.Exponential() < float64(0.5*square)+float64(d*(1-v+logV)) {
			return fp.Log(d) + logV
		}
	}
}
