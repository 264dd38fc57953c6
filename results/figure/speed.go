package figure

import (
	"math"
	"slices"

	"overnight/results/stats"
)

// Speed sums up how an arm learns on a task: level and speed in numbers.
type Speed struct {
	Task, Arm int
	// Curve is EvaluationCurve where the study evaluates along the way, else
	// TrainingCurve, in which exploration stands.
	Curve string
	// Height is the mean height of the curve (the area under it over its length),
	// over replications; Last is its last value.
	Height, Last stats.Estimated
	// Threshold is the baseline's mean return in the final evaluation, NaN without
	// one; To is after how many episodes replications reached it.
	Threshold float64
	To        stats.Reached
}

// Speeds returns a row for each arm that recorded a curve of returns, by task and
// arm.
func Speeds(r *Runs) []Speed {
	curve := TrainingCurve
	if slices.Contains(r.names, EvaluationCurve) {
		curve = EvaluationCurve
	}
	var all []Speed
	for task := range r.m.Study.Tasks {
		threshold := math.NaN()
		if b := r.m.Baseline(); b >= 0 {
			name := r.m.Study.Arms[b].Label
			for _, m := range r.marks(task) {
				if m.Name == name {
					threshold = float64(m.At)
				}
			}
		}
		for arm := range r.m.Study.Arms {
			c := r.curves[curveKey{task, arm, curve}]
			if c == nil {
				continue
			}
			b := c.Band(confidence)
			if len(b.X) < 2 {
				continue
			}
			last := len(b.X) - 1
			s := Speed{
				Task: task, Arm: arm, Curve: curve, Height: c.Area(confidence), Threshold: threshold,
				Last: stats.Estimated{Value: b.Y[last], Interval: stats.Interval{Low: b.Low[last], High: b.High[last]}},
			}
			if !math.IsNaN(threshold) {
				s.To = c.TimesTo(threshold, confidence)
			}
			all = append(all, s)
		}
	}
	return all
}
