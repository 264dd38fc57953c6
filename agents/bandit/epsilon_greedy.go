package bandit

import (
	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/param"
)

// EpsilonGreedyParams are the parameters of the policy `epsilon_greedy`.
type EpsilonGreedyParams struct {
	Epsilon  float64 `param:"epsilon" default:"0.1" min:"0" max:"1" doc:"Share of sends that go to an arm at random; of the first send, where it decays."`
	Schedule string  `param:"schedule" default:"fixed" enum:"fixed,linear,exponential,harmonic" doc:"How epsilon changes with t, from 1 for the first send: fixed; linear, down to final in steps sends; exponential, epsilon decay^(t-1) but not below final; harmonic, min(1, c K / (d^2 t)) whatever epsilon is."`
	Final    float64 `param:"final" default:"0.01" min:"0" max:"1" doc:"Where linear and exponential end."`
	Steps    *int    `param:"steps" min:"1" unit:"sends" doc:"How long linear takes. Not given: the horizon."`
	Decay    float64 `param:"decay" default:"0.999" above:"0" max:"1" doc:"Factor a send of exponential."`
	C        float64 `param:"c" default:"5" above:"0" doc:"The c of harmonic."`
	D        float64 `param:"d" default:"1" above:"0" max:"1" doc:"The d of harmonic: at most the gap between the best two arms for its guarantee to hold."`
	Prior    Prior   `param:"prior" doc:"An earlier A/B test, counted as the first sends."`
}

// epsilonGreedy plays the best mean so far, and an arm at random with
// probability epsilon (Sutton and Barto, Reinforcement Learning, 2nd edition,
// 2018, section 2.4); harmonic is epsilon_n-greedy of Auer, Cesa-Bianchi and
// Fischer 2002, figure 3. Each arm is played once first.
type epsilonGreedy struct {
	arms
	params *EpsilonGreedyParams
	steps  float64
	log    float64 // of the decay
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
			e.shape("epsilon_greedy", s, 0, 0)
			e.earlier(&p.Prior)
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

// Act plays the best mean, or an arm at random.
func (e *epsilonGreedy) Act(in *envs.Step, a *envs.Action) {
	if e.mode == agents.Greedy {
		e.greedy(in, a)
		return
	}
	if e.first(in, a) {
		return
	}
	d := drawsAt(e.key, in)
	d.mostly(in, e.bestMean(in), e.epsilon(), e.k, a)
}
