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

// Act normalises independent gamma variates of the concentration (Devroye,
// Non-Uniform Random Variate Generation, 1986, theorem XI.4.1); of
// concentration 1 these are exponentials.
func (d *dirichlet) Act(_ *envs.Step, a *envs.Action) {
	if d.params.Concentration == 1 {
		for i := range a.Values {
			a.Values[i] = max(d.draws.Exponential(), 0x1p-60) // 0 once in 2**53
		}
	} else {
		d.gammas(a.Values)
	}
	sum := 0.0
	for _, v := range a.Values {
		sum += v
	}
	for i := range a.Values {
		a.Values[i] /= sum
	}
}

// gammas fills into with gamma variates divided by the greatest of them. It
// works with their logarithms, since those of a small concentration underflow.
func (d *dirichlet) gammas(into []float64) {
	most := math.Inf(-1)
	for i := range into {
		into[i] = logGamma(&d.draws, d.params.Concentration)
		most = max(most, into[i])
	}
	for i, v := range into {
		into[i] = fp.Exp64(v - most)
	}
}

// logGamma draws the logarithm of a gamma variate of the given shape and scale
// 1 (Marsaglia and Tsang, A simple method for generating gamma variables, ACM
// TOMS 26, 2000), for shapes below 1 from G(shape) = G(shape+1) U^(1/shape).
func logGamma(s *rng.Stream, shape float64) float64 {
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
