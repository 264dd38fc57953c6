package email

import (
	"fmt"
	"math"
	"testing"

	"overnight/envs"
)

// column returns the place of a column of the trace.
func column(t *testing.T, e *Env, name string) int {
	t.Helper()
	for i, n := range e.Spec().Trace {
		if n == name {
			return i
		}
	}
	t.Fatalf("there is no column %s", name)
	return 0
}

// TestDelays: each conversion is credited exactly once, when its delay has
// passed and its batch ends, and with a window each send is, for nothing where
// the conversion is later. The trace says what was drawn.
func TestDelays(t *testing.T) {
	t.Parallel()
	const horizon = 3000
	for _, p := range []object{
		{"delay": "fixed", "delay_mean": 0.0},
		{"delay": "fixed", "delay_mean": 1.0},
		{"delay": "fixed", "delay_mean": 100.0},
		{"delay": "fixed", "delay_mean": 5000.0},
		{"delay": "fixed", "delay_mean": []float64{0, 3, 40, 7, 2999}},
		{"delay": "fixed", "delay_mean": []float64{0, 3, 40, 7, 2999}, "window": 7},
		{"delay": "geometric", "delay_mean": 0.0},
		{"delay": "geometric", "delay_mean": 100.0},
		{"delay": "geometric", "delay_mean": 100.0, "window": 0},
		{"delay": "geometric", "delay_mean": 100.0, "window": 60},
		{"delay": "geometric", "delay_mean": 100.0, "window": 100000},
		{"delay": "geometric", "delay_mean": []float64{1, 10, 100, 1000, 10000}, "window": 200, "batch": 50},
		{"delay": "geometric", "batch": 64},
		{"delay": "fixed", "batch": 5000, "revenue": "poisson"},
	} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			t.Parallel()
			p["horizon"] = horizon
			e := build(t, p)
			batch := e.p.Batch
			trace := make([]float64, len(e.Spec().Trace))
			converted, caused, delay := column(t, e, "converted"), column(t, e, "caused"), column(t, e, "delay")
			type outcome struct {
				due    int
				reward float64
				arm    int
			}
			due := map[int]outcome{}
			generated, total := 0.0, 0.0
			play(e, key(8), cycle(5), func(s step) {
				e.Trace(trace)
				now := s.before.T
				o := outcome{due: now + int(trace[delay]), reward: trace[caused], arm: s.arm}
				w := e.late.window
				known := trace[converted] == 1
				if w >= 0 && (!known || int(trace[delay]) > w) {
					o, known = outcome{due: now + w, arm: s.arm}, true
				}
				if known {
					if o.reward != e.Generated() {
						t.Fatalf("send %d generates %v, want %v", now, e.Generated(), o.reward)
					}
					o.due = min((o.due/batch+1)*batch-1, max(o.due, horizon-1))
					due[now] = o
				}
				generated += e.Generated()
				last := -1
				reward := 0.0
				for _, c := range s.after.Credits {
					o, ok := due[int(c.Step)]
					if !ok {
						t.Fatalf("after send %d: %+v was credited before or never", now, c)
					}
					if o.due != now || o.reward != c.Reward || o.arm != int(c.Index) {
						t.Fatalf("after send %d: %+v, want %+v", now, c, o)
					}
					if batch == 1 && int(c.Step) <= last {
						t.Fatalf("after send %d: credit of %d comes after that of %d", now, c.Step, last)
					}
					last = int(c.Step)
					reward += c.Reward
					delete(due, int(c.Step))
				}
				if reward != s.after.Reward {
					t.Fatalf("after send %d: reward %v, credits %v", now, s.after.Reward, reward)
				}
				total += reward
			})
			for send, o := range due {
				if o.due < horizon {
					t.Errorf("send %d was never credited: %+v", send, o)
				}
				generated -= o.reward
			}
			near(t, "what was credited", total, generated, 1e-9)
		})
	}
}

// TestGeometric: the delays of each arm have their mean and variance.
func TestGeometric(t *testing.T) {
	t.Parallel()
	const horizon = 50_000
	means := []float64{.5, 4, 250}
	e := build(t, object{"rates": []float64{1, 1, 1}, "horizon": horizon, "delay": "geometric", "delay_mean": means})
	n, sum, square := [3]float64{}, [3]float64{}, [3]float64{}
	play(e, key(2), cycle(3), func(s step) {
		d := float64(e.late.delay)
		n[s.arm]++
		sum[s.arm] += d
		square[s.arm] += d * d
	})
	for i, mean := range means {
		variance := mean * (1 + mean)
		near(t, fmt.Sprintf("mean delay of arm %d", i), sum[i]/n[i], mean, 4.5*math.Sqrt(variance/n[i]))
		// The fourth central moment is variance (1 + 9 variance).
		got := square[i]/n[i] - sum[i]*sum[i]/(n[i]*n[i])
		near(t, fmt.Sprintf("variance of arm %d's delay", i), got, variance, 4.5*math.Sqrt(variance*(1+8*variance)/n[i]))
	}
}

// TestCensored: the share of conversions within a window is 1 - q^(W+1).
func TestCensored(t *testing.T) {
	t.Parallel()
	const horizon, mean, window = 50_000, 100.0, 60
	e := build(t, object{"rates": []float64{1, 1}, "horizon": horizon, "delay": "geometric", "delay_mean": mean, "window": window})
	total := play(e, key(2), constant(0), nil)
	want := 1 - math.Pow(mean/(1+mean), window+1)
	near(t, "share credited", total/(horizon-window), want, 4.5*math.Sqrt(want*(1-want)/horizon)+window/float64(horizon))
	if got := measured(t, e)["conversions"]; got != horizon {
		t.Errorf("%v conversions, want all %d", got, horizon)
	}
}

// TestAnonymous: one sum each time something may be known.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	p := object{"horizon": 1000, "delay": "geometric", "batch": 20}
	var want []float64
	play(build(t, p), key(4), cycle(5), func(s step) { want = append(want, s.after.Reward) })
	p["anonymous"] = true
	play(build(t, p), key(4), cycle(5), func(s step) {
		ends := s.after.T%20 == 0
		if len(s.after.Credits) != int(oneIf(ends)) || s.after.Reward != want[s.before.T] {
			t.Fatalf("after %d sends: reward %v, want %v, and %d credits", s.after.T, s.after.Reward, want[s.before.T], len(s.after.Credits))
		}
		if ends && s.after.Credits[0] != (envs.Credit{Step: -1, Index: -1, Reward: s.after.Reward}) {
			t.Errorf("the credit is %+v", s.after.Credits[0])
		}
	})
}

// TestNoMailIsKnown: that nothing was sent is credited at once, and once, with or
// without a window.
func TestNoMailIsKnown(t *testing.T) {
	t.Parallel()
	for _, window := range []any{nil, 50} {
		e := build(t, object{"horizon": 400, "delay": "geometric", "delay_mean": 30, "window": window, "recipients": object{"number": 10}})
		sent, credited := 0, 0
		play(e, key(3), cycle(6), func(s step) {
			if s.arm == 5 {
				sent++
			}
			for _, c := range s.after.Credits {
				if c.Index != 5 {
					continue
				}
				credited++
				if int(c.Step) != s.before.T || s.arm != 5 || c.Reward != 0 {
					t.Errorf("window %v: %+v after send %d of arm %d", window, c, s.before.T, s.arm)
				}
			}
		})
		if credited != sent {
			t.Errorf("window %v: %d credits of %d turns passed", window, credited, sent)
		}
	}
}
