package offpolicy

import "math"

// sum gathers a weighted mean of terms g with weights h, which are known before
// the terms' actions are drawn (but for SNIPS), and what its variance is made
// of.
type sum struct {
	h, hg         float64
	h2, h2g, h2g2 float64
	mean1, mean2  float64      // sums of h^2 m and h^2 m^2, m the model's value of the target
	design        [][3]float64 // by cell: sums of h^2 pi^2/p times 1, m and m^2, m the model's mean of the action
}

func (s *sum) add(h, g, mean float64) {
	s.h += h
	s.hg += h * g
	h *= h
	s.h2 += h
	s.h2g += h * g
	s.h2g2 += h * g * g
	s.mean1 += h * mean
	s.mean2 += h * mean * mean
}

func (s *sum) expect(cell int, ratio, mean float64) {
	d := &s.design[cell]
	d[0] += ratio
	d[1] += ratio * mean
	d[2] += ratio * mean * mean
}

// estimate returns the weighted mean and its normal interval. self says that h
// are the weights of SNIPS.
//
// There are two estimates of the variance, and the larger one counts. One is made
// of the terms seen, h^2 (g - V)^2, as the martingale central limit theorem has
// it. It is too small while the large weights, which come up seldom, have not
// come up. The other is the conditional variance of each term given what was
// known before, which follows from the propensities, all known, and two moments
// of each action's outcomes; it is right where those moments stand still.
func (s *sum) estimate(m *model, z float64, self bool) Estimate {
	v := s.hg / s.h
	seen := s.h2g2 - 2*v*s.h2g + v*v*s.h2
	variance := max(0, seen, s.conditional(m, z, v, self))
	se := math.Sqrt(variance) / s.h
	return Estimate{Value: v, SE: se, Low: v - z*se, High: v + z*se}
}

// conditional is the sum of the terms' conditional variances; 0 where they were
// not followed.
func (s *sum) conditional(m *model, z, v float64, self bool) float64 {
	total := 0.0
	for cell, d := range s.design {
		if d[0] == 0 {
			continue
		}
		r, q := m.guess(cell, z)
		if self {
			total += d[0] * (q - 2*v*r + v*v)
		} else {
			total += d[0]*q - 2*d[1]*r + d[2]
		}
	}
	if !self && s.design != nil {
		total -= v*v*s.h2 - 2*v*s.mean1 + s.mean2
	}
	return total
}
