package bandit

import "overnight/envs"

// contextual is the part that policies with one regression an arm share. Beyond
// counts and sums it keeps the regressions, and the features of every send of
// the episode: under delay an outcome comes long after its context.
type contextual struct {
	arms
	features features
	models   []regression
	x        []float64 // features of the observation that Act saw last; not state
	scratch  []float64
	contexts []float64 // features of step t from t*d on
}

// build makes the models for s, with ridge as the precision of their priors.
func (c *contextual) build(name string, p *ContextParams, ridge float64, s *envs.Spec) {
	c.features.build(p, s)
	d := c.features.d
	size, k := regressionSize(d), s.Action.N
	c.shape(name, s, 0, size*k+d*s.Horizon)
	c.models = c.models[:0]
	for i := range k {
		c.models = append(c.models, newRegression(d, c.more()[i*size:]))
		c.models[i].reset(ridge)
	}
	c.contexts = c.more()[k*size:]
	if cap(c.x) < d {
		c.x, c.scratch = make([]float64, d), make([]float64, d)
	}
	c.x, c.scratch = c.x[:d], c.scratch[:d]
}

// remember counts a send and keeps its features.
func (c *contextual) remember(in *envs.Step, a *envs.Action) {
	c.send(a)
	c.features.fill(c.contexts[in.T*len(c.x):][:len(c.x)], in.Obs)
}

// context returns the features of an outcome's send.
func (c *contextual) context(of envs.Credit) []float64 {
	d := len(c.x)
	return c.contexts[int(of.Step)*d : (int(of.Step)+1)*d]
}

// Learn counts, and adds each outcome to the regression of its arm.
func (c *contextual) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	c.remember(in, a)
	for _, o := range c.outcomes(in, a, out) {
		y := o.Reward / c.scale
		c.n[o.Index]++
		c.sum[o.Index] += y
		c.models[o.Index].observe(c.context(o), y, c.scratch)
	}
}

// bestPrediction plays the arm with the highest posterior mean.
func (c *contextual) bestPrediction(in *envs.Step, a *envs.Action) {
	c.features.fill(c.x, in.Obs)
	for i := range c.models {
		c.score[i], _ = c.models[i].predict(c.x, c.scratch)
	}
	c.highest(in, a)
}
