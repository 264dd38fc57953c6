package main

import (
	"fmt"
	"slices"
	"time"

	"overnight/agents/nn"
	"overnight/internal/cpuclock"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// kernel is a line of the table of kernels.
type kernel struct {
	name  string
	times int                                        // a measurement
	make  func(l simd.Level) (run func(), flops int) // flops 0: not counted
}

// benchKernels prints what the kernels take on one core with each set of vector
// instructions up to the best, and how much longer in plain Go. Times are CPU times.
func (a *app) benchKernels(rounds int) error {
	list, levels := kernels(), upTo(simd.Best())
	best := levels[len(levels)-1]
	times := make([][][]time.Duration, len(list)) // [kernel][level]
	flops := make([]int, len(list))
	var peaks []float64
	for range rounds {
		if operations := simd.Spin(best, 1); operations > 0 {
			took := cpuclock.Median(20, func() { operations = simd.Spin(best, 10_000_000) })
			peaks = append(peaks, float64(operations)/took.Seconds()/1e9)
		}
		for i, k := range list {
			times[i] = append(times[i], make([][]time.Duration, len(levels)-len(times[i]))...)
			for j, l := range levels {
				var run func()
				run, flops[i] = k.make(l)
				run()
				times[i][j] = append(times[i][j], cpuclock.Median(9, func() {
					for range k.times {
						run()
					}
				})/time.Duration(k.times))
			}
		}
	}
	fmt.Fprintf(a.out, "\n%s, one core, CPU time", vectors())
	peak := 0.0
	if len(peaks) > 0 {
		slices.Sort(peaks)
		peak = peaks[len(peaks)/2]
		fmt.Fprintf(a.out, "; multiplying and adding float32 in registers reaches %.4g GFLOP/s", peak)
	}
	fmt.Fprintf(a.out, "\n%-48s", "microseconds")
	for _, l := range levels {
		name := l.String()
		if l == simd.Off {
			name = "plain Go"
		}
		fmt.Fprintf(a.out, " %9s", name)
	}
	fmt.Fprintf(a.out, " %9s %8s %11s\n", "GFLOP/s", "of peak", "x plain Go")
	for i, k := range list {
		fmt.Fprintf(a.out, "%-48s", k.name)
		for j := range levels {
			fmt.Fprintf(a.out, " %9.3f", float64(median(times[i][j]).Nanoseconds())/1e3)
		}
		took := median(times[i][len(levels)-1]).Seconds()
		rate, share := "", ""
		if flops[i] > 0 {
			r := float64(flops[i]) / took / 1e9
			rate = fmt.Sprintf("%.1f", r)
			if peak > 0 {
				share = fmt.Sprintf("%.0f %%", 100*r/peak)
			}
		}
		fmt.Fprintf(a.out, " %9s %8s %11.1f\n", rate, share, median(times[i][0]).Seconds()/took)
	}
	return nil
}

// upTo returns the levels up to the best that may be used, plain Go first.
func upTo(best simd.Level) []simd.Level {
	all := simd.Levels()
	return all[:slices.Index(all, best)+1]
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// kernels are those of the notebook's episode (10-64-32-3, 30 days) and of an
// update from 64 rows (10-64-64-8).
func kernels() []kernel {
	const days, rows = 30, 64
	// episode returns a network after an episode, and its gradient.
	episode := func(l simd.Level) (*nn.Net[float32], *nn.Tape[float32], []nn.Block[float32]) {
		n := nn.New[float32](nn.Shape{Sizes: []int{10, 64, 32, 3}, Hidden: nn.ReLU, Output: nn.Sigmoid, Extra: 3})
		n.Use(l)
		n.Init(rng.Key{1})
		t := n.NewTape(days)
		s := rng.New(rng.Key{2})
		for r := range days { // days that follow one another look alike
			fill(&s, t.Input(r), t.Gradient(r))
			if x := t.Input(r); r > 0 {
				for i, before := range t.Input(r - 1) {
					x[i] = before + x[i]/8
				}
			}
			n.Forward(t, r)
		}
		grad := n.Vector()
		n.Backward(t, days, grad)
		return n, t, grad
	}
	batch := func(l simd.Level, hidden nn.Activation) (*nn.Net[float32], *nn.Batch[float32], []nn.Block[float32]) {
		n := nn.New[float32](nn.Shape{Sizes: []int{10, 64, 64, 8}, Hidden: hidden})
		n.Use(l)
		n.Init(rng.Key{1})
		b := n.NewBatch(rows)
		s := rng.New(rng.Key{2})
		for r := range rows {
			fill(&s, b.Input(r), b.Gradient(r))
		}
		n.ForwardBatch(b, rows)
		return n, b, n.Vector()
	}
	return []kernel{
		{"288 normals", 1000, func(l simd.Level) (func(), int) {
			s, z := rng.New(rng.Key{1}), make([]float64, 288)
			return func() { s.NormalsAt(l, z) }, 0
		}},
		{"30 rows forward, one at a time, 10-64-32-3", 100, func(l simd.Level) (func(), int) {
			n, t, _ := episode(l)
			flops, _ := n.Work(t, days)
			return func() {
				for r := range days {
					n.Forward(t, r)
				}
			}, flops
		}},
		{"30 rows backward", 100, func(l simd.Level) (func(), int) {
			n, t, grad := episode(l)
			_, flops := n.Work(t, days)
			return func() { n.Backward(t, days, grad) }, flops
		}},
		{"Adam, 2,886 parameters (13 operations each)", 200, func(l simd.Level) (func(), int) {
			n, _, grad := episode(l)
			adam := nn.Adam[float32]{LearningRate: 1e-30, Beta1: .9, Beta2: .999, Epsilon: 1e-8}
			adam.Reset(n)
			return func() { adam.Step(n, grad, 1) }, 13 * n.Len()
		}},
		{"64 rows forward as a batch, 10-64-64-8, ReLU", 20, func(l simd.Level) (func(), int) {
			n, b, _ := batch(l, nn.ReLU)
			return func() { n.ForwardBatch(b, rows) }, 2 * rows * n.Len()
		}},
		{"64 rows backward", 20, func(l simd.Level) (func(), int) {
			n, b, grad := batch(l, nn.ReLU)
			return func() { n.BackwardBatch(b, rows, grad) }, 2 * rows * (2*n.Len() - 10*64)
		}},
		{"64 rows forward, tanh (products counted alone)", 20, func(l simd.Level) (func(), int) {
			n, b, _ := batch(l, nn.Tanh)
			return func() { n.ForwardBatch(b, rows) }, 2 * rows * n.Len()
		}},
	}
}

func fill(s *rng.Stream, places ...[]float32) {
	for _, p := range places {
		for i := range p {
			p[i] = float32(s.Normal())
		}
	}
}
