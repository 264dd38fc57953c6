package marketing

import (
	"testing"

	"overnight/envs"
	"overnight/envs/envtest"
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

var suite = envtest.Suite{
	Factory: Factory{},
	Variety: variety,
	Certain: func(p object) bool { return p["volatility_scale"] == 0.0 && p["return_noise"] == 0.0 },
}

// TestContract: what every environment promises.
func TestContract(t *testing.T) { envtest.Run(t, suite) }

// TestGolden pins all bits of the environment.
func TestGolden(t *testing.T) {
	t.Parallel()
	envtest.Golden(t, suite, "5478db266a57bd35636e8ce6ded48ed948e64d78956e4a8c48e7cab52e2b7e26")
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
