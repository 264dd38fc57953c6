package nn

import (
	"encoding/binary"
	"errors"
	"math"
	"unsafe"

	"overnight/internal/fp"
)

// errShort says that a state ends too early.
var errShort = errors.New("state of a network is cut short")

// AppendFloats appends the bits of v, little-endian, in the width of T.
func AppendFloats[T fp.Float](b []byte, v ...T) []byte {
	for _, x := range v {
		if unsafe.Sizeof(x) == 4 {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
		} else {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(x)))
		}
	}
	return b
}

// ReadFloats fills v from what AppendFloats wrote and returns the rest of b. It
// fails where b is too short.
func ReadFloats[T fp.Float](b []byte, v []T) ([]byte, error) {
	var t T
	size := int(unsafe.Sizeof(t))
	if len(b) < len(v)*size {
		return nil, errShort
	}
	for i := range v {
		if size == 4 {
			v[i] = T(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		} else {
			v[i] = T(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
		b = b[size:]
	}
	return b, nil
}

// AppendVector appends a vector like n's parameters in PyTorch's order, without
// padding.
func (n *Net[T]) AppendVector(b []byte, v []Block[T]) []byte {
	n.each(v, func(p *T) { b = AppendFloats(b, *p) })
	return b
}

// ReadVector fills v from what AppendVector wrote and returns the rest of b.
func (n *Net[T]) ReadVector(b []byte, v []Block[T]) ([]byte, error) {
	flat := make([]T, n.Len())
	b, err := ReadFloats(b, flat)
	if err != nil {
		return nil, err
	}
	n.Import(v, flat)
	return b, nil
}

// AppendState appends all that the steps so far have left in a.
func (a *Adam[T]) AppendState(b []byte, n *Net[T]) []byte {
	b = AppendFloats(b, a.power1, a.power2)
	b = n.AppendVector(b, a.first)
	return n.AppendVector(b, a.second)
}

// ReadState restores what AppendState wrote and returns the rest of b. Reset must
// have been called.
func (a *Adam[T]) ReadState(b []byte, n *Net[T]) ([]byte, error) {
	var powers [2]float64
	b, err := ReadFloats(b, powers[:])
	if err != nil {
		return nil, err
	}
	a.power1, a.power2 = powers[0], powers[1]
	if b, err = n.ReadVector(b, a.first); err != nil {
		return nil, err
	}
	return n.ReadVector(b, a.second)
}
