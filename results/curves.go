package results

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// How the X of a curve is written. A writer uses the first form that fits.
const (
	sameX    = 0 // those of the curve before (none before the first)
	integerX = 1 // the first, then the differences, as varints
	floatX   = 2
)

// maxIntegerX bounds integerX: up to there every integer is a float.
const maxIntegerX = 1 << 53

// AppendCurves appends the stored form of curves to b: their number, then for
// each, in the order of their names, the name, the number of its points, a byte
// for the form of X, X, and Y.
func AppendCurves(b []byte, curves []Curve) []byte {
	curves = byName(curves)
	b = binary.AppendUvarint(b, uint64(len(curves)))
	var last []float64
	for _, c := range curves {
		b = appendString(b, c.Name)
		b = binary.AppendUvarint(b, uint64(len(c.X)))
		form := formOf(last, c.X)
		b = append(b, form)
		switch form {
		case integerX:
			before := uint64(0)
			for _, x := range c.X {
				b = binary.AppendUvarint(b, uint64(x)-before)
				before = uint64(x)
			}
		case floatX:
			b = appendFloats(b, c.X)
		}
		b = appendFloats(b, c.Y)
		last = c.X
	}
	return b
}

// DecodeCurves reads what AppendCurves writes and refuses everything else.
func DecodeCurves(data []byte) ([]Curve, error) {
	d := decoder{b: data}
	curves := d.curves()
	if d.err == nil && len(d.b) != 0 {
		d.fail(fmt.Errorf("%d bytes too many", len(d.b)))
	}
	if d.err == nil {
		d.fail(validCurves(curves))
	}
	if d.err != nil {
		return nil, fmt.Errorf("decode curves: %w", d.err)
	}
	return curves, nil
}

func (d *decoder) curves() []Curve {
	n := d.count(3)
	if n == 0 {
		return nil
	}
	curves := make([]Curve, 0, min(n, 16))
	var last []float64
	for range n {
		c := Curve{Name: d.string(MaxName)}
		points := d.count(8)
		form := d.byte()
		switch form {
		case sameX:
			if len(last) != points {
				d.fail(fmt.Errorf("curve %q: %d points under the %d X of the curve before", c.Name, points, len(last)))
				return nil
			}
			c.X = slices.Clone(last)
		case integerX:
			c.X = d.integers(points)
		case floatX:
			c.X = d.floats(points)
		default:
			d.fail(fmt.Errorf("curve %q: form %d of X", c.Name, form))
		}
		c.Y = d.floats(points)
		if d.err != nil {
			return nil
		}
		if want := formOf(last, c.X); form != want {
			d.fail(fmt.Errorf("curve %q: form %d of X where %d fits", c.Name, form, want))
			return nil
		}
		if k := len(curves); k > 0 && curves[k-1].Name >= c.Name {
			d.fail(fmt.Errorf("curve %q behind curve %q", c.Name, curves[k-1].Name))
			return nil
		}
		curves = append(curves, c)
		last = c.X
	}
	return curves
}

// integers reads n ascending integers as floats.
func (d *decoder) integers(n int) []float64 {
	if d.err != nil || n == 0 {
		return nil
	}
	xs := make([]float64, n)
	var x uint64
	for i := range xs {
		step := d.uvarint()
		if step > maxIntegerX-x || i > 0 && step == 0 {
			d.fail(errors.New("x values that do not ascend"))
		}
		if d.err != nil {
			return nil
		}
		x += step
		xs[i] = float64(x)
	}
	return xs
}

// formOf returns how X is written behind a curve with X last.
func formOf(last, x []float64) byte {
	if sameBits(last, x) {
		return sameX
	}
	for _, v := range x {
		if !(v >= 0 && v <= maxIntegerX) || math.Float64bits(float64(uint64(v))) != math.Float64bits(v) {
			return floatX
		}
	}
	return integerX
}

// sameBits tells whether a and b are equal as encodings write them.
func sameBits(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if floatBits(a[i]) != floatBits(b[i]) {
			return false
		}
	}
	return true
}

// byName returns the curves in the order of their names; curves itself where
// they are in order already.
func byName(curves []Curve) []Curve {
	order := func(a, b Curve) int { return cmp.Compare(a.Name, b.Name) }
	if slices.IsSortedFunc(curves, order) {
		return curves
	}
	return slices.SortedFunc(slices.Values(curves), order)
}
