package bandit

import (
	"math/bits"

	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/rng"
)

// draws yields the random numbers of one decision. They are a function of the
// episode's key and the step alone, so they are no state, and starting them
// costs two nanoseconds where seeding an rng.Stream costs sixty.
type draws struct{ at, flip uint64 }

// drawsAt returns the numbers of a step.
func drawsAt(episode *rng.Key, in *envs.Step) draws {
	at, flip := episode.Words(uint64(in.T))
	return draws{at, flip}
}

// Uint64 returns the next 64 bits: SplitMix64 (Steele, Lea and Flood 2014) from
// one word of the key, exclusive-or the other.
func (d *draws) Uint64() uint64 {
	d.at += 0x9e3779b97f4a7c15
	z := d.at
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31 ^ d.flip
}

// Float64 returns a number in [0, 1).
func (d *draws) Float64() float64 { return float64(d.Uint64()>>11) * 0x1p-53 }

// IntN returns an integer in [0, n), n > 0 (Lemire 2019, without rejection).
func (d *draws) IntN(n int) int {
	hi, _ := bits.Mul64(d.Uint64(), uint64(n))
	return int(hi)
}

// Normals returns two independent standard normals.
func (d *draws) Normals() (x, y float64) { return fp.BoxMuller(d.Uint64(), d.Uint64()) }

// LogUniform returns the logarithm of a number in (0, 1].
func (d *draws) LogUniform() float64 { return fp.LogUnit(float64(d.Uint64()>>11+1) * 0x1p-53) }

// choose draws one of the allowed arms in proportion to weight, whose other
// entries are 0, and fills a. The sum is in the order of the arms.
func (d *draws) choose(in *envs.Step, weight []float64, a *envs.Action) {
	total := 0.0
	for _, w := range weight {
		total += w
	}
	u := float64(d.Float64() * total)
	at := -1
	for i, w := range weight {
		if !allowed(in, i) || w <= 0 {
			continue
		}
		at = i
		if u < w {
			break
		}
		u -= w
	}
	a.Index, a.Prob = at, weight[at]/total
}

// mostly plays best, or with probability epsilon one of the allowed arms of k,
// all equally likely.
func (d *draws) mostly(in *envs.Step, best int, epsilon float64, k int, a *envs.Action) {
	n := count(in, k)
	a.Index = best
	if d.Float64() < epsilon {
		a.Index = nth(in, k, d.IntN(n))
	}
	a.Prob = epsilon / float64(n)
	if a.Index == best {
		a.Prob += 1 - epsilon
	}
}
