package design

import (
	"fmt"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/internal/rng"
)

// TestPermutation checks that every size is permuted, also beyond what is held in
// memory, where images of neighbours must be different and below the size.
func TestPermutation(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 63, 64, 65, 255, 1000, 4096, 65537} {
		p := newPermutation(n, rng.Root(n, "test"))
		seen := make([]bool, n)
		for i := range n {
			j := p.at(i)
			if j >= n || seen[j] {
				t.Fatalf("%d of %d goes to %d", i, n, j)
			}
			seen[j] = true
		}
	}
	const n = MaxSequence - 5
	p := newPermutation(n, rng.Root(1, "test"))
	seen := map[uint64]bool{}
	for i := range uint64(10_000) {
		j := p.at(n - 1 - i)
		if j >= n || seen[j] {
			t.Fatalf("%d of %d goes to %d", n-1-i, uint64(n), j)
		}
		seen[j] = true
	}
}

// TestPermutationsAreUniform counts all permutations of few places, and where pairs
// go among more, over keys: chi-square, which a right generator passes but once in
// 10^5 each time.
func TestPermutationsAreUniform(t *testing.T) {
	t.Parallel()
	const keys = 24_000
	for n := uint64(2); n <= 5; n++ {
		counts := map[string]int{}
		for k := range uint64(keys) {
			p := newPermutation(n, rng.Root(9, "test", n, k))
			image := ""
			for i := range n {
				image += fmt.Sprint(p.at(i))
			}
			counts[image]++
		}
		cells := 1
		for i := 2; i <= int(n); i++ {
			cells *= i
		}
		checkUniform(t, fmt.Sprint("permutations of ", n), counts, cells, keys)
	}
	const n = 12
	for _, pair := range [][2]uint64{{0, 1}, {0, n - 1}, {5, 6}} {
		counts := map[string]int{}
		for k := range uint64(keys) {
			p := newPermutation(n, rng.Root(10, "test", k))
			counts[fmt.Sprint(p.at(pair[0]), p.at(pair[1]))]++
		}
		checkUniform(t, fmt.Sprint("places of ", pair, " in ", n), counts, n*(n-1), keys)
	}
}

func checkUniform(t *testing.T, what string, counts map[string]int, cells, total int) {
	t.Helper()
	per, chi := float64(total)/float64(cells), 0.0
	for _, n := range counts {
		chi += (float64(n) - per) * (float64(n) - per) / per
	}
	chi += float64(cells-len(counts)) * per
	if p := (distuv.ChiSquared{K: float64(cells - 1)}).Survival(chi); p < 1e-5 || len(counts) > cells {
		t.Errorf("%s: %d of %d occur, chi-square %v has p = %v", what, len(counts), cells, chi, p)
	}
}

// TestLHSStratifies checks that each column has one row in each cell, for every
// number of rows, and that columns are permuted on their own.
func TestLHSStratifies(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{1, 2, 3, 10, 100, 4096, 5000} {
		l := newLHS(2, columnNames(3), n, 7)
		var cells [3][]int
		for c := range 3 {
			for i := range n {
				cells[c] = append(cells[c], int(l.At(i, c)*float64(n)))
			}
		}
		if n >= 10 && (slices.Equal(cells[0], cells[1]) || slices.Equal(cells[1], cells[2])) {
			t.Errorf("%d rows: two columns have one order", n)
		}
		for c := range 3 {
			slices.Sort(cells[c])
			for i, cell := range cells[c] {
				if cell != i {
					t.Fatalf("column %d of %d rows has no row in cell %d", c, n, i)
				}
			}
		}
	}
	// The last of the largest hypercube stays inside.
	l := newLHS(2, columnNames(1), MaxSequence, 0)
	for i := range uint64(1000) {
		u := l.At(MaxSequence-1-i, 0)
		if u <= 0 || u >= 1 || uint64(u*MaxSequence) != l.columns[0].cell.at(MaxSequence-1-i) {
			t.Fatalf("row %d is %v", MaxSequence-1-i, u)
		}
	}
}
