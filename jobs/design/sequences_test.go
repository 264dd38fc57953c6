package design

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// sequences are unscrambled points by scipy; see testdata/sequences.py.
type sequences struct {
	SobolFirst   [][]uint32  `json:"sobol_first"`
	SobolColumns []int       `json:"sobol_columns"`
	SobolRows    []uint64    `json:"sobol_rows"`
	SobolValues  [][]uint32  `json:"sobol_values"`
	HaltonFirst  [][]float64 `json:"halton_first"`
	HaltonFrom   uint64      `json:"halton_from"`
	HaltonLate   [][]float64 `json:"halton_late"`
}

func readSequences(t *testing.T) (s sequences) {
	t.Helper()
	b, err := os.ReadFile("testdata/sequences.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.SobolFirst) != 64 || len(s.SobolValues) != 12 || len(s.HaltonFirst) != 50 || len(s.HaltonLate) != 5 {
		t.Fatal("testdata/sequences.json lacks points")
	}
	return s
}

// TestSobolEqualsScipy compares the digits before scrambling with scipy's, up to
// dimension 1,000. Row i there is row gray(i) here.
func TestSobolEqualsScipy(t *testing.T) {
	t.Parallel()
	want := readSequences(t)
	s, err := newSobol(1, columnNames(MaxDimensions))
	if err != nil {
		t.Fatal(err)
	}
	gray := func(i uint64) uint64 { return i ^ i>>1 }
	for i, row := range want.SobolFirst {
		for c, x := range row {
			if got := s[c].digits(gray(uint64(i))); got != x {
				t.Fatalf("dimension %d of row %d is %#x, want %#x", c+1, i, got, x)
			}
		}
	}
	for k, i := range want.SobolRows {
		for j, c := range want.SobolColumns {
			if got, x := s[c].digits(gray(i)), want.SobolValues[k][j]; got != x {
				t.Fatalf("dimension %d of row %d is %#x, want %#x", c+1, i, got, x)
			}
		}
	}
}

// TestHaltonEqualsScipy compares the sequence before scrambling with scipy's. What
// comes below the digits of 2^32 rows is random here.
func TestHaltonEqualsScipy(t *testing.T) {
	t.Parallel()
	want := readSequences(t)
	h, err := newHalton(1, columnNames(len(want.HaltonFirst[0])))
	if err != nil {
		t.Fatal(err)
	}
	for c := range h {
		h[c].plain = true
	}
	check := func(row uint64, x []float64) {
		for c := range h {
			if got := h.At(row, c); math.Abs(got-x[c]) > 0x1p-32 {
				t.Fatalf("dimension %d of row %d is %v, want %v", c+1, row, got, x[c])
			}
		}
	}
	for i, x := range want.HaltonFirst {
		check(uint64(i), x)
	}
	for i, x := range want.HaltonLate {
		check(want.HaltonFrom+uint64(i), x)
	}
}

// TestOwenIsNested checks what defines nested scrambling: two numbers have as many
// equal leading digits after it as before.
func TestOwenIsNested(t *testing.T) {
	t.Parallel()
	s, err := newSobol(3, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	flips := [32]int{}
	const pairs = 4000
	for i := range uint64(pairs) {
		h := s[0].key.At(1<<40 | i)
		x, common := uint32(h[0]), int(h[0]>>32%32)
		y := x ^ 1<<(31-common) ^ uint32(h[1])&(1<<(31-common)-1)
		a, b := uint64(owen(x, s[0].key)*0x1p32), uint64(owen(y, s[0].key)*0x1p32)
		if a>>(32-common) != b>>(32-common) || a>>(31-common) == b>>(31-common) {
			t.Fatalf("%032b and %032b share %d digits, and scrambled %032b and %032b do not", x, y, common, a, b)
		}
		for k := range flips {
			flips[k] += int((a>>(31-k) ^ uint64(x)>>(31-k)) & 1)
		}
	}
	// Below the first digits, of which each node has one flip, half are flipped: six
	// standard errors, which a right generator passes but once in ten million.
	for k := 10; k < 32; k++ {
		if math.Abs(float64(flips[k])-pairs/2) > 6*math.Sqrt(pairs)/2 {
			t.Errorf("digit %d is flipped %d times of %d", k, flips[k], pairs)
		}
	}
}

// TestSobolStratifies checks that scrambling leaves every column in one row a cell,
// the first two columns a (0, m, 2)-net, and any two columns as evenly spread over
// each shape of box as the sequence without it.
func TestSobolStratifies(t *testing.T) {
	t.Parallel()
	const m, columns = 8, 7
	s, err := newSobol(9, columnNames(columns))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []uint64{0, 5 << m} { // any aligned block of 2^m rows
		for i := range columns {
			counts := boxes(s, from, m, i, m, i, 0)
			if slices.Max(counts) != 1 {
				t.Errorf("column %d of %d rows from %d has %d in a cell", i, 1<<m, from, slices.Max(counts))
			}
			for j := range i {
				for k := range m + 1 {
					scrambled := boxes(s, from, m, i, k, j, m-k)
					plain := plainBoxes(s, from, m, i, k, j, m-k)
					slices.Sort(scrambled)
					slices.Sort(plain)
					if !slices.Equal(scrambled, plain) {
						t.Errorf("columns %d and %d in %d by %d boxes: %v, without scrambling %v", j, i, 1<<k, 1<<(m-k), scrambled, plain)
					}
					if i == 1 && scrambled[0] != 1 {
						t.Errorf("the first two columns in %d by %d boxes: one has %d", 1<<k, 1<<(m-k), scrambled[0])
					}
				}
			}
		}
	}
}

// boxes counts 2^m rows in 2^ki by 2^kj boxes of columns i and j.
func boxes(c cube, from uint64, m, i, ki, j, kj int) []int {
	counts := make([]int, 1<<(ki+kj))
	for r := range uint64(1) << m {
		x, y := int(c.At(from+r, i)*float64(uint(1)<<ki)), int(c.At(from+r, j)*float64(uint(1)<<kj))
		counts[x<<kj|y]++
	}
	return counts
}

func plainBoxes(s sobol, from uint64, m, i, ki, j, kj int) []int {
	counts := make([]int, 1<<(ki+kj))
	for r := range uint64(1) << m {
		x, y := uint64(s[i].digits(from+r))>>(32-ki), uint64(s[j].digits(from+r))>>(32-kj)
		counts[x<<kj|y]++
	}
	return counts
}

// TestHaltonStratifies checks that b^k rows have one in each cell of the column
// with base b, and that rows of a multiple of 2^4 3^2 fill the boxes of the first two
// columns evenly.
func TestHaltonStratifies(t *testing.T) {
	t.Parallel()
	h, err := newHalton(4, columnNames(6))
	if err != nil {
		t.Fatal(err)
	}
	for c, base := range []int{2, 3, 5, 7, 11, 13} {
		n := base
		for n*base < 3000 {
			n *= base
		}
		counts := make([]int, n)
		for r := range n {
			counts[int(h.At(uint64(7*n+r), c)*float64(n))]++
		}
		if slices.Max(counts) != 1 {
			t.Errorf("base %d: a cell of %d has %d rows of %d", base, n, slices.Max(counts), n)
		}
	}
	counts := make([]int, 16*9)
	for r := range uint64(5 * 16 * 9) {
		counts[int(h.At(r, 0)*16)*9+int(h.At(r, 1)*9)]++
	}
	if slices.Min(counts) != 5 || slices.Max(counts) != 5 {
		t.Errorf("boxes of two columns have %d to %d rows, want 5", slices.Min(counts), slices.Max(counts))
	}
}

// TestSequencesIntegrate compares the error of means over seeds with that of
// independent points: for a smooth function of five columns and 1,024 rows,
// scrambled sequences have a tenth of it or less, and no bias beyond four standard
// errors.
func TestSequencesIntegrate(t *testing.T) {
	t.Parallel()
	const rows, seeds, d = 1024, 40, 5
	rmse := func(kind string) float64 {
		sum, square := 0.0, 0.0
		for seed := range uint64(seeds) {
			mean := 0.0
			u := make([]float64, d)
			r := rowsOf(t, Spec{Kind: kind, Points: rows}, seed, d)
			for i := range uint64(rows) {
				r.Fill(i, u)
				f := 1.0
				for j, x := range u {
					f *= 1 + (x-0.5)/float64(j+1)
				}
				mean += f / rows
			}
			sum += mean - 1
			square += (mean - 1) * (mean - 1)
		}
		rms := math.Sqrt(square / seeds)
		if bias := math.Abs(sum / seeds); bias > 4*rms/math.Sqrt(seeds) {
			t.Errorf("%s: bias %v where the error is %v", kind, bias, rms)
		}
		return rms
	}
	random := rmse(Random)
	for _, c := range []struct {
		kind  string
		times float64
	}{{Sobol, 20}, {Halton, 10}, {LHS, 2}} {
		if got := rmse(c.kind); got*c.times > random {
			t.Errorf("%s: error %v, of independent points %v, want a %vth of it", c.kind, got, random, c.times)
		}
	}
}

// rowsOf makes a design of d ranges.
func rowsOf(t testing.TB, spec Spec, seed uint64, d int) Rows {
	t.Helper()
	return rowsOver(t, spec, seed, make([]int, d)...)
}

// rowsOver makes a design of columns with so many levels, 0 for a range.
func rowsOver(t testing.TB, spec Spec, seed uint64, levels ...int) Rows {
	t.Helper()
	names := columnNames(len(levels))
	var columns []Column
	for i, n := range levels {
		columns = append(columns, Column{Name: names[i], Dimension: i, Levels: n})
	}
	if spec.Kind == OAT || spec.Kind == CCD {
		places, _, ok := Places(spec.Kind, columns)
		if !ok {
			t.Fatal("too many rows")
		}
		for i := range columns {
			columns[i].Place = places[i]
		}
	}
	d, err := New(spec, seed, names)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.Rows(columns)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func table(r Rows, d int) [][]float64 {
	list := make([][]float64, r.Len())
	for i := range list {
		list[i] = make([]float64, d)
		r.Fill(uint64(i), list[i])
	}
	return list
}

func TestTooManyDimensions(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Sobol, Halton} {
		if _, err := New(Spec{Kind: kind, Points: 4}, 1, columnNames(MaxDimensions+1)); err == nil {
			t.Errorf("%s of %d dimensions was made", kind, MaxDimensions+1)
		}
	}
	if _, err := New(Spec{Kind: Saltelli, Points: 4}, 1, columnNames(MaxDimensions/2+1)); err == nil {
		t.Error("a Saltelli design of too many factors was made")
	}
	if _, err := New(Spec{Kind: Saltelli, Points: 4}, 1, columnNames(MaxDimensions/2)); err != nil {
		t.Error(fmt.Errorf("a Saltelli design of %d factors: %w", MaxDimensions/2, err))
	}
}
