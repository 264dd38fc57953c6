package design

import "slices"

// OAT is the kind of design that changes one factor at a time: row 0 is the base,
// the first level of every factor and the middle of every range, and then follow,
// factor by factor, each other level, or the low and the high end.
const OAT = "oat"

var _ Stepper = (*oat)(nil)

type oat struct {
	columns []Column
	first   []uint64 // row of each column; at the end, the number of rows
}

// sizeOf is how many values OAT gives a column.
func sizeOf(c *Column) uint64 {
	if c.Levels > 0 {
		return uint64(c.Levels)
	}
	return 3
}

func newOAT(columns []Column) *oat {
	o := &oat{columns: columns}
	row := uint64(1)
	for i := range columns {
		o.first = append(o.first, row)
		row += sizeOf(&columns[i]) - 1
	}
	o.first = append(o.first, row)
	return o
}

func (o *oat) Len() uint64 { return o.first[len(o.columns)] }

// changed returns the column that a row changes and to which of its values; -1
// and 0 of the base.
func (o *oat) changed(row uint64) (column, value int) {
	if row == 0 {
		return -1, 0
	}
	column, found := slices.BinarySearch(o.first, row)
	if !found {
		column--
	}
	for o.first[column+1] == row { // columns of one level have no row
		column++
	}
	return column, 1 + int(row-o.first[column])
}

// Group is the row that changes a column whose rows count, among all columns that
// have a Place, and 0 of others.
func (o *oat) Group(row uint64) uint64 {
	column, value := o.changed(row)
	if column < 0 || o.columns[column].Place == 0 {
		return 0
	}
	return o.columns[column].Place + uint64(value) - 1
}

// ends are the coordinates of a range's middle, low and high end; of a normal
// distribution the tenth and the ninetieth percentile stand for the ends.
func ends(c *Column, value int) float64 {
	if c.Endless {
		return [3]float64{0.5, 0.1, 0.9}[value]
	}
	return [3]float64{0.5, 0, 1}[value]
}

func (o *oat) Fill(row uint64, into []float64) {
	column, value := o.changed(row)
	for i := range o.columns {
		c, v := &o.columns[i], 0
		if i == column {
			v = value
		}
		if c.Levels > 0 {
			into[i] = (float64(v) + 0.5) / float64(c.Levels)
		} else {
			into[i] = ends(c, v)
		}
	}
}

// Step implements Stepper.
func (o *oat) Step(row uint64) (column int, by float64) {
	column, value := o.changed(row)
	if column < 0 {
		return -1, 0
	}
	if c := &o.columns[column]; c.Levels == 0 {
		return column, ends(c, value) - ends(c, 0)
	}
	return column, float64(value) / float64(o.columns[column].Levels-1)
}
