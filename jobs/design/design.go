// Package design holds the mathematics of experimental designs: how many rows
// there are, which row a number stands for, and where a row lies in the unit
// cube. Start with Radix, for grids, and New, for all others.
//
// Nothing here holds a design in memory: every row is computed from its number,
// so adding a column or rows changes no value of the others. Values use package
// fp, so they have the same bits everywhere.
package design

import "math/bits"

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
