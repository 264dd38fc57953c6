package marketing

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// variety is parameters that between them use every part of the environment.
var variety = []object{
	{},
	{"faithful": true},
	{"reward": "ltv", "settle": true, "observe": object{"pending": "channels"}},
	{"unspent": true, "reward": "profit", "margin": 6.0, "cap": 0.3, "floor": 0.05},
	{"response": "logistic", "hold": 3, "horizon": 10},
	{"response": "hill", "response_shape": 2.0, "observe": object{"noise": 0.2, "lag": 3}},
	{"synergy": [][]float64{{0, 0.2, 0}, {0, 0, -0.3}, {0.1, 0, 0}}, "reward": "roi"},
	{"channels": []string{"a", "b", "c", "d", "e"}, "base_effectiveness": 0.5, "saturation": []float64{100, 200, 300, 400, 500}, "volatility": 0.1, "response": "saturating"},
	{"volatility_scale": 0.0, "return_noise": 0.0, "delay": []float64{1}},
	{"observe": object{"effectiveness": false}, "trace": object{"late": true}, "response": "hill"},
}

// fingerprint writes two episodes, one of random actions and one of the best,
// with all that the environment shows of them.
func fingerprint(h hash.Hash, e *Env) {
	var b []byte
	write := func(values ...float64) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	var step envs.Step
	a := envs.Action{Values: make([]float64, e.Spec().Action.N)}
	metrics, trace := make([]float64, len(e.Spec().Metrics)), make([]float64, len(e.Spec().Trace))
	key := rng.Root(42, "fingerprint")
	for n := range uint64(2) {
		s := rng.New(key.At(100 + n))
		for e.Reset(key.At(n), &step); !step.Done; {
			write(step.Obs...)
			write(e.Best(&a))
			if n == 0 {
				s.Floats(a.Values)
			}
			e.Step(&a, &step)
			write(step.Reward, e.Generated())
			e.Trace(trace)
			write(trace...)
		}
		write(step.Obs...)
		e.Metrics(metrics)
		write(metrics...)
	}
	h.Write(b)
}

// TestGolden pins all bits of the environment: a change here changes digests and
// must raise the engine version. It holds on every architecture and at every
// GOAMD64 level.
func TestGolden(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	for _, p := range variety {
		fingerprint(h, build(t, p))
	}
	const want = "fa9fea348725a72615f569b242c9a0222dd0c740003212398db96667909e1e12"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("episodes hash to %s, want %s", got, want)
	}
}

// TestReuse: an environment made of another one's buffers is as good as new.
func TestReuse(t *testing.T) {
	t.Parallel()
	for i, first := range variety {
		for j, second := range variety {
			used := build(t, first)
			fingerprint(sha256.New(), used)
			again, err := try(second, used)
			if err != nil {
				t.Fatal(err)
			}
			fresh := build(t, second)
			got, want := sha256.New(), sha256.New()
			fingerprint(got, again.(*Env))
			fingerprint(want, fresh)
			if !slices.Equal(got.Sum(nil), want.Sum(nil)) {
				t.Errorf("variety %d plays otherwise when it reuses %d", j, i)
			}
			if diff := cmp.Diff(fresh.Spec(), again.Spec()); diff != "" {
				t.Errorf("variety %d reusing %d declares (-fresh +reused):\n%s", j, i, diff)
			}
		}
	}
}

// TestAllocations: nothing is allocated once buffers are there, and a reused
// environment of equal shape takes nothing new either.
func TestAllocations(t *testing.T) {
	for _, p := range variety {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			e := build(t, p)
			var step envs.Step
			a := envs.Action{Values: make([]float64, e.Spec().Action.N)}
			metrics, trace := make([]float64, len(e.Spec().Metrics)), make([]float64, len(e.Spec().Trace))
			key := rng.Root(1, "allocations")
			e.Reset(key, &step)
			n := uint64(0)
			if got := testing.AllocsPerRun(10, func() {
				n++
				for e.Reset(key.At(n), &step); !step.Done; {
					e.Best(&a)
					e.Step(&a, &step)
					e.Trace(trace)
				}
				e.Metrics(metrics)
			}); got != 0 {
				t.Errorf("an episode allocates %v times", got)
			}
			complete, err := Factory{}.Schema().Complete(value(p).(*param.Map))
			if err != nil {
				t.Fatal(err)
			}
			var env envs.Env = e
			if got := testing.AllocsPerRun(10, func() {
				if env, err = (Factory{}).New(complete, env); err != nil {
					t.Fatal(err)
				}
			}); got > 0 {
				t.Errorf("New with reuse allocates %v times", got)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	complete, err := Factory{}.Schema().Complete(nil)
	if err != nil {
		b.Fatal(err)
	}
	var e envs.Env
	b.ReportAllocs()
	for b.Loop() {
		if e, err = (Factory{}).New(complete, e); err != nil {
			b.Fatal(err)
		}
	}
}
