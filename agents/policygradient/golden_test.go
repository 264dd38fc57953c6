package policygradient

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/envs/marketing"
	"overnight/internal/fp"
	"overnight/internal/rng"
)

// TestGolden hashes the returns and the final parameters of trainings of 50
// episodes. The hashes hold on every architecture and at every GOAMD64 level:
// bench/bits.sh runs this test for amd64 v1 and v3 and for arm64. A change of one
// of them is a new engine version.
func TestGolden(t *testing.T) {
	t.Parallel()
	notebook := settings{"faithful": true}
	corrected := settings{"batch": 4, "log_std": settings{"mode": "clamped"}, "grad_clip": 0.5}
	tanh := settings{"batch": 4, "activation": "tanh", "hidden": []int{33, 7}, "credit": "own", "advantage": "batch"}
	raw := settings{"batch": 2, "head": "gaussian_clipped", "advantage": "none", "optimizer": "sgd", "hidden": []int{}}
	for _, c := range []struct {
		name             string
		env              func(t *testing.T) envs.Env
		agent            settings
		float32, float64 string
	}{
		{"toy/notebook", toyShares, notebook, "bdaef7267359b2a9cb6900f357867f31", "a4b8289be6110420b6d692348a23d5d7"},
		{"toy/corrected", toyShares, corrected, "f544dd9d280a4f083b872dd76d211b39", "0025bbabe963fe00311caeb0a110e08a"},
		{"toy/tanh", toyShares, tanh, "9dc58f203d293a4965591835a09a777b", "44825cac2a6f3676973619758d9a4436"},
		{"toy/raw", toyBox, raw, "23e508b5d2a37b1ec2386988954aad8b", "fa6728c5c09df4bbca03fe5ff51c54cc"},
		{"marketing/notebook", func(t *testing.T) envs.Env { return market(t, settings{"faithful": true}) }, notebook, "60264efa017752ea4fb1554d8fb80e3c", "5ebcd04622f31a0cb6cb4d5c19554046"},
		{"marketing/corrected", func(t *testing.T) envs.Env { return market(t, nil) }, corrected, "fe00c1234b4a6d33ddf4d55510a950b6", "de0bf4ddecb100c2ea4909f67a5a220e"},
	} {
		for precision, want := range map[string]string{"float32": c.float32, "float64": c.float64} {
			t.Run(c.name+"/"+precision, func(t *testing.T) {
				t.Parallel()
				s := settings{"precision": precision}
				for k, v := range c.agent {
					s[k] = v
				}
				env := c.env(t)
				agent := newAgent(t, s, env.Spec(), 42)
				returns := newPlayer(env, agent).train(42, 0, 50)
				if err := agent.(agents.Failing).Err(); err != nil {
					t.Fatal(err)
				}
				if got := hash(returns, agent); got != want {
					t.Errorf("hash = %s, want %s (last return %v)", got, want, returns[49])
				}
			})
		}
	}
}

func toyShares(*testing.T) envs.Env { return newToy(envs.Simplex, 3, 12) }
func toyBox(*testing.T) envs.Env    { return newToy(envs.Box, 2, 12) }

func market(t testing.TB, s settings) envs.Env {
	t.Helper()
	m, err := marketing.Factory{}.Schema().Complete(tree(s))
	if err != nil {
		t.Fatal(err)
	}
	e, err := marketing.Factory{}.New(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// hash is SHA-256 over the returns and the parameters in PyTorch's order, cut to
// 16 bytes.
func hash(returns []float64, agent agents.Agent) string {
	var b []byte
	for _, v := range returns {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	switch r := agent.(type) {
	case *reinforce[float32]:
		b = r.net.AppendVector(b, r.net.Params)
	case *reinforce[float64]:
		b = r.net.AppendVector(b, r.net.Params)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// TestGoldenKernels hashes what the functions under a training yield over a
// range of arguments, so that a difference between machines names its source.
func TestGoldenKernels(t *testing.T) {
	t.Parallel()
	s := rng.New(rng.Root(7, "kernels"))
	x := make([]float64, 4096)
	s.Normals(x)
	for _, c := range []struct {
		name string
		f    func(float64) float64
		want string
	}{
		{"normals", func(v float64) float64 { return v }, "f3d47fda79a555fe11419dc83e49d87f"},
		{"exp64", fp.Exp64, "2b3f859821773f50aa3ebe40b927dda5"},
		{"exp32", func(v float64) float64 { return float64(fp.Exp32(float32(v))) }, "494397c4a3d42f0203ead0c2764033f3"},
		{"tanh64", fp.Tanh[float64], "6dac7bc8e99dfeb512505a9b13b2b7a2"},
		{"tanh32", func(v float64) float64 { return float64(fp.Tanh(float32(v))) }, "f79ca8f79f604f5db3a3a42a2b516ead"},
		{"sigmoid64", fp.Sigmoid[float64], "0652b61e8a6b1e0a74a751b87565dddb"},
		{"sigmoid32", func(v float64) float64 { return float64(fp.Sigmoid(float32(v))) }, "e43f1f78916403cf42a2a7a76cf1d8d6"},
	} {
		var b []byte
		for _, v := range x {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.f(v)))
		}
		sum := sha256.Sum256(b)
		if got := hex.EncodeToString(sum[:16]); got != c.want {
			t.Errorf("%s: hash = %s, want %s", c.name, got, c.want)
		}
	}
}
