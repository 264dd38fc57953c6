package nn

import (
	"testing"

	"overnight/internal/cpuclock"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// BenchmarkUpdate measures the updates that deeper agents make, in float32: PPO's,
// of 2,048 steps in 10 epochs of 32 minibatches of 64 (10 inputs, 3 actions, actor
// and critic of 2x64 tanh), and DQN's, of 64 rows (10-64-64-8 and target network).
// The same in PyTorch is in bench/peers/updates_torch.py.
func BenchmarkUpdate(b *testing.B) {
	for _, l := range simd.Levels() {
		b.Run("ppo/"+l.String(), func(b *testing.B) {
			s := rng.New(rng.Key{1})
			p := newActorCritic[float32](10, 3, 64, 2048, 64, &s)
			p.actor.Use(l)
			p.critic.Use(l)
			medians(b, 1, func() { p.update(10, &s) })
		})
		b.Run("dqn/"+l.String(), func(b *testing.B) {
			s := rng.New(rng.Key{1})
			v := newValues[float32]([]int{10, 64, 64, 8}, 10_000, 64, &s)
			v.net.Use(l)
			v.target.Use(l)
			rows := make([]int32, 64)
			medians(b, 100, func() { v.update(&s, rows) })
		})
	}
}

// medians reports the median CPU time of f over groups of runs.
func medians(b *testing.B, group int, f func()) {
	b.ReportAllocs()
	median := cpuclock.Median(b.N, func() {
		for range group {
			f()
		}
	})
	b.ReportMetric(float64(median.Nanoseconds())/1e3/float64(group), "median-us")
}
