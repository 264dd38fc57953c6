package natsstore

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"overnight/results"
)

func (r *reader) duration() time.Duration { return time.Duration(r.varint()) }

// board is a request for the leaders of a study.
type board struct {
	study string
	n     int
	least bool
}

func (q *board) encode() []byte {
	return appendBool(appendVarint(appendBytes(nil, q.study), int64(q.n)), q.least)
}

func decodeBoard(b []byte) (board, error) {
	r := reader{b: b}
	q := board{study: r.string(), n: r.int(), least: r.bool()}
	return q, r.end()
}

func encodeLeaders(ls []results.Leader) []byte {
	b := binary.AppendUvarint(nil, uint64(len(ls)))
	for _, l := range ls {
		b = binary.AppendUvarint(b, l.Point)
		b = binary.AppendUvarint(b, l.N)
		b = appendFloat(b, l.Mean)
	}
	return b
}

func decodeLeaders(b []byte) ([]results.Leader, error) {
	r := reader{b: b}
	var ls []results.Leader
	for range r.count(10) {
		ls = append(ls, results.Leader{Point: r.uvarint(), N: r.uvarint(), Mean: r.float()})
	}
	return ls, r.end()
}

// The types of a value in a description.
const (
	nilValue = iota
	falseValue
	trueValue
	intValue
	int64Value
	uint64Value
	floatValue
	stringValue
)

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, nilValue), nil
	case bool:
		if v {
			return append(b, trueValue), nil
		}
		return append(b, falseValue), nil
	case int:
		return appendVarint(append(b, intValue), int64(v)), nil
	case int64:
		return appendVarint(append(b, int64Value), v), nil
	case uint64:
		return binary.AppendUvarint(append(b, uint64Value), v), nil
	case float64:
		return appendFloat(append(b, floatValue), v), nil
	case string:
		return appendBytes(append(b, stringValue), v), nil
	}
	return b, fmt.Errorf("a value of type %T, which can't stand in a description", v)
}

func (r *reader) value() any {
	switch t := r.byte(); t {
	case nilValue:
		return nil
	case falseValue, trueValue:
		return t == trueValue
	case intValue:
		return r.int()
	case int64Value:
		return r.varint()
	case uint64Value:
		return r.uvarint()
	case floatValue:
		return r.float()
	case stringValue:
		return r.string()
	default:
		r.fail(fmt.Errorf("a value of type %d", t))
		return nil
	}
}

// encodePoints is a request to Describe: study, columns, then points, each its
// number and its values, to the end.
func encodePoints(study string, columns []string, points iter.Seq2[uint64, []any]) ([]byte, error) {
	b := appendStrings(appendBytes(nil, study), columns)
	for point, values := range points {
		if len(values) != len(columns) {
			return nil, fmt.Errorf("point %d has %d values for %d columns", point, len(values), len(columns))
		}
		b = binary.AppendUvarint(b, point)
		for _, v := range values {
			var err error
			if b, err = appendValue(b, v); err != nil {
				return nil, fmt.Errorf("point %d: %w", point, err)
			}
		}
		if len(b) > maxPoints {
			return nil, fmt.Errorf("a description of more than %d bytes is too long to be sent; describe the study where its store is", maxPoints)
		}
	}
	return b, nil
}

// description is a decoded request to Describe.
type description struct {
	study   string
	columns []string
	rest    []byte // the points
}

// decodePoints reads the head and checks the points.
func decodePoints(b []byte) (description, error) {
	r := reader{b: b}
	d := description{study: r.string(), columns: r.strings()}
	d.rest = r.b
	for r.err == nil && len(r.b) > 0 {
		r.uvarint()
		for range d.columns {
			r.value()
		}
	}
	return d, r.end()
}

func (d *description) points() iter.Seq2[uint64, []any] {
	return func(yield func(uint64, []any) bool) {
		for r := (reader{b: d.rest}); len(r.b) > 0 && r.err == nil; {
			point := r.uvarint()
			values := make([]any, len(d.columns))
			for i := range values {
				values[i] = r.value()
			}
			if r.err != nil || !yield(point, values) {
				return
			}
		}
	}
}
