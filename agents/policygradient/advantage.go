package policygradient

import "math"

// credit fills weights with what each step of the batch is judged by: the
// discounted rewards from it on, or what the action itself generates.
func (r *reinforce[T]) credit() {
	copy(r.weights[:r.rows], r.rewards)
	if r.own {
		return
	}
	start := 0
	for _, end := range r.ends {
		total := 0.0
		for row := end - 1; row >= start; row-- {
			total = r.rewards[row] + float64(r.p.Gamma*total)
			r.weights[row] = total
		}
		start = end
	}
}

// advantage turns credits into advantages, in place.
func (r *reinforce[T]) advantage() {
	switch r.p.Advantage {
	case "day":
		r.centreDays()
	case "batch":
		standardise(r.weights[:r.rows])
	case "episode":
		start := 0
		for _, end := range r.ends {
			standardise(r.weights[start:end])
			start = end
		}
	}
}

// standardise subtracts the mean and divides by the standard deviation (n-1) plus
// 1e-5, as the notebook does. One number alone stays as it is.
func standardise(v []float64) {
	if len(v) < 2 {
		return
	}
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	mean := sum / float64(len(v))
	squares := 0.0
	for i, x := range v {
		x -= mean
		v[i] = x
		squares += float64(x * x)
	}
	scale := math.Sqrt(squares/float64(len(v)-1)) + 1e-5
	for i := range v {
		v[i] /= scale
	}
}

// centreDays subtracts from every credit the mean of its day over the batch and
// divides by the standard deviation of what remains, which has as many degrees
// of freedom less as there are days, plus 1e-5.
func (r *reinforce[T]) centreDays() {
	clear(r.daySum)
	clear(r.dayCount)
	start, days := 0, 0
	for _, end := range r.ends {
		for day, v := range r.weights[start:end] {
			r.daySum[day] += v
			r.dayCount[day]++
		}
		days = max(days, end-start)
		start = end
	}
	start = 0
	squares := 0.0
	for _, end := range r.ends {
		for day, v := range r.weights[start:end] {
			v -= r.daySum[day] / r.dayCount[day]
			r.weights[start+day] = v
			squares += float64(v * v)
		}
		start = end
	}
	scale := 1e-5
	if free := r.rows - days; free > 0 {
		scale += math.Sqrt(squares / float64(free))
	}
	for row := range r.rows {
		r.weights[row] /= scale
	}
}
