// Package envs holds the contract of environments: what they declare, how they
// are stepped, and what else they may offer. Start with Env and Spec.
//
// An environment is reset with the key of an episode and stepped with an action
// into buffers that the caller owns; neither allocates. Its noise is a function
// of the key, the step and a slot, never of earlier actions.
package envs

import (
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Kind is the kind of an action space.
type Kind uint8

// The kinds of action spaces.
const (
	Discrete Kind = iota // Action.Index in [0, N)
	Simplex              // Action.Values: N numbers >= 0 that the environment divides by their sum
	Box                  // Action.Values: N numbers within Low and High
)

func (k Kind) String() string { return [...]string{"discrete", "simplex", "box"}[k] }

// Field is a named stretch of the observation.
type Field struct {
	Name      string
	Len       int
	Levels    int // above 0: integers in [0, Levels)
	Low, High float64
}

// Actions is an action space.
type Actions struct {
	Kind      Kind
	N         int
	Names     []string  // of the N channels, arms or dimensions
	Low, High []float64 // of a Box
}

// Metric is a number that an environment reports of an episode.
type Metric struct {
	Name string
	Doc  string
	Unit string
}

// Spec is what an environment declares; it does not change while it is in use.
type Spec struct {
	Observation []Field
	Action      Actions
	Horizon     int  // steps an episode
	Online      bool // by nature one learning run; "evaluate: online" is its default
	Metrics     []Metric
	Trace       []string // columns of a step's trace, in the order of Tracer.Trace
	// Optimum tells what Oracle computes; see its constants.
	Optimum Optimum
	// Credited says that outcomes come as Credits, each with its action, as soon as
	// they are known: at once, at the end of a batch, after a delay. A Reward is the
	// sum of those of its step. Else a step's Reward is the outcome of its action.
	Credited bool
	// NonNegative says that rewards can't be negative, so ratios of returns mean
	// something.
	NonNegative bool
}

// Size returns the length of the observation.
func (s *Spec) Size() int {
	n := 0
	for _, f := range s.Observation {
		n += f.Len
	}
	return n
}

// Field returns the offset and the length of the named observation field, and
// whether there is one.
func (s *Spec) Field(name string) (offset, length int, ok bool) {
	for _, f := range s.Observation {
		if f.Name == name {
			return offset, f.Len, true
		}
		offset += f.Len
	}
	return 0, 0, false
}

// Optimum says what is known of the best policy.
type Optimum uint8

const (
	// NoOptimum: the environment has no Oracle.
	NoOptimum Optimum = iota
	// Exact: no policy has a higher expected return than Oracle.Best, and Best
	// uses nothing that the observation hides. Metric `optimality` where rewards
	// can't be negative, else `regret`.
	Exact
	// UpperBound: Best knows more than an agent may; metrics `upper_bound` and
	// `regret`.
	UpperBound
	// Reference: Best is a strong policy without a proof; metric `regret`
	// against it.
	Reference
)

// Action is what an agent does in a step. The agent fills Index or Values.
type Action struct {
	Index  int
	Values []float64 // Simplex and Box: N numbers
	Prob   float64   // propensity of a discrete action; 0: not known
}

// Credit is the outcome of an earlier action, known now.
type Credit struct {
	Step, Index int32 // Step -1: anonymous
	Reward      float64
}

// Step is what an environment shows. The environment fills it; it may keep
// Obs, Allowed and Credits and write over them in the next call with the same
// *Step, so a caller that swaps two Steps allocates nothing.
type Step struct {
	T         int       // steps taken in this episode
	Obs       []float64 // Spec.Size numbers
	Allowed   []bool    // Discrete: which actions may be taken; nil: all
	Reward    float64   // of the action just taken
	Done      bool      // the episode has ended
	Truncated bool      // it has ended only because of the horizon
	Credits   []Credit
}

// Env is one environment. It is used by one goroutine at a time.
type Env interface {
	Spec() *Spec
	// Reset begins the episode of a key and fills out with its first observation.
	Reset(episode rng.Key, out *Step)
	// Step takes an action, which it does not change, and fills out.
	Step(a *Action, out *Step)
	// Metrics writes the ended episode's metrics, in the order of Spec.Metrics.
	Metrics(into []float64)
}

// Oracle is implemented by environments that know their best policy. Best fills
// a with the best action now; the value is the expected reward it generates.
// The trial runner plays it on the same episodes to compute optimality.
type Oracle interface {
	Best(a *Action) (value float64)
}

// Attributor is implemented by environments that know what the action just
// taken will bring in all, before it lands. No agent may know that outside a
// simulation; `credit: own` uses it and says so.
type Attributor interface {
	Generated() float64
}

// Tracer is implemented by environments that can show a step's inside, for
// rollout and export. Trace writes len(Spec.Trace) numbers about the step just
// taken.
type Tracer interface {
	Trace(into []float64)
}

// Factory makes environments of one kind.
type Factory interface {
	Name() string
	Doc() string // one sentence, then what is worth knowing
	Schema() param.Schema
	// New returns the environment of the parameters p, which are complete (every
	// parameter of the schema, as Schema.Complete returns them). reuse is an
	// environment that an earlier call of this factory returned, or nil; it may be
	// changed and returned. Its errors are *param.Error where a value is to blame.
	New(p *param.Map, reuse Env) (Env, error)
}
