package figure

import (
	"fmt"
	"slices"

	"overnight/internal/rng"
)

// sampleOf returns n of the numbers below total, ascending, drawn without
// replacement (selection sampling, Knuth, TAOCP 2, 3.4.2, algorithm S); all where
// there are no more.
func sampleOf(total, n int, key rng.Key) []int {
	if total <= n {
		all := make([]int, total)
		for i := range all {
			all[i] = i
		}
		return all
	}
	draw := rng.New(key)
	kept := make([]int, 0, n)
	for i := 0; len(kept) < n; i++ {
		if draw.IntN(total-i) < n-len(kept) {
			kept = append(kept, i)
		}
	}
	return kept
}

// shareOut divides n among parts so that small ones keep all they have and large
// ones the same number each.
func shareOut(sizes []int, n int) []int {
	order := make([]int, len(sizes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return sizes[a] - sizes[b] })
	out := make([]int, len(sizes))
	for k, i := range order {
		out[i] = min(sizes[i], n/(len(sizes)-k))
		n -= out[i]
	}
	return out
}

// sampled says that a picture shows a sample; "" where it shows all.
func sampled(shown, total int, what string) string {
	if shown >= total {
		return ""
	}
	return fmt.Sprintf("A seeded sample of %d of %d %s.", shown, total, what)
}
