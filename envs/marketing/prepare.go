package marketing

import (
	"math"

	"overnight/internal/fp"
)

// prepare computes the constants of the parameters and sizes the buffers.
func (e *Env) prepare() {
	p := &e.p
	k := len(p.Channels)
	e.k, e.entries = k, k
	if p.Unspent {
		e.entries++
	}
	e.response = newResponse(p.Response, p.ResponseShape)
	e.clip = math.Inf(1)
	if p.Clip {
		e.clip = 1
	}
	e.perUnit = 1 / p.Budget

	e.ch = resize(e.ch, k)
	largest := 0.0
	e.bounded, e.noisy = false, p.ReturnNoise > 0
	for i := range e.ch {
		e.ch[i] = channel{
			base: p.BaseEffectiveness.At(i),
			vol:  float64(p.Volatility.At(i) * p.VolatilityScale),
			k:    p.Saturation.At(i), invK: 1 / p.Saturation.At(i),
			least: p.Floor.At(i), most: p.Cap.At(i),
		}
		c := &e.ch[i]
		largest = max(largest, c.base)
		e.bounded = e.bounded || c.least > 0 || c.most < 1
		e.noisy = e.noisy || c.vol > 0
	}
	e.boxed = e.bounded || p.Unspent
	e.perBase = 1 / largest
	if e.meanNoise == 0 || e.meanNoiseOf != p.ReturnNoise { // it takes microseconds
		e.meanNoise, e.meanNoiseOf = meanPositive(p.ReturnNoise), p.ReturnNoise
	}

	e.synergetic = false
	for _, row := range p.Synergy {
		for _, v := range row {
			e.synergetic = e.synergetic || v != 0
		}
	}

	e.prepareReward()
	e.pending = resize(e.pending, len(p.Delay))
	e.byChannel = e.byChannel[:0]
	if p.Observe.Pending == "channels" {
		e.byChannel = resize(e.byChannel, k*len(p.Delay))
	}
	e.noise = resize(e.noise, p.Horizon*2*k)
	e.errors = e.errors[:0]
	if p.Observe.Noise > 0 && p.Observe.Effectiveness {
		e.errors = resize(e.errors, (p.Horizon+1)*k)
	}
	e.past = e.past[:0]
	if p.Observe.Lag > 0 && p.Observe.Effectiveness {
		e.past = resize(e.past, (min(p.Observe.Lag, p.Horizon)+1)*k)
	}
	e.want = resize(e.want, k+1)
	e.reach = resize(e.reach, k)
	e.raw = e.raw[:0]
	if p.Trace.Raw {
		e.raw = resize(e.raw, k)
	}
	e.prepareOracle()
	e.describe()
	e.restart()
}

// resize returns s with n elements of no particular value.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// meanPositive returns E[max(0, 1 + sd z)] of a standard normal z, which is
// 1 + sd L(1/sd) with the normal loss L(a) = E[max(0, z - a)], here by Boole's
// rule over 12 standard deviations from a on. The relative error is below 1e-11.
func meanPositive(sd float64) float64 {
	if sd == 0 {
		return 1
	}
	const n, h = 512, 12.0 / 512
	weights := [4]float64{14, 32, 12, 32}
	a := 1 / sd
	sum := 0.0 // the integrand is 0 at the first point and below 1e-31 at the last
	for i := 1; i < n; i++ {
		x := float64(float64(i) * h)
		z := a + x
		sum += float64(float64(weights[i%4]*x) * fp.Exp64(-float64(0.5*float64(z*z))))
	}
	const invSqrt2Pi = 0.398942280401432677939946
	return 1 + float64(sd*float64(sum*(2*h/45*invSqrt2Pi)))
}
