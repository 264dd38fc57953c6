package results

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// decoder takes values off the front of b. After the first error it yields
// zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// take returns the next n bytes.
func (d *decoder) take(n uint64) []byte {
	if d.err == nil && n > uint64(len(d.b)) {
		d.err = io.ErrUnexpectedEOF
	}
	if d.err != nil {
		return nil
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) byte() byte {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if p := d.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// uvarint reads a varint in its shortest form.
func (d *decoder) uvarint() uint64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Uvarint(d.b)
	switch {
	case n == 0:
		d.err = io.ErrUnexpectedEOF
	case n < 0:
		d.err = errors.New("an integer of more than 64 bits")
	case n > 1 && d.b[n-1] == 0:
		d.err = errors.New("an integer that is not in its shortest form")
	}
	if d.err != nil {
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) uint32() uint32 {
	v := d.uvarint()
	if v > math.MaxUint32 {
		d.fail(fmt.Errorf("%d where 32 bits are all there is", v))
		return 0
	}
	return uint32(v)
}

// count reads the length of a list of which every element takes at least size
// bytes, so that a length which lies allocates nothing.
func (d *decoder) count(size uint64) int {
	n := d.uvarint()
	if d.err == nil && n > uint64(len(d.b))/size {
		d.err = io.ErrUnexpectedEOF
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

// floats reads n floats; nil where n is 0.
func (d *decoder) floats(n int) []float64 {
	p := d.take(8 * uint64(n))
	if len(p) == 0 {
		return nil
	}
	xs := make([]float64, n)
	for i := range xs {
		bits := binary.LittleEndian.Uint64(p[8*i:])
		xs[i] = math.Float64frombits(bits)
		if bits != floatBits(xs[i]) {
			d.fail(fmt.Errorf("NaN as %#x, where %#x is its one form", bits, uint64(canonicalNaN)))
		}
	}
	return xs
}

func (d *decoder) string(most uint64) string {
	n := d.uvarint()
	if d.err == nil && n > most {
		d.err = fmt.Errorf("a text of %d bytes, more than %d", n, most)
	}
	return string(d.take(n))
}
