package bandit

import (
	"math"
	"slices"

	"overnight/envs"
	"overnight/internal/fp"
)

// BestProbs is implemented by Thompson sampling: the probability of each arm
// that is allowed to be the best as far as is known, in the order of the arms,
// which without top-two is its propensity. It takes about a thousand decisions'
// time, so it is for logs and pictures.
type BestProbs interface {
	BestProbs(in *envs.Step, into []float64)
}

var _ BestProbs = (*thompson)(nil)

// BestProbs integrates, over the rate of arm i, its distribution times the
// chance that all others are below: a Stieltjes sum over nodes that follow each
// arm's posterior, normalised to sum to 1. The error is below 1e-3.
func (h *thompson) BestProbs(in *envs.Step, into []float64) {
	const each = 96 // nodes on either side of an arm's mean
	var nodes []float64
	for i := range h.k {
		if !allowed(in, i) {
			continue
		}
		mean, sd := h.moments(i)
		for j := -each; j <= each; j++ {
			nodes = append(nodes, mean+float64(sd*(float64(j)*(8.0/each))))
		}
	}
	if h.params.Form == "beta" {
		for i, x := range nodes {
			nodes[i] = min(max(x, 0), 1)
		}
		nodes = append(nodes, 0, 1)
	}
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	clear(into)
	before, now := make([]float64, h.k), make([]float64, h.k)
	h.cdf(nodes[0], before)
	for _, x := range nodes[1:] {
		h.cdf(x, now)
		for i := range into {
			if !allowed(in, i) {
				continue
			}
			mass := now[i] - before[i]
			for j := range into {
				if j != i && allowed(in, j) {
					mass *= 0.5 * (before[j] + now[j])
				}
			}
			into[i] += mass
		}
		before, now = now, before
	}
	total := 0.0
	for _, p := range into {
		total += p
	}
	for i := range into {
		into[i] /= total
	}
}

// moments returns mean and standard deviation of what is believed of arm i.
func (h *thompson) moments(i int) (mean, sd float64) {
	if h.params.Form != "beta" {
		return h.normal(i)
	}
	a, b := h.posterior(i, h.params.Prior.A, h.params.Prior.B)
	mean = a / (a + b)
	return mean, math.Sqrt(float64(mean*(1-mean)) / (a + b + 1))
}

// cdf writes each arm's probability of a rate at most x.
func (h *thompson) cdf(x float64, into []float64) {
	for i := range into {
		if h.params.Form == "beta" {
			a, b := h.posterior(i, h.params.Prior.A, h.params.Prior.B)
			into[i], _ = betaTails(a, b, x, logBeta(a, b))
			continue
		}
		mean, sd := h.normal(i)
		into[i] = normalCDF((x - mean) / sd)
	}
}

// normalCDF returns Phi(z) to 1e-7 (Abramowitz and Stegun 1964, 26.2.17).
func normalCDF(z float64) float64 {
	t := 1 / (1 + float64(0.2316419*math.Abs(z)))
	s := 1.330274429
	for _, c := range [...]float64{-1.821255978, 1.781477937, -0.356563782, 0.319381530} {
		s = float64(s*t) + c
	}
	const perRootTwoPi = 0.39894228040143267794
	tail := float64(float64(perRootTwoPi*fp.Exp64(-0.5*float64(z*z))) * float64(s*t))
	if z > 0 {
		return 1 - tail
	}
	return tail
}
