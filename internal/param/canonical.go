package param

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// AppendCanonical appends the one byte string of a value: equal values give
// equal bytes, different ones different bytes. Numbers are equal by value
// whatever their Go type (2 and 2.0, 0 and -0), mappings whatever their order,
// so that neither the order of a file nor that of a schema enters a hash. It
// panics on what is no Value.
//
// The encoding is prefix-free. A letter says what follows: z null, t true,
// f false, n a number (8 bytes, its float64, big-endian), i an integer that
// float64 can't hold (8 bytes), s a text, l a list, m a mapping, the last three
// with a length as an unsigned varint. Entries of a mapping stand in the order
// of their keys.
func AppendCanonical(b []byte, v Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, 'z')
	case bool:
		if v {
			return append(b, 't')
		}
		return append(b, 'f')
	case int64:
		if x := float64(v); x < 1<<63 && int64(x) == v {
			return appendNumber(b, x)
		}
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
	case float64:
		return appendNumber(b, v)
	case string:
		return appendText(append(b, 's'), v)
	case []Value:
		b = binary.AppendUvarint(append(b, 'l'), uint64(len(v)))
		for _, e := range v {
			b = AppendCanonical(b, e)
		}
		return b
	case *Map:
		return appendMap(b, v)
	}
	panic(fmt.Sprintf("param.AppendCanonical: %T is no parameter value", v))
}

func appendNumber(b []byte, x float64) []byte {
	if math.IsNaN(x) {
		x = math.NaN() // one NaN
	}
	return binary.BigEndian.AppendUint64(append(b, 'n'), math.Float64bits(x+0))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendMap(b []byte, m *Map) []byte {
	if m == nil {
		return append(b, 'm', 0)
	}
	b = binary.AppendUvarint(append(b, 'm'), uint64(len(m.Entries)))
	var few [32]int // enough for most schemas without an allocation
	order := few[:0]
	for i := range m.Entries {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return strings.Compare(m.Entries[i].Key, m.Entries[j].Key)
	})
	for _, i := range order {
		b = AppendCanonical(appendText(b, m.Entries[i].Key), m.Entries[i].Value)
	}
	return b
}
