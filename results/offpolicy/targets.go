package offpolicy

import (
	"fmt"
	"math"
)

// Always takes one action wherever it is allowed.
type Always int

// Probs implements Target.
func (a Always) Probs(d *Decision, into []float64) bool {
	clear(into)
	into[a] = 1
	return d.Allowed == nil || d.Allowed[a]
}

// Uniform takes every allowed action equally often.
type Uniform struct{}

// Probs implements Target.
func (Uniform) Probs(d *Decision, into []float64) bool {
	for i := range into {
		into[i] = 1
	}
	return among(d, into)
}

// Fixed takes actions with the given probabilities, in proportion among those
// that are allowed.
type Fixed []float64

// NewFixed checks probabilities, which it divides by their sum.
func NewFixed(p []float64) (Fixed, error) {
	sum := 0.0
	for i, v := range p {
		if !(v >= 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("probability %v of action %d; it must be a number of at least 0", v, i)
		}
		sum += v
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("probabilities that sum to %v; one at least must be above 0", sum)
	}
	f := make(Fixed, len(p))
	for i, v := range p {
		f[i] = v / sum
	}
	return f, nil
}

// Probs implements Target.
func (f Fixed) Probs(d *Decision, into []float64) bool {
	copy(into, f)
	return among(d, into)
}

// among leaves the allowed actions and divides by their sum.
func among(d *Decision, into []float64) bool {
	sum := 0.0
	for i := range into {
		if d.Allowed != nil && !d.Allowed[i] {
			into[i] = 0
		}
		sum += into[i]
	}
	if sum == 0 {
		return false
	}
	for i := range into {
		into[i] /= sum
	}
	return true
}
