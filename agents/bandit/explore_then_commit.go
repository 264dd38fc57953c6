package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// ExploreThenCommitParams are the parameters of the policy `explore_then_commit`.
type ExploreThenCommitParams struct {
	Explore *int    `param:"explore" min:"1" unit:"sends an arm" doc:"How long the test lasts. Not given: a tenth of the horizon, divided by the arms."`
	Holdout float64 `param:"holdout" default:"0" min:"0" max:"1" doc:"Share of the sends after the test that still go to an arm at random."`
}

// exploreThenCommit plays each arm m times and then the one with the best mean
// (Lattimore and Szepesvari, Bandit Algorithms, 2020, algorithm 1; epsilon-first
// where m is a share of the horizon). Only outcomes of the test count: those
// that land late may still change the choice, those of later sends may not.
type exploreThenCommit struct {
	arms
	closed
	each    float64
	holdout float64
}

func exploreThenCommitFactory() agents.Factory {
	return &factory[ExploreThenCommitParams]{
		name:   "explore_then_commit",
		doc:    "An A/B test of fixed length, then its winner for good. The length decides: too short and it commits to the wrong arm for ever, too long and the test itself is the loss.",
		traits: explores[ExploreThenCommitParams],
		build: func(p *ExploreThenCommitParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			e := recycle[exploreThenCommit](reuse)
			e.shape("explore_then_commit", s, 0, 1)
			e.holdout = p.Holdout
			if e.each = float64(max(1, s.Horizon/(10*s.Action.N))); p.Explore != nil {
				e.each = float64(*p.Explore)
			}
			return e
		},
	}
}

// testing returns the least sent arm that is allowed and not done, or -1.
func (e *exploreThenCommit) testing(in *envs.Step) int {
	at := -1
	for i, n := range e.sent {
		if n < e.each && allowed(in, i) && (at < 0 || n < e.sent[at]) {
			at = i
		}
	}
	return at
}

// Act plays the arm that is due, later the winner.
func (e *exploreThenCommit) Act(in *envs.Step, a *envs.Action) {
	if e.mode == agents.Greedy {
		e.greedy(in, a)
		return
	}
	if at := e.testing(in); at >= 0 {
		a.Index, a.Prob = at, 1
		return
	}
	d := drawsAt(&e.key, in)
	d.mostly(in, e.bestMean(in), e.holdout, e.k, a)
}

// Propensities are those of the holdout, once the test is over.
func (e *exploreThenCommit) Propensities(in *envs.Step, into []float64) {
	best, holdout := e.bestMean(in), e.holdout
	if e.mode == agents.Greedy {
		holdout = 0
	} else if at := e.testing(in); at >= 0 {
		best, holdout = at, 0
	}
	spread(in, best, holdout, into)
}

// Learn counts outcomes of sends before step end of this episode, in which the
// test of the last arm ended.
func (e *exploreThenCommit) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	end := &e.more()[0]
	if in.T == 0 {
		*end = 0
	}
	if e.sent[a.Index] < e.each {
		*end = float64(in.T + 1)
	}
	e.send(a)
	for _, c := range e.outcomes(in, a, out) {
		if float64(c.Step) < *end {
			e.n[c.Index]++
			e.sum[c.Index] += c.Reward
		}
	}
}
