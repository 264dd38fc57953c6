package offpolicy

import (
	"math"
	"testing"
)

// FuzzEvaluator: whatever the numbers, a log is refused or has ordered intervals.
func FuzzEvaluator(f *testing.F) {
	f.Add(uint8(0), .5, 1., false, .5, .5)
	f.Add(uint8(1), 1., -3., true, 0., 1.)
	f.Add(uint8(2), 1e-7, 1e99, true, 1e300, 3.)
	f.Fuzz(func(t *testing.T, action uint8, p, outcome float64, mask bool, a, b float64) {
		targets := []Target{Always(0), Always(1), Uniform{}}
		if fixed, err := NewFixed([]float64{a, b}); err == nil {
			if s := fixed[0] + fixed[1]; math.Abs(s-1) > 1e-9 {
				t.Fatalf("%v, %v: %v", a, b, fixed)
			}
			targets = append(targets, fixed)
		}
		positive := outcome > 0
		e, err := New(2, targets, Options{Clip: 10, NonNegative: positive})
		if err != nil {
			t.Fatal(err)
		}
		d := Decision{Action: int(action), Probs: []float64{p, 1 - p}, Outcome: outcome}
		if mask {
			d.Allowed = []bool{p > 0, p < 1}
		}
		for i := range 4 {
			if e.Add(&d) != nil {
				return
			}
			if d.Outcome /= float64(i + 1); !positive {
				d.Outcome = -d.Outcome
			}
		}
		for _, r := range e.Results() {
			for i, b := range r.By {
				if r.Supported == math.IsNaN(b.Value) && !(Estimator(i) == SNIPS && r.Effective == 0) {
					t.Fatalf("supported %v, %v", r.Supported, b)
				}
				if r.Supported && !math.IsNaN(b.Value) && !(b.Low <= b.High && (positive || b.Low <= b.Value && b.Value <= b.High)) {
					t.Fatalf("%v: %v", Estimator(i), b)
				}
			}
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	targets := []Target{Always(0), Always(1), Always(2), Uniform{}}
	e, err := New(3, targets, Options{Groups: 2})
	if err != nil {
		b.Fatal(err)
	}
	log := history()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := e.Add(&log[i%len(log)]); err != nil {
			b.Fatal(err)
		}
	}
}
