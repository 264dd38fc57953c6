package offpolicy

import "math"

// Estimate is a number with its standard error and interval; NaN where there is
// none.
type Estimate struct{ Value, SE, Low, High float64 }

// Result is what is known of one target.
type Result struct {
	// Decisions counts those on which the estimates rest. Barred ones, where the
	// target can't act, and Unsupported ones, where it takes an action that the
	// logging policy never takes, are not among them.
	Decisions, Barred, Unsupported uint64
	// Supported says that there are estimates: that some decisions remain and no
	// more than Options.Lacking of them were without support.
	Supported bool
	// Effective is Kish's effective sample size, (sum w)^2 / sum w^2 of the weights
	// that came up; Expected is n^2 / sum E w^2, which knows also of the large
	// weights that did not.
	Effective, Expected float64
	// Largest is the largest weight.
	Largest float64
	// Truth is the mean over Decisions of the target's expected outcome; of a target
	// that is not Supported, over the Unsupported ones too. NaN where Decision.Means
	// were not given.
	Truth float64
	// By has the estimates, by Estimator.
	By [estimators]Estimate
}

// Lacking is the share of decisions without support, of those where the target
// can act.
func (r *Result) Lacking() float64 {
	return float64(r.Unsupported) / max(1, float64(r.Decisions+r.Unsupported))
}

// target gathers the sums of one target.
type target struct {
	policy              Target
	n, barred, lacking  uint64
	w, w2, spread       float64 // of weights; of their expected squares
	largest             float64
	truth, beyond       float64 // sums of expected outcomes: with support, and without
	known               bool    // Decision.Means so far
	ips, dr, even, clip sum
	self                sum
}

func newTarget(p Target, cells int) target {
	t := target{policy: p, known: true}
	for _, s := range []*sum{&t.ips, &t.self, &t.dr, &t.even} {
		s.design = make([][3]float64, cells)
	}
	return t
}

func (t *target) add(d *Decision, probs, means []float64, o *Options) {
	if !t.policy.Probs(d, probs) {
		t.barred++
		return
	}
	truth := 0.0
	t.known = t.known && d.Means != nil
	for i, want := range probs {
		if want > 0 && d.Means != nil {
			truth += want * d.Means[i]
		}
	}
	for i, want := range probs {
		if want > 0 && d.Probs[i] < o.Least {
			t.lacking++
			t.beyond += truth
			return
		}
	}
	t.n++
	t.truth += truth
	w := probs[d.Action] / d.Probs[d.Action]
	square, mean := 0.0, 0.0 // E w^2, and the model's value of the target
	for i, want := range probs {
		if want > 0 {
			square += want * want / d.Probs[i]
			mean += want * means[i]
		}
	}
	t.w, t.w2, t.spread, t.largest = t.w+w, t.w2+w*w, t.spread+square, max(t.largest, w)

	doubly := mean + w*(d.Outcome-means[d.Action])
	h := 1 / math.Sqrt(square)
	t.ips.add(1, w*d.Outcome, 0)
	t.self.add(w, d.Outcome, 0)
	t.dr.add(1, doubly, mean)
	t.even.add(h, doubly, mean)
	if o.Clip > 0 {
		t.clip.add(1, min(w, o.Clip)*d.Outcome, 0)
	}
	for i, want := range probs {
		if want > 0 {
			cell, ratio := d.Group*len(probs)+i, want*want/d.Probs[i]
			t.ips.expect(cell, ratio, 0)
			t.self.expect(cell, ratio, 0)
			t.dr.expect(cell, ratio, means[i])
			t.even.expect(cell, h*h*ratio, means[i])
		}
	}
}

func (t *target) result(m *model, o *Options, z float64) Result {
	n := float64(t.n)
	r := Result{Decisions: t.n, Barred: t.barred, Unsupported: t.lacking, Largest: t.largest, Truth: math.NaN()}
	if t.w2 > 0 {
		r.Effective = t.w * t.w / t.w2
	}
	if t.spread > 0 {
		r.Expected = n * n / t.spread
	}
	for i := range r.By {
		r.By[i] = Estimate{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	}
	r.Supported = t.n > 0 && r.Lacking() <= o.Lacking
	switch {
	case !t.known || t.n+t.lacking == 0:
	case r.Supported:
		r.Truth = t.truth / n
	default:
		r.Truth = (t.truth + t.beyond) / float64(t.n+t.lacking)
	}
	if !r.Supported {
		return r
	}
	r.By[IPS] = t.ips.estimate(m, z, false)
	r.By[DR] = t.dr.estimate(m, z, false)
	if t.w > 0 {
		r.By[SNIPS] = t.self.estimate(m, z, true)
	}
	if !o.Contextual {
		r.By[Adaptive] = t.even.estimate(m, z, false)
	}
	if o.Clip > 0 {
		r.By[Clipped] = t.clip.estimate(m, z, false)
	}
	if o.NonNegative {
		for i := range r.By {
			r.By[i].Low, r.By[i].High = max(0, r.By[i].Low), max(0, r.By[i].High)
		}
	}
	return r
}
