package marketing

import (
	"fmt"
	"math"
	"testing"

	"overnight/envs"
	"overnight/internal/rng"
)

// single is one quiet channel that generates 1000/e = 367.879... when the whole
// budget is spent.
func single(more object) object {
	all := quiet(object{"channels": []string{"a"}, "base_effectiveness": 1.0, "saturation": 1000.0, "volatility": 0.1})
	for name, v := range more {
		all[name] = v
	}
	return all
}

const generated = 1000 / math.E

// rewards plays actions on an environment and returns the rewards; after the
// last action, zeros are played.
func rewards(t *testing.T, e *Env, actions ...[]float64) []float64 {
	t.Helper()
	var step envs.Step
	var list []float64
	nothing := make([]float64, e.entries)
	for e.Reset(rng.Root(1, "rewards"), &step); !step.Done; {
		a := envs.Action{Values: nothing}
		if len(list) < len(actions) {
			a.Values = actions[len(list)]
		}
		e.Step(&a, &step)
		list = append(list, step.Reward)
	}
	return list
}

// metric returns a metric of the episode by name.
func metric(t *testing.T, e *Env, name string) float64 {
	t.Helper()
	values := make([]float64, len(e.Spec().Metrics))
	e.Metrics(values)
	for i, m := range e.Spec().Metrics {
		if m.Name == name {
			return values[i]
		}
	}
	t.Fatalf("there is no metric %q", name)
	return 0
}

// TestRewards works three days out by hand: 1000, 0 and 1000 are spent, a
// quarter of the revenue lands on the day and the rest on the next.
func TestRewards(t *testing.T) {
	t.Parallel()
	const g = generated
	for _, c := range []struct {
		name        string
		parameters  object
		want        []float64
		profit, roi float64
	}{
		{"revenue", object{}, []float64{0.25 * g, 0.75 * g, 0.25 * g}, 1.25*g - 2000, 1.25*g/2000 - 1},
		{"settled", object{"settle": true}, []float64{0.25 * g, 0.75 * g, g}, 2*g - 2000, 2*g/2000 - 1},
		{"profit", object{"reward": "profit", "margin": 4.0}, []float64{g - 1000, 3 * g, g - 1000}, 5*g - 2000, 5*g/2000 - 1},
		{"roi", object{"reward": "roi", "margin": 4.0}, []float64{(g - 1000) / 3000, 3 * g / 3000, (g - 1000) / 3000}, 5*g - 2000, 5*g/2000 - 1},
		// 20 customers a unit of 1000/e/20; each brings margin 2 x 20 a period, of
		// which half stay, discounted by 1.25 a day.
		{"ltv", object{"reward": "ltv", "margin": 2.0, "purchase": 20.0, "retention": 0.5, "discount": 0.25},
			[]float64{2 * 0.25 * g, 2 * (0.125 + 0.75) * g / 1.25, 2 * (0.0625 + 0.375 + 0.25) * g / 1.5625}, 2*1.25*g - 2000, 2*1.25*g/2000 - 1},
		// What comes after the last day is worth q/(1-q) = 2/3 of that day, q = .4.
		{"ltv settled", object{"reward": "ltv", "margin": 2.0, "purchase": 20.0, "retention": 0.5, "discount": 0.25, "settle": true},
			[]float64{2 * 0.25 * g, 2 * (0.125 + 0.75) * g / 1.25, 2 * (0.0625 + 0.375 + 1) * g / 1.5625 * 5 / 3}, 2*2*g - 2000, 2*2*g/2000 - 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := single(c.parameters)
			p["delay"], p["horizon"] = []float64{0.25, 0.75}, 3
			e := build(t, p)
			for day, got := range rewards(t, e, []float64{1}, []float64{0}, []float64{0.5}) {
				near(t, fmt.Sprintf("reward of day %d", day), got, c.want[day], 1e-12)
			}
			near(t, "spend", metric(t, e, "spend"), 2000, 0)
			near(t, "profit", metric(t, e, "profit"), c.profit, 1e-12)
			near(t, "roi", metric(t, e, "roi"), c.roi, 1e-12)
			near(t, "switching", metric(t, e, "switching"), 0.5, 0) // all of it, twice, over two days, by halves
		})
	}
}

// TestLifetimeValue checks the closed form m (1+d) / (1+d-r) against a customer
// base that is followed until nobody is left, and against a settled short
// episode.
func TestLifetimeValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ margin, purchase, retention, discount float64 }{
		{1, 50, 0.9, 0.01}, {0.3, 80, 0.98, 0}, {2, 10, 0, 0.1}, {0.5, 100, 1, 0.05},
	} {
		want := c.margin * c.purchase * (1 + c.discount) / (1 + c.discount - c.retention)
		p := single(object{"reward": "ltv", "margin": c.margin, "purchase": c.purchase, "retention": c.retention, "discount": c.discount, "delay": []float64{1}})
		for _, more := range []object{{"horizon": 3000}, {"horizon": 4, "settle": true}} {
			for name, v := range more {
				p[name] = v
			}
			e := build(t, p)
			total := 0.0
			for _, r := range rewards(t, e, []float64{1}) {
				total += r
			}
			customers := generated / c.purchase
			near(t, "customers", metric(t, e, "customers"), customers, 1e-12)
			near(t, fmt.Sprintf("value of a customer, %v days", p["horizon"]), total/customers, want, 1e-9)
			near(t, "metric ltv", metric(t, e, "ltv"), want*customers, 1e-12)
		}
	}

	// With delay and many days, too: what is won late is worth less.
	e := build(t, object{"reward": "ltv", "settle": true})
	a, step := envs.Action{Values: make([]float64, 3)}, envs.Step{}
	total := play(e, rng.Root(2, "ltv"), uniform, &a, &step)
	near(t, "return", total, metric(t, e, "ltv"), 1e-12)
}

// TestGeneratedSumsToReturn: credit for what an action adds is complete.
func TestGeneratedSumsToReturn(t *testing.T) {
	t.Parallel()
	for _, reward := range []string{"revenue", "profit", "roi", "ltv"} {
		for _, more := range []object{{}, {"settle": true}, {"hold": 4}, {"delay": []float64{0, 0, 0, 0, 0, 0, 0, 1}}, {"unspent": true, "horizon": 2}} {
			p := object{"reward": reward, "margin": 3.0}
			for name, v := range more {
				p[name] = v
			}
			e := build(t, p)
			var step envs.Step
			a := envs.Action{Values: make([]float64, e.entries)}
			s := rng.New(rng.Root(4, "credit"))
			sum, total := 0.0, 0.0
			for e.Reset(rng.Root(5, "credit"), &step); !step.Done; {
				s.Floats(a.Values)
				e.Step(&a, &step)
				sum += e.Generated()
				total += step.Reward
			}
			near(t, fmt.Sprint(p, ": sum of what actions generated"), sum, total, 1e-12)
			if total == 0 {
				t.Errorf("%v: nothing was earned", p)
			}
		}
	}
}

// TestResponses checks the curves at points worked out by hand, with
// effectiveness 2 and k = 100.
func TestResponses(t *testing.T) {
	t.Parallel()
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for _, c := range []struct {
		response    string
		shape       any
		spend, want float64
	}{
		{"exponential_decay", nil, 100, 2 * 100 / math.E},
		{"exponential_decay", nil, 300, 2 * 300 * math.Exp(-3)},
		{"saturating", nil, 100, 2 * 100 * (1 - 1/math.E)},
		{"hill", nil, 100, 2 * 50},
		{"hill", nil, 300, 2 * 75},
		{"hill", 2.0, 100, 2 * 50},
		{"hill", 2.0, 300, 2 * 90},
		{"hill", 20.0, 1e200, 2 * 100},
		{"logistic", nil, 100, 2 * 100 * (0.5 - sigmoid(-4)) / (1 - sigmoid(-4))},
		{"logistic", 2.0, 200, 2 * 100 * (sigmoid(2) - sigmoid(-2)) / (1 - sigmoid(-2))},
		{"logistic", nil, 1e9, 2 * 100},
	} {
		p := single(object{"response": c.response, "base_effectiveness": 2.0, "saturation": 100.0, "budget": c.spend, "delay": []float64{1}, "horizon": 1})
		if c.shape != nil {
			p["response_shape"] = c.shape
		}
		e := build(t, p)
		near(t, fmt.Sprintf("%s (%v) at %v", c.response, c.shape, c.spend), rewards(t, e, []float64{1})[0], c.want, 1e-12)
	}
}

// TestSynergy: channel a gets a tenth of b's reach on top, b loses a fifth of
// a's; both spend their saturation, so their reach is 1 - 1/e.
func TestSynergy(t *testing.T) {
	t.Parallel()
	e := build(t, quiet(object{"channels": []string{"a", "b"}, "base_effectiveness": 1.0, "saturation": 500.0, "volatility": 0.1,
		"delay": []float64{1}, "horizon": 1, "synergy": [][]float64{{0, 0.1}, {-0.2, 0}}}))
	reach := 1 - 1/math.E
	near(t, "revenue", rewards(t, e, []float64{1, 1})[0], 500/math.E*(1+0.1*reach)+500/math.E*(1-0.2*reach), 1e-12)
}

// TestReturnNoise: revenue is scaled by 1 + .5 z and cut off at 0, and
// effectiveness moves after the day's revenue.
func TestReturnNoise(t *testing.T) {
	t.Parallel()
	p := single(object{"return_noise": 0.5, "volatility_scale": 2.0, "reversion": 0.5, "delay": []float64{1}, "horizon": 4})
	e := build(t, p)
	var step envs.Step
	e.Reset(rng.Root(1, "noise"), &step)
	copy(e.noise, []float64{1, 1, -3, -2, 0, -9, 0, 0})
	a := envs.Action{Values: []float64{1}}
	// Effectiveness 1, then 1 + .2, then 1.2 - .1 - .4, then at the floor.
	for day, want := range []float64{1.5 * generated, 0, 0.7 * generated, 0.1 * generated} {
		e.Step(&a, &step)
		near(t, fmt.Sprintf("reward of day %d", day), step.Reward, want, 1e-12)
	}
}
