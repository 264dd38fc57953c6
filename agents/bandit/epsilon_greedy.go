package bandit

import (
	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/param"
)

// EpsilonGreedyParams are the parameters of the policy `epsilon_greedy`.
type EpsilonGreedyParams struct {
	Epsilon  float64  `param:"epsilon" default:"0.1" min:"0" max:"1" doc:"Share of sends that go to an arm at random; of the first send, where it decays."`
	Schedule string   `param:"schedule" default:"fixed" enum:"fixed,linear,exponential,harmonic" doc:"How epsilon changes with t, from 1 for the first send: fixed; linear, down to final in steps sends; exponential, epsilon decay^(t-1) but not below final; harmonic, min(1, c K / (d^2 t)) whatever epsilon is."`
	Final    float64  `param:"final" default:"0.01" min:"0" max:"1" doc:"Where linear and exponential end."`
	Steps    *int     `param:"steps" min:"1" unit:"sends" doc:"How long linear takes. Not given: the horizon."`
	Decay    float64  `param:"decay" default:"0.999" above:"0" max:"1" doc:"Factor a send of exponential."`
	C        float64  `param:"c" default:"5" above:"0" doc:"The c of harmonic."`
	D        float64  `param:"d" default:"1" above:"0" max:"1" doc:"The d of harmonic: at most the gap between the best two arms for its guarantee to hold."`
	StepSize *float64 `param:"step_size" above:"0" max:"1" doc:"Weight of each outcome: what is thought of an arm moves by as much of the way to it, from initial or the mean of prior on, so old outcomes fade. Not given: the mean of all outcomes, each arm played once first."`
	Initial  float64  `param:"initial" default:"0" unit:"reward" doc:"With step_size: what is thought of an arm before its first outcome. A high value makes it try all."`
	Prior    Prior    `param:"prior" doc:"An earlier A/B test, counted as the first sends."`
}

// epsilonGreedy plays the best mean so far, and an arm at random with
// probability epsilon (Sutton and Barto, Reinforcement Learning, 2nd edition,
// 2018, section 2.4); harmonic is epsilon_n-greedy of Auer, Cesa-Bianchi and
// Fischer 2002, figure 3. Each arm is played once first. With step_size it is
// Sutton and Barto's section 2.5, equation 2.5: Q <- Q + alpha (r - Q), which in a
// table for each context is Q-learning without a future, the tabular rule of
// seed 001.
type epsilonGreedy struct {
	arms
	closed
	params *EpsilonGreedyParams
	steps  float64
	log    float64   // of the decay
	q      []float64 // what is thought of each arm, with step_size; else nil

	// Without step_size, of the counts and sums: the means of the arms, and how many
	// arms have none.
	means   []float64
	unknown int
}

// know computes what follows from counts and sums.
func (e *epsilonGreedy) know() {
	e.means = append(e.means[:0], e.sum...)
	e.unknown = 0
	for i, n := range e.n {
		if n == 0 {
			e.unknown++
			continue
		}
		e.means[i] /= n
	}
}

func (e *epsilonGreedy) undo(t int, saved []float64) {
	e.arms.undo(t, saved)
	e.know()
}

// UnmarshalBinary restores a state.
func (e *epsilonGreedy) UnmarshalBinary(src []byte) error {
	err := e.arms.UnmarshalBinary(src)
	e.know()
	return err
}

func epsilonGreedyFactory() agents.Factory {
	return &factory[EpsilonGreedyParams]{
		name:   "epsilon_greedy",
		doc:    "The best arm so far, and now and then one at random. Simple and hard to beat by much; with a fixed epsilon its regret grows for ever, since it never stops exploring.",
		traits: explores[EpsilonGreedyParams],
		fits: func(p *EpsilonGreedyParams, s *envs.Spec) error {
			if (p.Schedule == "linear" || p.Schedule == "exponential") && p.Final > p.Epsilon {
				return &param.Error{Path: "final", What: "is " + param.FormatValue(p.Final) + ", above epsilon " + param.FormatValue(p.Epsilon), Instead: "write a final share that is at most the first"}
			}
			return p.Prior.fits(s)
		},
		build: func(p *EpsilonGreedyParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			e := recycle[epsilonGreedy](reuse)
			e.q = nil
			if p.StepSize == nil {
				e.shape("epsilon_greedy", s, 0, 0)
			} else {
				e.shape("epsilon_greedy", s, 1, 0)
				e.q = e.extra(0)
			}
			e.earlier(&p.Prior)
			for i := range e.q {
				if e.q[i] = p.Initial; e.n[i] > 0 {
					e.q[i] = e.sum[i] / e.n[i]
				}
			}
			e.know()
			e.params, e.log = p, fp.Log(p.Decay)
			if e.steps = float64(s.Horizon); p.Steps != nil {
				e.steps = float64(*p.Steps)
			}
			return e
		},
	}
}

// epsilon returns the share of random sends at the next send.
func (e *epsilonGreedy) epsilon() float64 {
	p, t := e.params, e.round()
	switch p.Schedule {
	case "linear":
		if t >= e.steps {
			return p.Final
		}
		return p.Epsilon + float64((p.Final-p.Epsilon)*((t-1)/(e.steps-1)))
	case "exponential":
		return max(p.Final, float64(p.Epsilon*fp.Exp64(float64((t-1)*e.log))))
	case "harmonic":
		return min(1, float64(p.C*float64(e.k))/float64(float64(p.D*p.D)*t))
	}
	return p.Epsilon
}

// bestMean returns the arm of the highest mean, or Q with step_size.
func (e *epsilonGreedy) bestMean(in *envs.Step) int {
	switch {
	case e.q != nil:
		return argmax(in, e.q)
	case e.unknown == 0:
		return argmax(in, e.means)
	}
	return e.arms.bestMean(in)
}

// first is that of arms; with step_size nothing is played only to know of it.
func (e *epsilonGreedy) first(in *envs.Step, a *envs.Action) bool {
	return e.unknown > 0 && e.q == nil && e.arms.first(in, a)
}

// Learn counts, and with step_size moves Q.
func (e *epsilonGreedy) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	e.send(a)
	for _, c := range e.outcomes(in, a, out) {
		i := c.Index
		if e.n[i] == 0 {
			e.unknown--
		}
		e.n[i]++
		e.sum[i] += c.Reward
		e.means[i] = e.sum[i] / e.n[i]
		if e.q != nil {
			e.q[i] += float64(*e.params.StepSize * (c.Reward - e.q[i]))
		}
	}
}

// Beliefs are means, or Q with step_size.
func (e *epsilonGreedy) Beliefs(in *envs.Step, mean, low, high []float64) {
	e.arms.Beliefs(in, mean, low, high)
	copy(mean, e.q)
}

// Act plays the best mean, or an arm at random.
func (e *epsilonGreedy) Act(in *envs.Step, a *envs.Action) {
	if e.mode == agents.Greedy {
		a.Index, a.Prob = e.bestMean(in), 1
		return
	}
	if e.first(in, a) {
		return
	}
	d := drawsAt(&e.key, in)
	d.mostly(in, e.bestMean(in), e.epsilon(), e.k, a)
}

// Propensities are epsilon spread over the arms, and the rest on the best.
func (e *epsilonGreedy) Propensities(in *envs.Step, into []float64) {
	best, epsilon := e.bestMean(in), e.epsilon()
	if e.mode == agents.Greedy {
		epsilon = 0
	} else if a := (envs.Action{}); e.first(in, &a) {
		best, epsilon = a.Index, 0
	}
	spread(in, best, epsilon, into)
}
