package design

import "fmt"

// CCD is the kind of design for response surfaces: a face-centred central
// composite (Box and Wilson, 1951). Its rows are all combinations of the low and
// high ends of the ranges, the last factor fastest; then each factor's low and
// high end with the others in their middle; then the centre. Nothing lies outside
// the ranges.
const CCD = "ccd"

// MaxComposite bounds the factors of a central composite: 1,045 rows.
const MaxComposite = 10

// ErrComposite is what Rows says of a central composite of too few or too many
// factors.
var ErrComposite = fmt.Errorf("a design ccd has 2 to %d factors", MaxComposite)

type ccd []Column

func newCCD(columns []Column) ccd { return columns }

func (c ccd) Len() uint64 { return 1<<len(c) + 2*uint64(len(c)) + 1 }

// value is 0 of a column's middle, 1 of its low and 2 of its high end.
func (c ccd) value(row uint64, column int) int {
	corners := uint64(1) << len(c)
	switch axis := row - corners; {
	case row < corners:
		return 1 + int(row>>(len(c)-1-column)&1)
	case axis == 2*uint64(column):
		return 1
	case axis == 2*uint64(column)+1:
		return 2
	}
	return 0
}

// Group counts the values of the columns that have a Place as digits.
func (c ccd) Group(row uint64) (n uint64) {
	for i := range c {
		n += c[i].Place * uint64(c.value(row, i))
	}
	return n
}

func (c ccd) Fill(row uint64, into []float64) {
	for i := range c {
		into[i] = ends(&c[i], c.value(row, i))
	}
}

// Places returns the Place of each column of those whose rows count, given the
// columns of an OAT or CCD design, and how many numbers Rows.Group then has; ok is
// false where they are more than MaxRows.
func Places(kind string, columns []Column) (places []uint64, n uint64, ok bool) {
	n = 1
	for i := range columns {
		places = append(places, n)
		if kind == OAT {
			n += sizeOf(&columns[i]) - 1
		} else {
			n *= 3
		}
		if n > MaxRows {
			return nil, 0, false
		}
	}
	return places, n, true
}
