package redisstore

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// decoder takes values off the front of b. After the first error it yields
// zeros.
type decoder struct {
	b   string
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail(io.ErrUnexpectedEOF)
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() (x uint64) {
	for shift := 0; ; shift += 7 {
		c := d.byte()
		if shift == 63 && c > 1 {
			d.fail(errors.New("an integer of more than 64 bits"))
		}
		if d.err != nil {
			return 0
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
}

func (d *decoder) bytes(n uint64) string {
	if n > uint64(len(d.b)) {
		d.fail(io.ErrUnexpectedEOF)
	}
	if d.err != nil {
		return ""
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) uint32() uint32 {
	p := d.bytes(4)
	if len(p) < 4 {
		return 0
	}
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

// small reads an integer of 32 bits.
func (d *decoder) small() uint32 {
	n := d.uvarint()
	if n > math.MaxUint32 {
		d.fail(errors.New("an integer of more than 32 bits"))
	}
	return uint32(n)
}

func (d *decoder) length(most int) int {
	n := d.uvarint()
	if n > uint64(most) {
		d.fail(fmt.Errorf("a length of %d, more than %d", n, most))
		return 0
	}
	return int(n)
}

// end tells outer of errors, and of bytes that are left.
func (d *decoder) end(outer *decoder) {
	if len(d.b) != 0 {
		d.fail(fmt.Errorf("%d bytes behind the result", len(d.b)))
	}
	if d.err != nil {
		outer.fail(d.err)
	}
}
