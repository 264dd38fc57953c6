package function_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"overnight/envs"
	"overnight/envs/envtest"
	"overnight/envs/function"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// complete returns the parameters of a function at x; NaN stands for null.
func complete(t testing.TB, name string, x []float64, more ...param.Entry) *param.Map {
	t.Helper()
	m := &param.Map{Entries: append([]param.Entry{{Key: "function", Value: name}}, more...)}
	names := [...]string{"x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12"}
	for i, v := range x {
		if !math.IsNaN(v) {
			m.Set(names[i], v)
		}
	}
	p, err := function.Factory{}.Schema().Complete(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// evaluate returns the reward of the one step at x.
func evaluate(t testing.TB, name string, x ...float64) float64 {
	t.Helper()
	env, err := function.Factory{}.New(complete(t, name, x), nil)
	if err != nil {
		t.Fatal(err)
	}
	return play(env, rng.Key{})
}

func play(env envs.Env, key rng.Key) float64 {
	var out envs.Step
	env.Reset(key, &out)
	env.Step(&envs.Action{}, &out)
	return out.Reward
}

func TestValues(t *testing.T) {
	t.Parallel()
	pi := math.Pi
	for _, c := range []struct {
		name string
		x    []float64
		want float64
		tol  float64
	}{
		{"noop", nil, 0, 0},
		{"noop", []float64{1e300, math.NaN(), -3}, 0, 0},
		{"sphere", nil, 0, 0},
		{"sphere", []float64{3, math.NaN(), -4}, 25, 0},
		{"ishigami", []float64{0, 0, 0}, 0, 0},
		{"ishigami", []float64{pi / 2, pi / 2, 0}, 8, 1e-14},
		{"ishigami", []float64{pi / 2, 0, 2}, 2.6, 1e-14},
		{"ishigami", []float64{-pi / 2, 0, -pi}, -1 - 0.1*pi*pi*pi*pi, 1e-13},
		{"sobol_g", []float64{0.5}, 0, 0},
		{"sobol_g", []float64{0}, 2, 0},
		{"sobol_g", []float64{1, 1, 1, 1}, 2 * 1.5 * (6.5 / 5.5) * 1.1, 1e-15},
		// Minima of the Branin function (Dixon and Szego 1978).
		{"branin", []float64{-pi, 12.275}, 0.397887, 5e-7},
		{"branin", []float64{pi, 2.275}, 0.397887, 5e-7},
		{"branin", []float64{3 * pi, 2.475}, 0.397887, 5e-7},
		{"branin", []float64{0, 0}, 36 + 10*(1-1/(8*pi)) + 10, 1e-13},
	} {
		if got := evaluate(t, c.name, c.x...); math.Abs(got-c.want) > c.tol {
			t.Errorf("%s%v = %v, want %v", c.name, c.x, got, c.want)
		}
	}
}

// TestBraninMinimum looks for a value below the published minimum on a grid.
func TestBraninMinimum(t *testing.T) {
	t.Parallel()
	least := math.Inf(1)
	for i := range 151 {
		for j := range 151 {
			least = min(least, evaluate(t, "branin", -5+float64(i)/10, float64(j)/10))
		}
	}
	if least < 0.397887 || least > 0.41 {
		t.Errorf("least value on a grid is %v, want just above 0.397887", least)
	}
}

// TestIshigamiIndices integrates by the midpoint rule, which for a periodic
// integrand is exact to rounding and for x3^4 has an error of h^2: the analytic
// answers are mean a/2 and first-order indices .3139, .4424 and 0 (Saltelli et
// al., Global Sensitivity Analysis: The Primer, 2008).
func TestIshigamiIndices(t *testing.T) {
	t.Parallel()
	const n = 48
	var byInput [3][n]float64
	var mean, square float64
	at := func(i int) float64 { return -math.Pi + (float64(i)+0.5)*2*math.Pi/n }
	for i := range n {
		for j := range n {
			for k := range n {
				y := evaluate(t, "ishigami", at(i), at(j), at(k)) / (n * n * n)
				mean += y
				square += y * y * (n * n * n)
				byInput[0][i] += y * n
				byInput[1][j] += y * n
				byInput[2][k] += y * n
			}
		}
	}
	variance := square - mean*mean
	if math.Abs(mean-3.5) > 1e-12 {
		t.Errorf("mean %v, want 3.5", mean)
	}
	for i, want := range []float64{0.3139, 0.4424, 0} {
		var of float64
		for _, m := range byInput[i] {
			of += (m - mean) * (m - mean) / n
		}
		if got := of / variance; math.Abs(got-want) > 0.001 {
			t.Errorf("index of x%d is %v, want %v", i+1, got, want)
		}
	}
}

// TestSobolGMean integrates |4x-2|, which is linear between the cells'
// boundaries, exactly: the mean is 1.
func TestSobolGMean(t *testing.T) {
	t.Parallel()
	const n = 8
	mean := 0.0
	for i := range n * n * n * n {
		x := func(j int) float64 { return (float64(i/j%n) + 0.5) / n }
		mean += evaluate(t, "sobol_g", x(1), x(n), x(n*n), x(n*n*n)) / (n * n * n * n)
	}
	if math.Abs(mean-1) > 1e-13 {
		t.Errorf("mean %v, want 1", mean)
	}
	for d := range 12 {
		x := make([]float64, d+1)
		for i := range x {
			x[i] = 0.75 // |4x-2| = 1
		}
		if got := evaluate(t, "sobol_g", x...); got != 1 {
			t.Errorf("%d inputs of 0.75 give %v, want 1", d+1, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct {
		name string
		x    []float64
		want string
	}{
		{"ishigami", nil, "x1 is not given; ishigami needs x1 to x3; write a number from -3.141592653589793 to 3.141592653589793"},
		{"ishigami", []float64{1, 2}, "x3 is not given; ishigami needs x1 to x3; write a number from -3.141592653589793 to 3.141592653589793"},
		{"ishigami", []float64{1, 4, 1}, "x2 is 4, outside the domain of ishigami; write a number from -3.141592653589793 to 3.141592653589793"},
		{"ishigami", []float64{1, 1, 1, 1}, "x4 is given; ishigami takes only x1 to x3; leave it out"},
		{"branin", []float64{1, -0.5}, "x2 is -0.5, outside the domain of branin; write a number from 0 to 15"},
		{"branin", []float64{nan, 1}, "x1 is not given; branin needs x1 to x2; write a number from -5 to 10"},
		{"sobol_g", nil, "x1 is not given; sobol_g needs x1; write a number from 0 to 1"},
		{"sobol_g", []float64{1, nan, 0}, "x2 is not given; x3 is, and sobol_g takes its inputs without a gap; write a number from 0 to 1"},
		{"sobol_g", []float64{1, 1.5}, "x2 is 1.5, outside the domain of sobol_g; write a number from 0 to 1"},
	} {
		env, err := function.Factory{}.New(complete(t, c.name, c.x), nil)
		var e *param.Error
		if !errors.As(err, &e) || err.Error() != c.want || env != nil {
			t.Errorf("%s%v: got %v\nwant %s", c.name, c.x, err, c.want)
		}
	}
}

func TestNoise(t *testing.T) {
	t.Parallel()
	env, err := function.Factory{}.New(complete(t, "sphere", []float64{3}, param.Entry{Key: "noise", Value: 2.0}), nil)
	if err != nil {
		t.Fatal(err)
	}
	const n = 10_000
	var sum, squares float64
	for i := range uint64(n) {
		key := rng.Root(1, "noise").At(i)
		y := play(env, key)
		if again := play(env, key); again != y {
			t.Fatalf("the same episode gives %v and %v", y, again)
		}
		sum += y
		squares += (y - 9) * (y - 9)
	}
	// Five standard errors: with a fixed seed always or never.
	if mean := sum / n; math.Abs(mean-9) > 5*2/math.Sqrt(n) {
		t.Errorf("mean %v, want 9", mean)
	}
	if v := squares / n; math.Abs(v-4) > 5*4*math.Sqrt(2.0/n) {
		t.Errorf("variance %v, want 4", v)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	var reads int
	clock := time.Unix(0, 0)
	f := function.Factory{Now: func() time.Time {
		reads++
		clock = clock.Add(time.Millisecond)
		return clock
	}}
	env, err := f.New(complete(t, "sphere", []float64{1}, param.Entry{Key: "busy", Value: 2.5}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := play(env, rng.Key{}); got != 1 {
		t.Errorf("reward %v, want 1", got)
	}
	if reads != 1+3 {
		t.Errorf("the clock was read %d times, want 4: once at the start and until 3 ms have passed", reads)
	}
}

var suite = envtest.Suite{
	Factory: function.Factory{},
	Variety: []envtest.Object{
		{},
		{"function": "sphere", "x1": 3.0, "x5": -4.0},
		{"function": "ishigami", "x1": 1.0, "x2": 2.0, "x3": 3.0},
		{"function": "sobol_g", "x1": .1, "x2": .2, "noise": 2.0},
		{"function": "branin", "x1": 1.0, "x2": 2.0},
	},
	Certain: func(p envtest.Object) bool { return p["noise"] == nil },
}

// TestContract: what every environment promises.
func TestContract(t *testing.T) { envtest.Run(t, suite) }

// TestGolden pins all bits of the environment.
func TestGolden(t *testing.T) {
	t.Parallel()
	envtest.Golden(t, suite, "fcb3e2c38e5ff59d4313be7e9d0b58e37143908b55beced5cf94f97edd4c068d")
}

// BenchmarkTrial is what a point costs beside the runner.
func BenchmarkTrial(b *testing.B) {
	f := function.Factory{}
	p := complete(b, "ishigami", []float64{1, 2, 3})
	var env envs.Env
	var err error
	var out envs.Step
	var a envs.Action
	for b.Loop() {
		if env, err = f.New(p, env); err != nil {
			b.Fatal(err)
		}
		env.Reset(rng.Key{}, &out)
		env.Step(&a, &out)
	}
}
