package stats

import "slices"

// Bins groups the values of a continuous factor into levels of equally many
// points, at most 8 and at least ten points a level where that leaves two:
// fewer points a level make its mean too noisy, fewer levels hide a bend. Equal
// values share a level. It returns each value's level, ascending.
func Bins(values []float64) []int {
	sorted := slices.Sorted(slices.Values(values))
	bins := min(max(len(values)/10, 2), 8)
	level := make([]int, len(values))
	for i, v := range values {
		first, _ := slices.BinarySearch(sorted, v)
		level[i] = first * bins / len(values)
	}
	return level
}
