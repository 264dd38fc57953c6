package design

import (
	"math"

	"overnight/internal/fp"
)

// Level returns which of n levels, all equally likely, u in (0, 1) stands for.
func Level(u float64, n int) int {
	return min(int(u*float64(n)), n-1)
}

// Uniform maps u in (0, 1) to [low, high].
func Uniform(u, low, high float64) float64 {
	span := float64(u * (high - low))
	return clamp(low+span, low, high)
}

// LogUniform maps u in (0, 1) to [low, high], low > 0, so that the logarithm is
// uniform.
func LogUniform(u, low, high float64) float64 {
	a := fp.Log(low)
	return clamp(fp.Exp64(Uniform(u, a, fp.Log(high))), low, high)
}

// IntUniform maps u in (0, 1) to the integers low, ..., high, all equally likely;
// both must be within 2**53 of zero.
func IntUniform(u float64, low, high int64) int64 {
	n := float64(high-low) + 1
	return min(low+int64(math.Floor(float64(u*n))), high)
}

// Normal maps u in (0, 1) to a normal distribution.
func Normal(u, mean, sd float64) float64 {
	return mean + float64(sd*NormalQuantile(u))
}

// clamp keeps rounding from leaving the range.
func clamp(x, low, high float64) float64 { return min(max(x, low), high) }

// NormalQuantile returns the x below which a standard normal lies with
// probability u in (0, 1): algorithm AS 241, routine PPND16 (Wichura, Applied
// Statistics 37, 1988), with a relative error of about 1e-16.
func NormalQuantile(u float64) float64 {
	q := u - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return q * ratio(r,
			[8]float64{2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0},
			[8]float64{5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1})
	}
	r := u
	if q > 0 {
		r = 1 - u
	}
	r = math.Sqrt(-fp.Log(r))
	var x float64
	if r <= 5 {
		x = ratio(r-1.6,
			[8]float64{7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0},
			[8]float64{1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1})
	} else {
		x = ratio(r-5,
			[8]float64{2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0},
			[8]float64{2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1})
	}
	if q < 0 {
		return -x
	}
	return x
}

// ratio is the quotient of two polynomials, highest power first.
func ratio(r float64, p, q [8]float64) float64 {
	a, b := p[0], q[0]
	for i := 1; i < len(p); i++ {
		a, b = fp.MulAdd(a, r, p[i]), fp.MulAdd(b, r, q[i])
	}
	return a / b
}
