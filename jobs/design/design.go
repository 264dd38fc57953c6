// Package design holds the mathematics of experimental designs: how many rows
// there are, which row a number stands for, and where a row lies in the unit
// cube. Start with Radix, for grids, and New, for sampled designs.
//
// Nothing here holds a design in memory: every row is computed from its number,
// so adding a column or rows changes no value of the others. Values use package
// fp, so they have the same bits everywhere.
package design

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"overnight/internal/rng"
)

// MaxRows bounds every count of rows, points and trials: beyond it, numbers
// stop being exact in float64 and JSON.
const MaxRows = 1 << 53

// Product multiplies sizes; ok is false beyond MaxRows. The product of none is 1.
func Product(sizes ...uint64) (n uint64, ok bool) {
	n = 1
	for _, s := range sizes {
		hi, lo := bits.Mul64(n, s)
		if hi > 0 || lo > MaxRows {
			return 0, false
		}
		n = lo
	}
	return n, true
}

// Radix numbers the combinations of digits of given sizes; the last digit is the
// fastest.
type Radix []uint64

// Digits writes the digits of combination i, which must be below the product of
// the sizes, into a slice of the same length.
func (r Radix) Digits(i uint64, into []uint64) {
	for d := len(r) - 1; d > 0; d-- {
		into[d], i = i%r[d], i/r[d]
	}
	if len(r) > 0 {
		into[0] = i
	}
}

// Strides returns what one step of each digit adds to a combination's number; ok
// is false where the product of the sizes exceeds MaxRows.
func (r Radix) Strides() (strides []uint64, ok bool) {
	strides = make([]uint64, len(r))
	for d := range r {
		if strides[d], ok = Product(r[d+1:]...); !ok {
			return nil, false
		}
	}
	_, ok = Product(r...)
	return strides, ok
}

// Cube gives the rows of a sampled design as points of the open unit cube.
type Cube interface {
	// At returns coordinate column of a row, above 0 and below 1.
	At(row uint64, column int) float64
}

// Random is the kind of design whose rows are independent and uniform.
const Random = "random"

// Kinds returns the kinds that New makes.
func Kinds() []string { return []string{Random} }

// Later returns kinds that study files may name one day and New refuses so far.
func Later() []string { return []string{"lhs", "sobol", "halton", "saltelli", "morris"} }

// New returns the cube of a kind with one coordinate a column. A column's values
// depend on the seed and the column's name, not on the other columns.
func New(kind string, seed uint64, columns []string, rows uint64) (Cube, error) {
	switch {
	case rows == 0 || rows > MaxRows:
		return nil, fmt.Errorf("a design of %d rows: there must be 1 to %d", rows, uint64(MaxRows))
	case kind == Random:
		return newRandom(seed, columns), nil
	case slices.Contains(Later(), kind):
		return nil, fmt.Errorf("design %s is not in this version, which has %s", kind, strings.Join(Kinds(), ", "))
	}
	return nil, fmt.Errorf("there is no design %q", kind)
}

// random hashes addresses: row r of a column needs no other row.
type random []rng.Key

func newRandom(seed uint64, columns []string) random {
	keys := make(random, len(columns))
	for i, name := range columns {
		keys[i] = rng.Root(seed, "design/random/"+name)
	}
	return keys
}

func (r random) At(row uint64, column int) float64 {
	return Unit(r[column].At(row)[0])
}

// Unit maps 64 random bits to the middle of one of 2**52 cells of (0, 1).
func Unit(bits uint64) float64 {
	return float64(float64(bits>>12)*0x1p-52) + 0x1p-53
}
