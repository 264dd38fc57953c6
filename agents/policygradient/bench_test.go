package policygradient

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"overnight/envs"
	"overnight/internal/cpuclock"
	"overnight/internal/rng"
)

// BenchmarkFaithfulTrial is a fresh trial of the notebook's loop: 100 episodes of
// 30 steps with an update after each, on the faithful environment. The same loop
// in PyTorch and in NumPy, one trial at a time and 256 in lockstep, is in
// bench/peers; run.sh there runs them in turns and prints the ratios.
func BenchmarkFaithfulTrial(b *testing.B) {
	for _, precision := range []string{"float32", "float64"} {
		b.Run(precision, func(b *testing.B) {
			benchTrial(b, market(b, settings{"faithful": true}), settings{"faithful": true, "precision": precision})
		})
	}
}

// BenchmarkCorrectedTrial is the same for the default learner and environment.
func BenchmarkCorrectedTrial(b *testing.B) {
	benchTrial(b, market(b, nil), nil)
}

func benchTrial(b *testing.B, env envs.Env, s settings) {
	const episodes = 100
	p := complete(b, s)
	agent := newAgent(b, s, env.Spec(), 0)
	player := newPlayer(env, agent)
	b.ReportAllocs()
	seed, first, last, squares := uint64(0), 0.0, 0.0, 0.0
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	times := make([]time.Duration, 0, 1<<14)
	for b.Loop() {
		start := cpuclock.Thread()
		seed++ // dead units make long runs look faster
		var err error
		agent, err = Factory{}.New(p, env.Spec(), rng.Root(seed, "agent/init"), agent)
		if err != nil {
			b.Fatal(err)
		}
		player.agent = agent
		returns := player.train(seed, 0, episodes)
		times = append(times, cpuclock.Thread()-start)
		sum := 0.0
		for i := range 10 {
			first += returns[i] / 10
			sum += returns[episodes-10+i] / 10
		}
		last += sum
		squares += sum * sum
	}
	slices.Sort(times)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e3/episodes, "us/episode")
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds())/1e3/episodes, "median-us/episode")
	b.ReportMetric(first/float64(b.N), "first10")
	b.ReportMetric(last/float64(b.N), "last10")
	b.ReportMetric(squares, "squares")
}
