package design

import "overnight/internal/rng"

// LHS is the kind of design whose every column has one row in each of as many
// equal cells as there are rows: a Latin hypercube (McKay, Beckman and Conover,
// Technometrics 21, 1979).
const LHS = "lhs"

// lhs computes each column from a permutation of its own.
type lhs struct {
	points  uint64
	columns []lhsColumn
}

type lhsColumn struct {
	cell  permutation
	place rng.Key // where in the cell
}

func newLHS(seed uint64, names []string, points, start uint64) *lhs {
	l := &lhs{points: points}
	for _, name := range names {
		key := rng.Root(seed, "design/lhs/"+name, start)
		l.columns = append(l.columns, lhsColumn{newPermutation(points, key.At(0)), key.At(1)})
	}
	return l
}

// At returns a coordinate: a place among 2^18 in the cell of the row, which keeps
// the division from leaving the cell.
func (l *lhs) At(row uint64, column int) float64 {
	c := &l.columns[column]
	within := float64(c.place.At(row)[0]>>46) + 0.5
	return (float64(c.cell.at(row)) + float64(within*0x1p-18)) / float64(l.points)
}
