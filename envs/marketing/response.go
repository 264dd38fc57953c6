package marketing

import "overnight/internal/fp"

// form is the form of a response curve.
type form uint8

const (
	exponentialDecay form = iota
	hill
	logistic
	saturating
)

// response is a response curve: a spend s on a channel with scale k and
// effectiveness e generates e k at(s/k).
type response struct {
	form form
	h    float64 // exponent of hill, steepness of logistic
	zero float64 // of logistic: L(0)
}

func newResponse(name string, shape *float64) response {
	r := response{h: 1}
	switch name {
	case "hill":
		r.form = hill
	case "logistic":
		r.form, r.h = logistic, 4
	case "saturating":
		r.form = saturating
	}
	if shape != nil {
		r.h = *shape
	}
	r.zero = fp.Sigmoid(-r.h)
	return r
}

// concave tells whether the curve is concave wherever its best split lies: for
// exponential decay on [0, 1], else everywhere.
func (r response) concave() bool {
	return r.form == exponentialDecay || r.form == saturating || r.form == hill && r.h == 1
}

// at returns the curve at x >= 0. All curves but the logistic and hills with
// h > 1 begin with slope 1.
func (r response) at(x float64) float64 {
	switch r.form {
	case saturating:
		return 1 - fp.Exp64(-x)
	case hill:
		if r.h == 1 {
			return x / (1 + x)
		}
		y := fp.Pow(x, r.h)
		if y > 1e300 {
			return 1
		}
		return y / (1 + y)
	case logistic:
		return (fp.Sigmoid(float64(r.h*(x-1))) - r.zero) / (1 - r.zero)
	}
	return float64(x * fp.Exp64(-x))
}
