package bandit

import "overnight/envs"

// DelayParams say how a delay-aware policy tells a send that did not convert from
// one that has not converted yet.
type DelayParams struct {
	Model string   `param:"model" default:"geometric" enum:"credited,fixed,geometric" doc:"credited: every outcome is credited in the end, non-conversions too, and is known then. fixed, geometric: only conversions need be credited; a send counts by the share of the delays that has passed since."`
	Mean  *float64 `param:"mean" min:"0" unit:"steps" doc:"Mean delay (fixed: the delay); 0 is the step that follows. Not given: learned from the conversions seen."`
}

// delayed is the part that delay-aware policies share: for each arm how many of
// its sends, weighed by the share F of the delays that has passed, should have
// shown their conversion by now. With p the conversion rate and e = sum F(age),
// the expected number of conversions seen is p e (Chapelle, Modeling delayed
// feedback in display advertising, KDD 2014, whose exponential delay is geometric
// in steps), so sum / exposure estimates p without the bias of either counting
// pending sends as failures or leaving them out.
//
// All arms share one delay. An attribution window that cuts delays off makes the
// rates those of conversions within it, for all arms alike; where delays differ
// by arm, slow arms are rated too low until their sends are old.
//
// The hazard q of a geometric delay is learned by the fixed point of its
// censored likelihood, conversions seen over the steps that they and those
// expected but not yet seen have waited: q = C / (sum (delay + 1) + sum p age
// (1-q)^age).
type delayed struct {
	arms
	model    string
	known    float64 // hazard or delay that was given; < 0: to be learned
	exposure []float64
	pending  []float64 // geometric: sum over sends of (1-q)^age
	waiting  []float64 // geometric: sum over sends of age (1-q)^age
	// state holds the conversions seen, the sum of their delays + 1, the hazard or
	// delay in use, and the first step that is not exposed (fixed).
	state []float64
	log   []float64 // fixed: the arm of each step
}

const (
	delayConversions = iota
	delaySteps
	delayNow
	delayNext
	delayState
)

// hazardPrior is the weight of a conversion with a delay of a tenth of the
// horizon that keeps the hazard small until conversions are seen.
const hazardPrior = 0.01

// build makes room; the agent's parameters beyond these are the caller's.
func (b *delayed) build(name string, p *DelayParams, s *envs.Spec) {
	steps := 0
	if p.Model == "fixed" {
		steps = s.Horizon
	}
	b.shape(name, s, 3, delayState+steps)
	b.exposure, b.pending, b.waiting = b.extra(0), b.extra(1), b.extra(2)
	b.state, b.log = b.more()[:delayState], b.more()[delayState:]
	b.model, b.known = p.Model, -1
	switch {
	case p.Model == "geometric":
		b.state[delaySteps] = float64(hazardPrior * max(1, float64(s.Horizon)/10))
		b.state[delayConversions] = hazardPrior
		if p.Mean != nil {
			b.known = 1 / (1 + *p.Mean)
		}
		b.hazard()
	case p.Mean != nil:
		b.known = *p.Mean
		b.state[delayNow] = b.known
	default:
		b.state[delayNow] = -1 // no conversion has been seen
	}
}

// Learn counts the send and its exposure from now on, and conversions.
func (b *delayed) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	if in.T == 0 { // conversions of an earlier episode's sends never come
		clear(b.pending)
		clear(b.waiting)
		b.state[delayNext] = 0
	}
	b.send(a)
	for _, c := range b.outcomes(in, a, out) {
		b.n[c.Index]++
		b.sum[c.Index] += c.Reward / b.scale
		if b.model == "credited" {
			b.exposure[c.Index]++
		}
		if c.Reward > 0 {
			b.landed(float64(in.T - int(c.Step)))
		}
	}
	switch b.model {
	case "fixed":
		b.log[in.T] = float64(a.Index)
		b.mature(in.T)
	case "geometric":
		b.pending[a.Index]++
		b.hazard()
		b.age()
	}
}

// landed notes the delay of a conversion.
func (b *delayed) landed(delay float64) {
	b.state[delayConversions]++
	b.state[delaySteps] += delay + 1
	if b.model == "fixed" && b.known < 0 {
		b.state[delayNow] = max(b.state[delayNow], delay)
	}
}

// mature exposes the sends whose fixed delay has passed.
func (b *delayed) mature(now int) {
	d := b.state[delayNow]
	if d < 0 {
		return
	}
	for b.state[delayNext]+d <= float64(now) {
		b.exposure[int(b.log[int(b.state[delayNext])])]++
		b.state[delayNext]++
	}
}

// hazard estimates the hazard anew.
func (b *delayed) hazard() {
	if b.known >= 0 {
		b.state[delayNow] = b.known
		return
	}
	steps := b.state[delaySteps]
	for i, w := range b.waiting {
		if b.exposure[i] > 0 {
			steps += float64(b.rate(i) * w)
		}
	}
	b.state[delayNow] = min(1, b.state[delayConversions]/steps)
}

// age lets a step pass.
func (b *delayed) age() {
	q := b.state[delayNow]
	for i, r := range b.pending {
		passed := float64(q * r)
		b.exposure[i] += passed
		b.pending[i] = r - passed
		b.waiting[i] = float64((1 - q) * (b.waiting[i] + r))
	}
}

// rate returns the estimated conversion rate of an arm with exposure.
func (b *delayed) rate(i int) float64 { return min(1, b.sum[i]/b.exposure[i]) }

// bestRate plays the highest estimated rate.
func (b *delayed) bestRate(in *envs.Step, a *envs.Action) {
	for i, e := range b.exposure {
		if b.score[i] = -1; e > 0 {
			b.score[i] = b.rate(i)
		}
	}
	b.highest(in, a)
}
