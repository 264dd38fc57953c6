package guard

import (
	"math"

	"overnight/internal/fp"
)

// dropped is the stop rule: it says whether the policy's conversions per send
// are surely below (1 - drop) times the reference.
//
// A rate q is out of question after S conversions in n sends where
//
//	n kl(S/n, q) > ln((n+1)/alpha) - ln(2 pi S (n-S) / n) / 2,
//
// without the last term where S is 0 or n. The chance that this ever happens to
// the true rate, at any n, is at most alpha: the uniform mixture over rates p of
// the likelihood ratios of p to q is a martingale of mean 1, whose maximum
// Ville's inequality bounds (Robbins, Annals of Mathematical Statistics 41,
// 1970; Kaufmann and Koolen, JMLR 22, 2021). It is 1 / ((n+1) C(n, S) q^S
// (1-q)^(n-S)), and Stirling's formula bounds C(n, S) from above.
//
// For a drop below q the rate need not stand still: it is enough that each
// send's, given what came before, is q or more. Once the martingale has passed
// 1/alpha with S/n below q, the mixture over p <= q alone, a supermartingale
// then, has passed it too.
//
// Against the holdout, the policy's bound and the holdout's take half of alpha
// each.
func (g *guarded) dropped() bool {
	b, stop := &g.book, &g.p.Stop
	n, s := float64(b.settled[0]), float64(b.settled[1])
	alpha, keep, reference := 1-stop.Confidence, 1-stop.Drop, stop.Rate
	if reference == 0 {
		n, s = float64(b.n[choice]), float64(b.conversions[choice])
		if float64(b.n[holdout])*s >= float64(keep*float64(b.conversions[holdout]))*n {
			return false
		}
		alpha /= 2
		reference = g.holdoutLow(alpha)
	}
	q := float64(keep * reference)
	return s < float64(n*q) && divergence(s/n, q) > budget(s, n, alpha)
}

// holdoutLow returns the lower bound of the holdout's conversions per send.
func (g *guarded) holdoutLow(alpha float64) float64 {
	now := [2]int64{g.book.n[holdout], g.book.conversions[holdout]}
	if g.lowOf != now {
		g.lowOf = now
		g.low = lower(float64(now[1]), float64(now[0]), alpha)
	}
	return g.low
}

// budget returns the divergence from S/n beyond which a rate is out of question.
func budget(s, n, alpha float64) float64 {
	odds := (n + 1) / alpha
	if s > 0 && s < n {
		odds /= math.Sqrt(float64(2*math.Pi) * s * ((n - s) / n))
	}
	return fp.Log(odds) / n
}

// lower returns the lowest rate that is not out of question, from below to within
// 1e-12, after s conversions in n sends.
func lower(s, n, alpha float64) float64 {
	if s <= 0 {
		return 0
	}
	m, d := s/n, budget(s, n, alpha)
	lo, hi := 0.0, m
	for hi-lo > 1e-12 {
		if mid := 0.5 * (lo + hi); divergence(m, mid) > d {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// divergence returns kl(m, q) for m in [0, 1] and q in (0, 1]: between Bernoulli
// distributions, in nats.
func divergence(m, q float64) float64 {
	d := 0.0
	if m > 0 {
		d = float64(m * fp.Log(m/q))
	}
	if m < 1 {
		d += float64((1 - m) * fp.Log((1-m)/(1-q)))
	}
	return d
}
