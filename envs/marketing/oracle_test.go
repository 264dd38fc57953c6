package marketing

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"overnight/envs"
	"overnight/internal/rng"
)

// w0 is lambertW0 of one number.
func w0(x float64) float64 {
	w := []float64{x}
	lambertW0(w, make([]float64, 1))
	return w[0]
}

func TestLambert(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ x, want float64 }{ // Corless et al. 1996 and mpmath
		{0, 0}, {1e-300, 1e-300}, {1e-9, 9.99999999000000001e-10}, {0.1, 0.0912765271608622642},
		{1, 0.567143290409783873}, {2, 0.852605502013725491}, {math.E, 1},
	} {
		if got := w0(c.x); math.Abs(got-c.want) > 4*0x1p-52*c.want {
			t.Errorf("W0(%v) = %.17g, want %.17g", c.x, got, c.want)
		}
	}
	for n := range 100_001 {
		x := math.E * float64(n) / 100_000
		if w := w0(x); math.Abs(w*math.Exp(w)-x) > 8*0x1p-52*x {
			t.Fatalf("W0(%v) = %v, which times its exponential is %v", x, w, w*math.Exp(w))
		}
	}
}

func TestMeanPositive(t *testing.T) {
	t.Parallel()
	for _, sd := range []float64{0, 0.01, 0.2, 0.5, 1, 3, 50} {
		want := 1.0
		if sd > 0 {
			want = math.Erfc(-1/sd/math.Sqrt2)/2 + sd*math.Exp(-0.5/sd/sd)/math.Sqrt(2*math.Pi)
		}
		near(t, fmt.Sprintf("E[max(0, 1 + %v z)]", sd), meanPositive(sd), want, 1e-11)
	}
}

// TestWaterFill checks the reference's split at base effectiveness.
func TestWaterFill(t *testing.T) {
	t.Parallel()
	const tolerance = 1e-6
	e := build(t, object{"return_noise": 0.0, "settle": true})
	var step envs.Step
	e.Reset(rng.Root(1, "waterfill"), &step)
	a := envs.Action{Values: make([]float64, 3)}
	near(t, "value", e.Best(&a), 224.8507, tolerance)
	for i, want := range []float64{226.89930, 420.44855, 352.65215} {
		near(t, "spend on "+e.p.Channels[i], a.Values[i]*1000, want, tolerance)
	}
	lambda := e.oracle.ahead[0].descent.u
	if math.Abs(lambda-0.03431240) > tolerance*0.0343 {
		t.Errorf("lambda is %v, want 0.03431240", lambda)
	}
}

// instance draws a split with random channels, caps and floors.
func instance(t *rapid.T, forms ...string) (*split, []float64) {
	k := rapid.IntRange(1, 3).Draw(t, "channels")
	amount := rapid.Float64Range(0.01, 1)
	p := &split{
		response: newResponse(rapid.SampledFrom(forms).Draw(t, "response"), nil),
		budget:   rapid.Float64Range(10, 3000).Draw(t, "budget"),
		free:     rapid.Bool().Draw(t, "free"),
	}
	least, most := 0.0, 0.0
	for range k {
		c := outlet{e: 1, k: rapid.Float64Range(10, 1000).Draw(t, "k")}
		c.invK = 1 / c.k
		if rapid.Bool().Draw(t, "floored") {
			c.least = amount.Draw(t, "floor") * p.budget / float64(k)
		}
		c.most = p.budget
		if rapid.Bool().Draw(t, "capped") {
			c.most = c.least + amount.Draw(t, "cap")*(p.budget-c.least)
		}
		least += c.least
		most += c.most
		p.ch = append(p.ch, c)
	}
	if most < p.budget {
		p.free = true
	}
	var e []float64
	for range k {
		e = append(e, rapid.OneOf(rapid.Float64Range(0.01, 2), rapid.SampledFrom([]float64{0, 1e-9})).Draw(t, "e"))
	}
	if least > p.budget {
		t.Fatalf("floors sum to %v", least)
	}
	return p, e
}

// check fails unless the solution of p is within its bounds and budget.
func (p *split) check(t *rapid.T) {
	sum := 0.0
	for i, c := range p.ch {
		if !(c.s >= c.least-1e-9 && c.s <= c.most+1e-9) {
			t.Fatalf("channel %d gets %v, bounds are %v and %v", i, c.s, c.least, c.most)
		}
		sum += c.s
	}
	if sum > p.budget*(1+1e-9) || !p.free && sum < p.budget*(1-1e-9) {
		t.Fatalf("spend sums to %v, the budget is %v", sum, p.budget)
	}
}

// bruteForce returns the best value of p on a grid of n steps a channel.
func (p *split) bruteForce(n int) float64 {
	top := math.Inf(-1)
	var deal func(i int, left float64)
	deal = func(i int, left float64) {
		c := &p.ch[i]
		if i == len(p.ch)-1 && !p.free {
			if left >= c.least && left <= c.most {
				c.s = left
				top = max(top, p.total())
			}
			return
		}
		for j := range n + 1 {
			c.s = c.least + (c.most-c.least)*float64(j)/float64(n)
			switch {
			case c.s > left:
			case i == len(p.ch)-1:
				top = max(top, p.total())
			default:
				deal(i+1, left-c.s)
			}
		}
	}
	deal(0, p.budget)
	return top
}

// TestFillIsBest compares the water-fill with brute force on random splits.
func TestFillIsBest(t *testing.T) {
	t.Parallel()
	filled, capped, costly := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p, e := instance(t, "exponential_decay", "saturating", "hill")
		if !p.prepare() {
			return
		}
		for i := range p.ch {
			p.ch[i].e = e[i]
		}
		p.value, p.cost = rapid.Float64Range(0.1, 10).Draw(t, "value"), 0
		if rapid.Bool().Draw(t, "costs") {
			p.cost = 1
			costly++
		}
		new(filler).fill(p)
		p.check(t)
		got := p.total()
		for _, c := range p.ch {
			if c.s == c.most {
				capped++
			}
		}
		if want := p.bruteForce(40); got < want-1e-9*(1+math.Abs(want)) {
			t.Fatalf("fill makes %v, brute force %v", got, want)
		}
		filled++
	})
	if filled == 0 || capped == 0 || costly == 0 {
		t.Errorf("%d splits filled, %d caps met, %d with costs: the test tests nothing", filled, capped, costly)
	}
}

// TestSearchIsNearBest compares the search with brute force where nothing is
// proven: it may miss a hundredth of the revenue, or a tenth with synergy,
// which its first stage does not know (in 20,000 splits one missed a fiftieth).
func TestSearchIsNearBest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, e := instance(t, "logistic", "hill", "exponential_decay")
		if p.response.form == hill {
			p.response.h = 3
		}
		if rapid.Bool().Draw(t, "synergy") {
			for i := range p.ch {
				row := make([]float64, len(p.ch))
				for j := range row {
					if i != j {
						row[j] = rapid.Float64Range(-0.3, 0.5).Draw(t, "synergy")
					}
				}
				p.synergy = append(p.synergy, row)
			}
		}
		if p.prepare() {
			return
		}
		var q search
		q.prepare(p)
		for i := range p.ch {
			p.ch[i].e = e[i]
		}
		p.value, p.cost = 1, rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "cost")
		q.run(p)
		p.check(t)
		got := p.total()
		miss := 0.01
		if p.synergy != nil {
			miss = 0.1
		}
		if want := p.bruteForce(40); got < want-miss*(math.Abs(want)+p.cost*p.budget) {
			t.Fatalf("search makes %v, brute force %v", got, want)
		}
	})
}

// TestOracleDominates: no random action has a higher expected value than Best,
// on days along random episodes, where the optimum is declared exact.
func TestOracleDominates(t *testing.T) {
	t.Parallel()
	for _, parameters := range []object{
		{}, {"budget": 300.0}, {"budget": 1200.0}, {"unspent": true, "budget": 2000.0},
		{"cap": 0.45, "floor": []float64{0.1, 0, 0.2}}, {"response": "saturating"}, {"response": "hill"},
		{"reward": "profit", "margin": 8.0}, {"reward": "profit", "margin": 5.0, "unspent": true},
		{"reward": "profit"}, {"reward": "roi", "margin": 6.0, "unspent": true, "cap": 0.3},
		{"reward": "ltv"}, {"effectiveness_floor": 0.0, "volatility_scale": 3.0},
	} {
		t.Run(fmt.Sprint(parameters), func(t *testing.T) {
			t.Parallel()
			e := build(t, parameters)
			if e.Spec().Optimum != envs.Exact {
				t.Fatalf("the optimum is %v, want exact", e.Spec().Optimum)
			}
			var step envs.Step
			key := rng.Root(11, "dominates")
			s := rng.New(key)
			a := envs.Action{Values: make([]float64, e.entries)}
			other := envs.Action{Values: make([]float64, e.entries)}
			for n := range uint64(20) {
				for e.Reset(key.At(n), &step); !step.Done; e.Step(&a, &step) {
					best := e.Best(&a)
					near(t, "value of the best action", e.valueOf(&a), best, 1e-9)
					for m := range 20 {
						for i := range other.Values {
							switch {
							case m == 0:
								other.Values[i] = 0
							case m < 10:
								other.Values[i] = s.Float64()
							default: // near the best
								other.Values[i] = max(0, a.Values[i]+0.01*(s.Float64()-0.5))
							}
						}
						if v := e.valueOf(&other); v > best+1e-9*math.Abs(best) {
							t.Fatalf("day %d: %v is worth %v, the best action %v only %v", e.day, other.Values, v, a.Values, best)
						}
					}
				}
			}
		})
	}
}

// valueOf returns the expected value of an action, without taking it: the state
// that allocate changes is put back.
func (e *Env) valueOf(a *envs.Action) float64 {
	saved, idle, total := make([]channel, e.k), e.idle, e.total
	copy(saved, e.ch)
	if e.boxed {
		e.allocateBoxed(a.Values)
	} else {
		e.allocate(a.Values)
	}
	e.respond()
	value := 0.0
	for i := range e.ch {
		value += e.worth[e.day]*e.meanNoise*e.ch[i].generated - e.cost*e.ch[i].spend
	}
	copy(e.ch, saved)
	e.idle, e.total = idle, total
	return value
}

// TestOracleDetails checks special cases by their conditions of optimality.
func TestOracleDetails(t *testing.T) {
	t.Parallel()
	one := object{"channels": []string{"a"}, "base_effectiveness": 0.5, "saturation": 300.0, "volatility": 0.1, "delay": []float64{1}}
	with := func(more object) object {
		all := quiet(one)
		for name, v := range more {
			all[name] = v
		}
		return all
	}
	solve := func(t *testing.T, parameters object) (spend, value float64) {
		e := build(t, parameters)
		var step envs.Step
		e.Reset(rng.Root(1, "details"), &step)
		a := envs.Action{Values: make([]float64, e.entries)}
		value = e.Best(&a)
		e.Step(&a, &step)
		return e.last.spend, value
	}

	spend, _ := solve(t, with(object{"unspent": true}))
	near(t, "free spend without cost", spend, 300, 1e-9) // its saturation, of a budget of 1000
	spend, _ = solve(t, with(object{"unspent": true, "budget": 200.0}))
	near(t, "free spend of a small budget", spend, 200, 1e-9)

	spend, value := solve(t, with(object{"unspent": true, "reward": "profit", "margin": 10.0}))
	x := spend / 300
	near(t, "marginal profit", 10*0.5*(1-x)*math.Exp(-x), 1, 1e-9)
	near(t, "profit", value, 10*0.5*spend*math.Exp(-x)-spend, 1e-9)

	spend, value = solve(t, with(object{"reward": "profit"}))
	if spend != 0 || value != 0 {
		t.Errorf("where each day loses money, %v is spent for %v; want nothing", spend, value)
	}
	spend, _ = solve(t, with(object{"reward": "profit", "unspent": true, "floor": 0.1}))
	near(t, "spend of the floor", spend, 100, 1e-12)

	// Nothing lands by the end of the only day, so spending can't pay.
	spend, _ = solve(t, with(object{"reward": "profit", "unspent": true, "margin": 10.0, "delay": []float64{0, 1}, "horizon": 1}))
	near(t, "spend on the last day", spend, 0, 0)
	spend, _ = solve(t, with(object{"reward": "profit", "unspent": true, "margin": 10.0, "delay": []float64{0, 1}, "horizon": 1, "settle": true}))
	near(t, "spend on the last day, settled", spend, 300*x, 1e-9)
}

func TestOptimumDeclared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parameters  object
		want        envs.Optimum
		nonNegative bool
	}{
		{object{}, envs.Exact, true},
		{object{"faithful": true}, envs.Exact, true},
		{object{"budget": 1200.0}, envs.Exact, true},
		{object{"budget": 1201.0}, envs.Reference, true},
		{object{"budget": 1201.0, "unspent": true}, envs.Exact, true},
		{object{"cap": []float64{1, 0.4, 1}}, envs.Exact, true},
		{object{"cap": []float64{1, 0.2, 1}}, envs.Reference, true}, // 300 + 200 + 400 < 1000
		{object{"response": "saturating", "budget": 5000.0}, envs.Exact, true},
		{object{"response": "hill"}, envs.Exact, true},
		{object{"response": "hill", "response_shape": 2.0}, envs.Reference, true},
		{object{"response": "logistic"}, envs.Reference, true},
		{object{"hold": 7}, envs.Reference, true},
		{object{"synergy": [][]float64{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}}, envs.Exact, true},
		{object{"synergy": [][]float64{{0, 0.1, 0}, {0, 0, 0}, {0, 0, 0}}}, envs.Reference, true},
		{object{"observe": object{"noise": 0.1}}, envs.UpperBound, true},
		{object{"observe": object{"lag": 1}}, envs.UpperBound, true},
		{object{"observe": object{"effectiveness": false}}, envs.UpperBound, true},
		{object{"observe": object{"pending": "none"}}, envs.Exact, true},
		{object{"reward": "profit"}, envs.Exact, false},
		{object{"reward": "roi"}, envs.Exact, false},
		{object{"reward": "ltv"}, envs.Exact, true},
	} {
		s := build(t, c.parameters).Spec()
		if s.Optimum != c.want || s.NonNegative != c.nonNegative {
			t.Errorf("%v: optimum %v, never negative %t; want %v, %t", c.parameters, s.Optimum, s.NonNegative, c.want, c.nonNegative)
		}
	}
}

// TestAhead: splits solved days ahead, side by side, are to the bit those that
// each day solves alone from what effectiveness has become, also where Best is not
// called each day.
func TestAhead(t *testing.T) {
	t.Parallel()
	for _, parameters := range []object{
		{}, {"response": "saturating"}, {"response": "hill"}, {"cap": 0.4}, {"floor": []float64{0.3, 0, 0}},
		{"unspent": true, "reward": "profit", "margin": 5.0}, {"reward": "profit", "margin": 5.0}, {"reward": "ltv"},
		{"volatility_scale": 1e6}, {"delay": []float64{0, 0, 1}},
	} {
		parameters["horizon"] = 2*daysAhead + 6
		e := build(t, parameters)
		var step envs.Step
		a := envs.Action{Values: make([]float64, e.entries)}
		for episode := range uint64(5) {
			every := 1 + 11*int(episode)
			for e.Reset(rng.Root(episode, "ahead"), &step); !step.Done; e.Step(&a, &step) {
				if e.day%every != 0 {
					continue
				}
				e.Best(&a)
				e.solve()
				for i, c := range e.oracle.split.ch {
					if got, want := e.oracle.ahead[e.day-e.oracle.first].ch[i].s, c.s; got != want {
						t.Fatalf("%v, day %d: channel %d gets %v, alone %v", parameters, e.day, i, got, want)
					}
				}
			}
		}
	}
}

// TestForesight: with hold, Best splits by the mean effectiveness of the days
// that it decides for.
func TestForesight(t *testing.T) {
	t.Parallel()
	p := quiet(object{"channels": []string{"a", "b"}, "base_effectiveness": 0.5, "saturation": 500.0, "volatility": 0.1, "reversion": 0.5, "hold": 3, "horizon": 3, "delay": []float64{1}})
	e := build(t, p)
	var step envs.Step
	e.Reset(rng.Root(1, "foresight"), &step)
	e.ch[0].eff, e.ch[1].eff = 0.9, 0.5
	a := envs.Action{Values: make([]float64, 2)}
	e.Best(&a)
	// 0.9, 0.7, 0.6 on the three days; 0.5 throughout.
	s, u := e.oracle.split.ch[0].s, e.oracle.split.ch[1].s
	slope := func(e, s float64) float64 { return e * (1 - s/500) * math.Exp(-s/500) }
	near(t, "marginal value", slope(2.2/3, s), slope(0.5, u), 1e-9)
	held := append([]float64(nil), a.Values...)
	e.Step(&a, &step)
	e.Best(&a)
	near(t, "held share", a.Values[0], held[0], 1e-12)
}
