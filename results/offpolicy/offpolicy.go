// Package offpolicy estimates from the log of one policy what another would
// have brought: which subject line is worth how much, though a bandit sent most
// of the mails elsewhere. Start with New and Evaluator.Add.
//
// A log is a sequence of decisions with the exact probability of every action
// (propensity) at the time. The package promises:
//   - One pass and memory that does not grow with the log.
//   - What an estimate uses of a decision, beside its outcome, was known before
//     it. IPS and DR are therefore unbiased whatever policy wrote the log,
//     learning ones too.
//   - Where the log can't answer, there is no number: Result.Supported.
//   - It says the same however often it is asked; nothing is drawn.
package offpolicy

import (
	"fmt"
	"math"
)

// Decision is one row of a log.
type Decision struct {
	Action  int
	Probs   []float64 // of every action: numbers that sum to 1
	Outcome float64   // all that the action brought, whenever it was known
	Allowed []bool    // which actions could be taken; nil: all
	// Group is the stratum of the decision, in [0, Options.Groups): DR's model and
	// the variances have means for each.
	Group int
	// Means are the expected outcomes of the actions, where a simulation knows
	// them; nil otherwise. No estimate uses them: they become Result.Truth.
	Means []float64
}

// Target is a policy whose value is asked for.
type Target interface {
	// Probs writes how likely each action is under the target at d, of which it
	// looks at Allowed and Group alone: numbers that sum to 1. False: it can't act
	// there, and d does not count for it.
	Probs(d *Decision, into []float64) bool
}

// Estimator names one way to estimate.
type Estimator int

// The estimators. w is the target's probability of the logged action over its
// propensity, y the outcome, m a model's mean.
const (
	// IPS is the mean of w y (Horvitz and Thompson 1952, A generalization of
	// sampling without replacement from a finite universe): unbiased.
	IPS Estimator = iota
	// SNIPS is the sum of w y over the sum of w (Hajek 1971; Swaminathan and
	// Joachims 2015, The self-normalized estimator for counterfactual learning):
	// a bias of order 1/n buys less variance where outcomes are far from 0.
	SNIPS
	// DR is the mean of m(target) + w (y - m(action)) (Dudik, Langford and Li 2011,
	// Doubly robust policy evaluation and learning); m is the mean outcome so far
	// of the action in the group, so it is unbiased too.
	DR
	// Adaptive is the mean of DR's terms with weights 1/sqrt(E w^2), which keep the
	// variance even while propensities decay, so that the interval is right where
	// those of IPS and DR are not: the constant allocation of Hadad, Hirshberg,
	// Zhan, Wager and Athey 2021 (Confidence intervals for policy evaluation in
	// adaptive experiments, PNAS 118), equation 15 with h_t^2 / e_t constant; for
	// targets of several actions after Zhan, Hadad, Hirshberg and Athey 2021. Only
	// where expected outcomes stand still and propensities have no context.
	Adaptive
	// Clipped is IPS with weights of at most Options.Clip: biased towards 0.
	Clipped
	estimators
)

var estimatorNames = [estimators]string{"ips", "snips", "dr", "adaptive", "clipped"}

func (e Estimator) String() string { return estimatorNames[e] }

// Estimators returns all estimators, in order.
func Estimators() []Estimator { return []Estimator{IPS, SNIPS, DR, Adaptive, Clipped} }

// Options of an evaluation. The zero value is ready.
type Options struct {
	// Groups is the number of strata. Defaults to 1.
	Groups int
	// Contextual says that propensities depend on what is seen of a decision, where
	// Adaptive has no answer.
	Contextual bool
	// Clip bounds the weights of Clipped. 0: it has no answer.
	Clip float64
	// NonNegative says that outcomes can't be negative, so intervals begin at 0 or
	// above.
	NonNegative bool
	// Confidence of the intervals. Defaults to 0.95.
	Confidence float64
	// Least is the propensity below which an action counts as never taken.
	// Defaults to 1e-6.
	Least float64
	// Lacking is the share of decisions without support that is put up with: they
	// are left out of estimate and truth alike, as the first plays of every arm in
	// turn have to be. Above, there is no estimate. Defaults to 0.01.
	Lacking float64
}

// Evaluator reads a log and estimates the values of several targets. It is used
// by one goroutine.
type Evaluator struct {
	o       Options
	actions int
	z       float64
	model   model
	targets []target
	probs   []float64
	means   []float64
	n       uint64
}

// New returns an evaluator of decisions among so many actions.
func New(actions int, targets []Target, o Options) (*Evaluator, error) {
	if o.Groups == 0 {
		o.Groups = 1
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if o.Least == 0 {
		o.Least = 1e-6
	}
	if o.Lacking == 0 {
		o.Lacking = 0.01
	}
	switch {
	case actions < 1:
		return nil, fmt.Errorf("off-policy: %d actions; there must be one at least", actions)
	case o.Groups < 1:
		return nil, fmt.Errorf("off-policy: %d groups; there must be one at least", o.Groups)
	case !(o.Confidence > 0 && o.Confidence < 1):
		return nil, fmt.Errorf("off-policy: confidence %v; write a number between 0 and 1, such as 0.95", o.Confidence)
	case !(o.Least > 0 && o.Least < 1), !(o.Lacking > 0 && o.Lacking < 1), !(o.Clip >= 0):
		return nil, fmt.Errorf("off-policy: least %v, lacking %v, clip %v; least and lacking are between 0 and 1, clip is not negative", o.Least, o.Lacking, o.Clip)
	}
	e := &Evaluator{
		o: o, actions: actions, z: math.Sqrt2 * math.Erfinv(o.Confidence), model: newModel(o.Groups, actions),
		targets: make([]target, len(targets)), probs: make([]float64, actions), means: make([]float64, actions),
	}
	for i, t := range targets {
		e.targets[i] = newTarget(t, o.Groups*actions)
	}
	return e, nil
}

// Add reads the next decision. It keeps nothing of d. An error means that the
// log contradicts itself; the decision is left out then.
func (e *Evaluator) Add(d *Decision) error {
	if err := e.check(d); err != nil {
		return fmt.Errorf("off-policy: decision %d: %w", e.n, err)
	}
	e.n++
	e.model.predict(d.Group, e.means)
	for i := range e.targets {
		e.targets[i].add(d, e.probs, e.means, &e.o)
	}
	e.model.learn(d)
	return nil
}

// check looks for what can't be.
func (e *Evaluator) check(d *Decision) error {
	switch {
	case len(d.Probs) != e.actions:
		return fmt.Errorf("%d propensities of %d actions", len(d.Probs), e.actions)
	case d.Action < 0 || d.Action >= e.actions:
		return fmt.Errorf("action %d of %d", d.Action, e.actions)
	case d.Allowed != nil && len(d.Allowed) != e.actions:
		return fmt.Errorf("a mask of %d for %d actions", len(d.Allowed), e.actions)
	case d.Means != nil && len(d.Means) != e.actions:
		return fmt.Errorf("%d expected outcomes of %d actions", len(d.Means), e.actions)
	case d.Group < 0 || d.Group >= e.o.Groups:
		return fmt.Errorf("group %d of %d", d.Group, e.o.Groups)
	case !(math.Abs(d.Outcome) <= 1e100):
		return fmt.Errorf("an outcome of %v; it must be a number of at most 1e100", d.Outcome)
	}
	sum := 0.0
	for i, p := range d.Probs {
		if !(p >= 0 && p <= 1+1e-9) {
			return fmt.Errorf("propensity %v of action %d; it must be between 0 and 1", p, i)
		}
		if p > 0 && d.Allowed != nil && !d.Allowed[i] {
			return fmt.Errorf("propensity %v of action %d, which is not allowed", p, i)
		}
		sum += p
	}
	if math.Abs(sum-1) > 1e-6 {
		return fmt.Errorf("propensities that sum to %v instead of 1", sum)
	}
	if d.Probs[d.Action] == 0 {
		return fmt.Errorf("action %d was taken, and its propensity is 0: these are not the propensities of the policy that took it", d.Action)
	}
	return nil
}

// Results returns what is known of each target so far, in the order of New.
func (e *Evaluator) Results() []Result {
	out := make([]Result, len(e.targets))
	for i := range e.targets {
		out[i] = e.targets[i].result(&e.model, &e.o, e.z)
	}
	return out
}
