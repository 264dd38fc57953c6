package envtest

import (
	"encoding/binary"
	"math"

	"overnight/envs"
	"overnight/internal/rng"
)

// Episode is an episode under way. Start begins one.
type Episode struct {
	Env     envs.Env
	In      *envs.Step // what is shown now
	Before  *envs.Step // what was shown before the last step
	single  bool       // In is filled again, and Before is the same
	actions rng.Stream
	a       envs.Action
}

// Start resets e to a key; actions at random are of the key too.
func Start(e envs.Env, key rng.Key) *Episode {
	r := &Episode{Env: e, In: &envs.Step{}, Before: &envs.Step{}}
	r.reset(key)
	return r
}

func (r *Episode) reset(key rng.Key) {
	r.actions.Seed(key.At(1 << 40))
	if n := r.Env.Spec().Action.N; r.Env.Spec().Action.Kind != envs.Discrete && len(r.a.Values) != n {
		r.a.Values = make([]float64, n)
	}
	r.Env.Reset(key, r.In)
}

// Random returns an allowed action, any as likely.
func (r *Episode) Random() *envs.Action { return r.action(r.In) }

func (r *Episode) action(in *envs.Step) *envs.Action {
	s := &r.Env.Spec().Action
	switch s.Kind {
	case envs.Discrete:
		for {
			if i := r.actions.IntN(s.N); in.Allowed == nil || in.Allowed[i] {
				r.a.Index = i
				return &r.a
			}
		}
	case envs.Simplex:
		r.actions.Floats(r.a.Values)
	case envs.Box:
		for i := range r.a.Values {
			r.a.Values[i] = s.Low[i] + float64((s.High[i]-s.Low[i])*r.actions.Float64())
		}
	}
	return &r.a
}

// Best returns the oracle's action and value; of an environment without one, nil.
func (r *Episode) Best() (*envs.Action, float64) {
	o, ok := r.Env.(envs.Oracle)
	if !ok {
		return nil, 0
	}
	v := o.Best(&r.a)
	return &r.a, v
}

// Step takes an action; what follows is In.
func (r *Episode) Step(a *envs.Action) {
	if r.single {
		r.Env.Step(a, r.In)
		return
	}
	r.Env.Step(a, r.Before)
	r.In, r.Before = r.Before, r.In
}

// Fingerprint returns all that an environment shows of two episodes, one of
// actions at random and one of the best actions, as bits. Keys are functions of n.
func Fingerprint(e envs.Env, n uint64) []byte { return fingerprint(e, n, false) }

func fingerprint(e envs.Env, n uint64, single bool) []byte {
	var b []byte
	spec := e.Spec()
	metrics, trace := make([]float64, len(spec.Metrics)), make([]float64, len(spec.Trace))
	tracer, _ := e.(envs.Tracer)
	attributor, _ := e.(envs.Attributor)
	for policy := range uint64(2) {
		r := &Episode{Env: e, In: &envs.Step{}, Before: &envs.Step{}, single: single}
		for r.reset(keyOf(n).At(policy)); !r.In.Done; {
			b = appendShown(b, r.In)
			best, v := r.Best()
			b = appendFloats(b, v)
			a := best
			if policy == 0 || best == nil {
				a = r.Random()
			}
			b = appendFloats(b, float64(a.Index))
			b = appendFloats(b, a.Values...)
			r.Step(a)
			b = appendFloats(b, r.In.Reward)
			for _, c := range r.In.Credits {
				b = appendFloats(b, float64(c.Step), float64(c.Index), c.Reward)
			}
			if attributor != nil {
				b = appendFloats(b, attributor.Generated())
			}
			if tracer != nil {
				tracer.Trace(trace)
				b = appendFloats(b, trace...)
			}
		}
		b = appendShown(b, r.In)
		e.Metrics(metrics)
		b = appendFloats(b, metrics...)
	}
	return b
}

func appendShown(b []byte, s *envs.Step) []byte {
	b = appendFloats(b, float64(s.T))
	b = appendFloats(b, s.Obs...)
	for _, yes := range append([]bool{s.Done, s.Truncated}, s.Allowed...) {
		if yes {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return b
}

func appendFloats(b []byte, values ...float64) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}
