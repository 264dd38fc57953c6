package results

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits of the encodings and of what stores accept.
const (
	MaxRecord = 1 << 20  // bytes of an encoded Record
	MaxError  = 16 << 10 // bytes of Record.Error
	MaxName   = 256      // bytes of Plan.Study, Record.Worker and Curve.Name
	MaxTrials = 1 << 62  // of a plan: trials are signed integers in some stores

	MaxPriority = 100 // of a plan
)

// wireVersion is the first byte of an encoded Record.
const wireVersion = 1

// noTime stands for the zero time.Time.
const noTime = math.MinInt64

func firstTime() time.Time { return time.Unix(0, noTime+1) }
func lastTime() time.Time  { return time.Unix(0, math.MaxInt64) }

// AppendBinary appends the wire form of r to b: all its fields, the schedule's
// included, in a form of which there is exactly one for each record.
//
// Version 1 is a byte 1, then trial, point and replication; a byte for the
// status; the metrics; the curves (see AppendCurves); error, attempts,
// generation, worker; finished in nanoseconds since 1970, eight bytes, the least
// integer standing for the zero time; elapsed in nanoseconds. Integers are
// unsigned varints and minimal; floats are eight bytes, little-endian, with one
// bit pattern for NaN; strings and lists stand behind their length.
func (r *Record) AppendBinary(b []byte) ([]byte, error) {
	if err := r.valid(); err != nil {
		return b, fmt.Errorf("encode the record of trial %d: %w", r.Trial, err)
	}
	b = append(b, wireVersion)
	b = binary.AppendUvarint(b, r.Trial)
	b = binary.AppendUvarint(b, r.Point)
	b = binary.AppendUvarint(b, r.Replication)
	b = append(b, byte(r.Status))
	b = binary.AppendUvarint(b, uint64(len(r.Metrics)))
	b = appendFloats(b, r.Metrics)
	b = AppendCurves(b, r.Curves)
	b = appendString(b, r.Error)
	b = binary.AppendUvarint(b, uint64(r.Attempts))
	b = binary.AppendUvarint(b, uint64(r.Generation))
	b = appendString(b, r.Worker)
	finished := int64(noTime)
	if !r.Finished.IsZero() {
		finished = r.Finished.UnixNano()
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(finished))
	b = binary.AppendUvarint(b, uint64(r.Elapsed))
	return b, nil
}

// UnmarshalBinary reads what AppendBinary writes and refuses everything else:
// other versions, trailing bytes, more than MaxRecord bytes, unordered curves
// and every second way of writing a value. r holds nothing of data afterwards.
func (r *Record) UnmarshalBinary(data []byte) error {
	if len(data) > MaxRecord {
		return fmt.Errorf("decode a record: %d bytes, more than %d", len(data), MaxRecord)
	}
	d := decoder{b: data}
	if v := d.byte(); d.err == nil && v != wireVersion {
		return fmt.Errorf("decode a record: version %d, where this program reads version %d; use the program that wrote it", v, wireVersion)
	}
	var got Record
	got.Trial, got.Point, got.Replication = d.uvarint(), d.uvarint(), d.uvarint()
	got.Status = Status(d.byte())
	got.Metrics = d.floats(d.count(8))
	got.Curves = d.curves()
	got.Error = d.string(MaxError)
	got.Attempts, got.Generation = d.uint32(), d.uint32()
	got.Worker = d.string(MaxName)
	if n := int64(d.uint64()); n != noTime {
		got.Finished = time.Unix(0, n).UTC()
	}
	elapsed := d.uvarint()
	if elapsed > math.MaxInt64 {
		d.fail(errors.New("elapsed is out of range"))
	}
	got.Elapsed = time.Duration(elapsed)
	if d.err == nil && len(d.b) != 0 {
		d.fail(fmt.Errorf("%d bytes too many", len(d.b)))
	}
	if d.err == nil {
		d.fail(got.valid())
	}
	if d.err != nil {
		return fmt.Errorf("decode a record: %w", d.err)
	}
	*r = got
	return nil
}

// canonicalNaN is the one bit pattern of NaN in encodings.
const canonicalNaN = 0x7ff8000000000000

// floatBits returns the bits of x, with one pattern for every NaN.
func floatBits(x float64) uint64 {
	if x != x {
		return canonicalNaN
	}
	return math.Float64bits(x)
}

func appendFloats(b []byte, xs []float64) []byte {
	for _, x := range xs {
		b = binary.LittleEndian.AppendUint64(b, floatBits(x))
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
