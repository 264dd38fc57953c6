package marketing

import "overnight/internal/fp"

// reach is how much of its possible effect on the other channels a channel has
// at spend x, in saturations: 1 - exp(-x), from 0 to below 1.
func reach(x float64) float64 { return 1 - fp.Exp64(-x) }

// boost returns the factor of a channel's revenue: 1 + sum of its row of the
// synergy matrix times the reach of the channels.
func boost(row, reach []float64) float64 {
	sum := 1.0
	for j, v := range row {
		sum += float64(v * reach[j])
	}
	return max(0, sum)
}
