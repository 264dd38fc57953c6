// Package envtest checks that environments keep the contract of package envs.
// Start with Run and Suite: an environment's test calls Run with its factory and
// parameters that between them use all its parts.
//
// Run plays each of them by allowed actions at random and, where there is an
// Oracle, by the best, and checks
//   - what is declared: names, lengths, and an Oracle exactly where Optimum says so;
//   - every step: as many numbers as are declared, levels that are integers in
//     their range, masks that leave something, outcomes that add up to the reward
//     and belong to the sends that they name, an end at the horizon at the latest;
//   - that Metrics, Trace, Best and Generated write all that is declared and
//     change nothing, and that an action given is not changed;
//   - that an episode is a function of its key and the actions: the same after
//     others, with one Step or two that are swapped, in a fresh environment and in
//     one made of any other's buffers; and another under another key;
//   - that nothing is allocated once buffers are there, by New with reuse either.
//
// Golden pins all bits, so no change of them goes unseen.
package envtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/envs"
	"overnight/internal/rng"
)

// Suite is what Run checks.
type Suite struct {
	Factory envs.Factory
	// Variety is parameters that between them use every part of the environment.
	Variety []Object
	// Certain says which of Variety have no chance in them; nil: none. The others
	// play otherwise under another key.
	Certain func(Object) bool
}

// failer is the part of testing.T that checks use.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Run checks the contract. t must not be parallel: allocations are counted.
func Run(t *testing.T, s Suite) {
	t.Run("Allocations", func(t *testing.T) { s.allocations(t) })
	t.Run("Contract", func(t *testing.T) {
		t.Parallel()
		for _, p := range s.Variety {
			e := s.build(t, p, nil)
			declares(t, p, e)
			follows(t, p, e)
		}
	})
	t.Run("Keys", func(t *testing.T) {
		t.Parallel()
		for _, p := range s.Variety {
			s.keys(t, p)
		}
	})
	t.Run("Reuse", func(t *testing.T) {
		t.Parallel()
		s.reuse(t)
	})
}

// Golden checks that the SHA-256 in hex of all that Variety's environments show
// is want. A change of it changes digests of studies, and must raise the engine
// version. It holds on every architecture and at every GOAMD64 level.
func Golden(t *testing.T, s Suite, want string) {
	t.Helper()
	h := sha256.New()
	for _, p := range s.Variety {
		h.Write(Fingerprint(s.build(t, p, nil), 0))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("episodes hash to %s, want %s", got, want)
	}
}

func (s *Suite) build(t failer, p Object, reuse envs.Env) envs.Env {
	t.Helper()
	e, err := New(s.Factory, p, reuse)
	if err != nil {
		t.Fatalf("New(%v): %v", p, err)
	}
	return e
}

// keys checks that an episode depends on its key and actions alone.
func (s *Suite) keys(t failer, p Object) {
	e := s.build(t, p, nil)
	first := Fingerprint(e, 0)
	Fingerprint(e, 1)
	if !slices.Equal(first, Fingerprint(e, 0)) {
		t.Errorf("%v: an episode plays otherwise after others", p)
	}
	if !slices.Equal(first, Fingerprint(s.build(t, p, nil), 0)) {
		t.Errorf("%v: two environments of the same parameters play otherwise", p)
	}
	// A run that is broken off leaves nothing behind.
	begin := Start(e, keyOf(9))
	for range min(3, e.Spec().Horizon) {
		begin.Step(begin.Random())
	}
	if !slices.Equal(first, Fingerprint(e, 0)) {
		t.Errorf("%v: an episode plays otherwise after one that was broken off", p)
	}
	if !slices.Equal(first, fingerprint(e, 0, true)) {
		t.Errorf("%v: an episode plays otherwise where one Step is shown and filled", p)
	}
	certain := s.Certain != nil && s.Certain(p)
	if same := slices.Equal(results(e, 0), results(e, 1)); same != certain {
		t.Errorf("%v: two keys give the same for the same actions: %v, want %v", p, same, certain)
	}
}

// results returns what the same actions bring under a key.
func results(e envs.Env, key uint64) []byte {
	var b []byte
	r := Start(e, keyOf(key))
	r.actions.Seed(keyOf(1 << 20))
	for !r.In.Done {
		r.Step(r.Random())
		b = appendFloats(b, r.In.Reward)
		b = appendFloats(b, r.In.Obs...)
	}
	return b
}

// reuse checks that an environment made of another one's buffers is as good as
// new, whatever that one was.
func (s *Suite) reuse(t failer) {
	want := make([][]byte, len(s.Variety))
	fresh := make([]envs.Env, len(s.Variety))
	for i, p := range s.Variety {
		fresh[i] = s.build(t, p, nil)
		want[i] = Fingerprint(fresh[i], 0)
	}
	for i, p := range s.Variety {
		for j, q := range s.Variety {
			used := s.build(t, p, nil)
			Fingerprint(used, 0)
			again := s.build(t, q, used)
			if !slices.Equal(Fingerprint(again, 0), want[j]) {
				t.Errorf("%v\nplays otherwise when it reuses\n%v", q, s.Variety[i])
			}
			if diff := cmp.Diff(fresh[j].Spec(), again.Spec()); diff != "" {
				t.Errorf("%v\nreusing %v\ndeclares (-fresh +reused):\n%s", q, p, diff)
			}
		}
	}
}

// allocations checks that nothing is allocated once buffers are there.
func (s *Suite) allocations(t failer) {
	for _, p := range s.Variety {
		e := s.build(t, p, nil)
		spec := e.Spec()
		out := envs.Step{Credits: make([]envs.Credit, 0, spec.Horizon)}
		metrics, trace := make([]float64, len(spec.Metrics)), make([]float64, len(spec.Trace))
		r := Start(e, keyOf(0))
		tracer, _ := e.(envs.Tracer)
		oracle, _ := e.(envs.Oracle)
		n := uint64(0)
		if got := testing.AllocsPerRun(10, func() {
			n++
			for e.Reset(keyOf(n), &out); !out.Done; {
				a := r.action(&out)
				if oracle != nil {
					oracle.Best(a)
				}
				e.Step(a, &out)
				if tracer != nil {
					tracer.Trace(trace)
				}
			}
			e.Metrics(metrics)
		}); got != 0 {
			t.Errorf("%v: an episode allocates %v times", p, got)
		}
		complete, err := Complete(s.Factory, p)
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		if got := testing.AllocsPerRun(10, func() {
			if e, err = s.Factory.New(complete, e); err != nil {
				t.Fatalf("%v: %v", p, err)
			}
		}); got > 0 {
			t.Errorf("%v: New with reuse allocates %v times", p, got)
		}
	}
}

func keyOf(n uint64) rng.Key { return rng.Root(42, "envtest").At(n) }

// String of a case, for messages.
func (o Object) String() string { return fmt.Sprint(map[string]any(o)) }
