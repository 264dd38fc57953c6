package stats

import "math"

// PairedWins is how often x beats y in the same replication of the same point.
type PairedWins struct {
	Wins, Ties, Losses int
	// Estimated is the share of wins, ties counting one half, with its Wilson
	// interval.
	Estimated
}

// WinsOf counts the pairs that x wins. Pairs of one replication share its noise,
// so the Wilson interval takes replications as its n, each with its share of
// wins: for one point that is the plain one, for several it is a little long,
// since such shares vary less than wins do. Points must correspond.
func WinsOf(x, y Scores, level float64) PairedWins {
	won := make(Scores, min(len(x), len(y)))
	var w PairedWins
	for p := range won {
		won[p] = make([]float64, min(len(x[p]), len(y[p])))
		for r := range won[p] {
			a, b := x[p][r], y[p][r]
			if math.IsNaN(a) || math.IsNaN(b) {
				won[p][r] = math.NaN()
				continue
			}
			won[p][r] = higher(a, b)
			switch won[p][r] {
			case 1:
				w.Wins++
			case 0:
				w.Losses++
			default:
				w.Ties++
			}
		}
	}
	units, _ := replications([]*pool{newPool(won)})
	n := float64(len(units))
	w.Value = ByMean.Of(won)
	w.Interval = Wilson(float64(w.Value*n), n, level)
	return w
}
