package bandit

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"overnight/envs"
	"overnight/internal/rng"
)

// TestSegmentOfAll checks the routing of sends and outcomes: with one segment,
// a policy in a table does what it does alone, under delay and masks, to the bit.
func TestSegmentOfAll(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kl_ucb", "ucb_tuned", "moss", "ucb1"} {
		w := rough(1500).withSegments(1)
		alone, _ := record(t, w, v(name).agent(t, &w.spec, nil), 0)
		table, _ := record(t, w, v("segment_tables", "policy", name).agent(t, &w.spec, nil), 0)
		for s := range alone.act {
			if alone.act[s].Index != table.act[s].Index {
				t.Fatalf("%s: step %d plays %d in a table and %d alone", name, s, table.act[s].Index, alone.act[s].Index)
			}
		}
	}
}

// TestLinPosterior compares what lin_ucb and lin_thompson know at the end of a
// run with delays with the closed form, solved by gonum from the credited sends.
func TestLinPosterior(t *testing.T) {
	t.Parallel()
	for _, v := range []variant{v("lin_ucb", "ridge", 2.0), v("lin_thompson", "ridge", 2.0), v("epsilon_greedy_regression", "ridge", 2.0)} {
		w := rough(3000)
		a := v.agent(t, &w.spec, nil)
		p, _ := record(t, w, a, 0)
		var c *contextual
		switch a := a.(type) {
		case *linUCB:
			c = &a.contextual
		case *linThompson:
			c = &a.contextual
		case *epsilonGreedyRegression:
			c = &a.contextual
		}
		features := func(s int) []float64 { // 1, two numbers, segments 1 and 2
			x := []float64{1, p.in[s].Obs[0], p.in[s].Obs[1], 0, 0}
			if seg := int(p.in[s].Obs[2]); seg > 0 {
				x[2+seg] = 1
			}
			return x
		}
		for arm := range w.spec.Action.N {
			const d = 5
			precision, b := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
			for i := range d {
				precision.SetSym(i, i, 2)
			}
			for _, out := range p.out {
				for _, o := range out.Credits {
					if int(o.Index) == arm {
						x := mat.NewVecDense(d, features(int(o.Step)))
						precision.SymRankOne(precision, 1, x)
						b.AddScaledVec(b, o.Reward, x)
					}
				}
			}
			var chol mat.Cholesky
			var theta, solved mat.VecDense
			if !chol.Factorize(precision) || chol.SolveVecTo(&theta, b) != nil {
				t.Fatal("gonum can't solve")
			}
			for s := range 50 {
				x := mat.NewVecDense(d, features(s))
				if err := chol.SolveVecTo(&solved, x); err != nil {
					t.Fatal(err)
				}
				c.features.fill(c.x, p.in[s].Obs)
				mean, variance := c.models[arm].predict(c.x, c.scratch)
				if wm, wv := mat.Dot(x, &theta), mat.Dot(x, &solved); math.Abs(mean-wm) > 1e-11 || math.Abs(variance-wv) > 1e-11*wv {
					t.Fatalf("%v arm %d: mean %v variance %v, want %v %v", v, arm, mean, variance, wm, wv)
				}
			}
		}
	}
}

// TestLinThompsonDraws checks the mean and the variance of 40,000 scores against
// the posterior that they are drawn from, within 5 standard errors.
func TestLinThompsonDraws(t *testing.T) {
	t.Parallel()
	w := rough(500)
	a := v("lin_thompson", "scale", 0.7).agent(t, &w.spec, nil).(*linThompson)
	record(t, w, a, 0)
	const n = 40_000
	k := len(a.models)
	sum, squares := make([]float64, k), make([]float64, k)
	in := envs.Step{Obs: []float64{0.3, -1, 2}}
	var act envs.Action
	for s := range n {
		in.T = s
		a.Act(&in, &act)
		for i, x := range a.score {
			sum[i] += x / n
			squares[i] += x * x / n
		}
	}
	a.features.fill(a.x, in.Obs)
	for i := range k {
		mean, variance := a.models[i].predict(a.x, a.scratch)
		variance *= 0.7 * 0.7
		if got := sum[i]; math.Abs(got-mean) > 5*math.Sqrt(variance/n) {
			t.Errorf("arm %d: mean of draws %v, want %v", i, got, mean)
		}
		if got := squares[i] - sum[i]*sum[i]; math.Abs(got-variance) > 5*variance*math.Sqrt(2.0/n) {
			t.Errorf("arm %d: variance of draws %v, want %v", i, got, variance)
		}
	}
}

// TestLogisticPosterior compares the online Newton steps with the Laplace
// approximation of all outcomes at once (iterated least squares, by gonum): the
// log odds within half a posterior standard deviation, the deviation
// within 10 %.
func TestLogisticPosterior(t *testing.T) {
	t.Parallel()
	w := twoBest(6000)
	u := v("logistic_thompson").agent(t, &w.spec, nil).(*logisticThompson)
	const d = 4
	s := rng.New(rng.Root(5, "logistic"))
	m := newRegression(d, make([]float64, regressionSize(d)))
	m.reset(1)
	var xs [][]float64
	var ys []float64
	for range 6000 {
		x := []float64{1, s.Normal(), s.Normal(), float64(s.IntN(2))}
		y := 0.0
		if s.Float64() < 1/(1+math.Exp(2-0.5*x[1]-x[3])) {
			y = 1
		}
		u.newton(&m, x, y)
		xs, ys = append(xs, x), append(ys, y)
	}
	theta := mat.NewVecDense(d, nil)
	var chol mat.Cholesky
	for range 20 {
		h, g := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
		for i := range d {
			h.SetSym(i, i, 1)
		}
		g.AddScaledVec(g, -1, theta)
		for i, row := range xs {
			x := mat.NewVecDense(d, row)
			p := 1 / (1 + math.Exp(-mat.Dot(x, theta)))
			h.SymRankOne(h, p*(1-p), x)
			g.AddScaledVec(g, ys[i]-p, x)
		}
		var step mat.VecDense
		if !chol.Factorize(h) || chol.SolveVecTo(&step, g) != nil {
			t.Fatal("gonum can't solve")
		}
		theta.AddVec(theta, &step)
	}
	for _, row := range [][]float64{{1, 0, 0, 0}, {1, 1, 0, 1}, {1, -2, 1, 0}, {0, 0, 1, 0}} {
		x := mat.NewVecDense(d, row)
		var solved mat.VecDense
		if err := chol.SolveVecTo(&solved, x); err != nil {
			t.Fatal(err)
		}
		odds, variance := m.predict(row, make([]float64, d))
		want, sd := mat.Dot(x, theta), math.Sqrt(mat.Dot(x, &solved))
		t.Logf("log odds at %v: %.4f sd %.4f, all at once %.4f sd %.4f", row, odds, math.Sqrt(variance), want, sd)
		if math.Abs(odds-want) > sd/2 || math.Abs(math.Sqrt(variance)/sd-1) > 0.1 {
			t.Errorf("log odds at %v: %v sd %v, want %v sd %v", row, odds, math.Sqrt(variance), want, sd)
		}
	}
}
