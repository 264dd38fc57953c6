package redisstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"overnight/results"
)

// The stored form of a record, version 1:
//
//	byte      bits 0 and 1 the status less one, then flags, see below
//	byte      the trial's offset in its bucket
//	result    behind its length: metrics and, of a record with curves, their sum
//	error     of a record with one: length and CRC-32C (4 bytes) of the text
//	curves    of a record with some: length of their stored form
//	worker    number of its name
//	generation
//	attempts  unless flagOnce
//	finished  where flagFinished: nanoseconds since the study was created, zigzag
//	elapsed   nanoseconds
//	point, replication   unless flagPlace
//	CRC-32C   4 bytes, little-endian: of incarnation, trial, all the above, the
//	          worker's name
//
// Numbers without a size are unsigned varints. Results of equal bytes and equal
// bits 0 to 2 are equal results, and no others are.
const (
	flagCurves   = 1 << 2
	flagError    = 1 << 3
	flagPlace    = 1 << 4 // point and replication are trial % base and trial / base
	flagOnce     = 1 << 5 // one attempt
	flagFinished = 1 << 6
	flagUnknown  = 1 << 7 // of a later version

	maskResult = 7 // the bits of the first byte that belong to the result
)

const canonicalNaN = 0x7ff8000000000000

// appendMetrics appends metrics up to the last that is not NaN, so that a study
// may add some: twice their number, and, where not all take 8 bytes, one more and
// four bits for each that say how many bytes it has; then these, from the high
// end. There is one form for each list.
func appendMetrics(b []byte, xs []float64) []byte {
	n := len(xs)
	for n > 0 && xs[n-1] != xs[n-1] {
		n--
	}
	full := true
	for _, x := range xs[:n] {
		full = full && byte(metricBits(x)) != 0
	}
	if full {
		b = binary.AppendUvarint(b, uint64(n)<<1)
		for _, x := range xs[:n] {
			b = binary.BigEndian.AppendUint64(b, metricBits(x))
		}
		return b
	}
	b = binary.AppendUvarint(b, uint64(n)<<1|1)
	at := len(b)
	for range (n + 1) / 2 {
		b = append(b, 0)
	}
	for i, x := range xs[:n] {
		size := byte(0)
		for bits := metricBits(x); bits != 0; bits <<= 8 {
			b = append(b, byte(bits>>56))
			size++
		}
		b[at+i/2] |= size << (i % 2 * 4)
	}
	return b
}

func metricBits(x float64) uint64 {
	if x != x {
		return canonicalNaN
	}
	return math.Float64bits(x)
}

// value is a stored record, read.
type value struct {
	results.Record
	worker    uint64 // number of the name
	result    string // metrics and the curves' sum
	head      byte
	errorLen  int
	errorSum  uint32
	curvesLen int
	curvesSum [curvesSumBytes]byte
}

func (v *value) hasError() bool  { return v.head&flagError != 0 }
func (v *value) hasCurves() bool { return v.head&flagCurves != 0 }

// appendRecord appends the stored form of a record. curves is the stored form of
// its curves and sum theirs.
func (h *head) appendRecord(b []byte, r *results.Record, generation uint32, worker uint64, curves []byte, sum [curvesSumBytes]byte) []byte {
	from := len(b)
	first := byte(r.Status-results.Done) | flagFinished
	if len(r.Curves) > 0 {
		first |= flagCurves
	}
	if r.Error != "" {
		first |= flagError
	}
	if h.base > 0 && r.Point == r.Trial%h.base && r.Replication == r.Trial/h.base {
		first |= flagPlace
	}
	if r.Attempts == 1 {
		first |= flagOnce
	}
	if r.Finished.IsZero() {
		first &^= flagFinished
	}
	b = append(b, first, byte(r.Trial%bucketTrials), 0)
	at := len(b)
	b = appendMetrics(b, r.Metrics)
	if first&flagCurves != 0 {
		b = append(b, sum[:]...)
	}
	b = insertLength(b, at)
	if first&flagError != 0 {
		b = binary.AppendUvarint(b, uint64(len(r.Error)))
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum([]byte(r.Error), castagnoli))
	}
	if first&flagCurves != 0 {
		b = binary.AppendUvarint(b, uint64(len(curves)))
	}
	b = binary.AppendUvarint(b, worker)
	b = binary.AppendUvarint(b, uint64(generation))
	if first&flagOnce == 0 {
		b = binary.AppendUvarint(b, uint64(r.Attempts))
	}
	if first&flagFinished != 0 {
		b = binary.AppendVarint(b, r.Finished.UnixNano()-h.created())
	}
	b = binary.AppendUvarint(b, uint64(r.Elapsed))
	if first&flagPlace == 0 {
		b = binary.AppendUvarint(b, r.Point)
		b = binary.AppendUvarint(b, r.Replication)
	}
	return binary.LittleEndian.AppendUint32(b, h.recordSum(r.Trial, b[from:], r.Worker))
}

// insertLength puts the length of b[at:] in front of it, where one byte is free.
func insertLength(b []byte, at int) []byte {
	n := len(b) - at
	if n < 0x80 {
		b[at-1] = byte(n)
		return b
	}
	var size [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(size[:], uint64(n))
	b = append(b, size[:k-1]...)
	copy(b[at+k-1:], b[at:at+n])
	copy(b[at-1:], size[:k])
	return b
}

// recordSum returns the CRC of a record's bytes.
func (h *head) recordSum(trial uint64, b []byte, worker string) uint32 {
	var t [8]byte
	binary.LittleEndian.PutUint64(t[:], trial)
	sum := crc32.Update(h.incSum(), castagnoli, t[:])
	sum = crc32.Update(sum, castagnoli, b)
	if worker != "" {
		sum = crc32.Update(sum, castagnoli, []byte(worker))
	}
	return sum
}

func (h *head) incSum() uint32 { return crc32.Checksum([]byte(h.inc), castagnoli) }

// readRecord reads the stored form of a record of a bucket. Metrics are cut from
// floats. Its worker's name is not looked up and its CRC not compared, see check.
func (h *head) readRecord(bucket uint64, data string, floats *[]float64) (value, error) {
	d := decoder{b: data}
	v := value{head: d.byte()}
	v.Trial = bucket*bucketTrials + uint64(d.byte())
	v.Status = results.Done + results.Status(v.head&3)
	result := decoder{b: d.bytes(d.uvarint())}
	v.result = result.b
	v.Metrics = result.metrics(len(h.plan.Metrics), v.Status == results.Done, floats)
	if v.hasCurves() {
		copy(v.curvesSum[:], result.bytes(curvesSumBytes))
	}
	result.end(&d)
	if v.hasError() {
		v.errorLen, v.errorSum = d.length(results.MaxError), d.uint32()
	}
	if v.hasCurves() {
		v.curvesLen = d.length(results.MaxRecord + 1)
	}
	v.worker = d.uvarint()
	v.Generation = d.small()
	v.Attempts = 1
	if v.head&flagOnce == 0 {
		v.Attempts = d.small()
	}
	if v.head&flagFinished != 0 {
		u := d.uvarint()
		v.Finished = time.Unix(0, h.created()+(int64(u>>1)^-int64(u&1))).UTC()
	}
	v.Elapsed = time.Duration(d.uvarint())
	if v.head&flagPlace == 0 {
		v.Point, v.Replication = d.uvarint(), d.uvarint()
	} else if h.base > 0 {
		v.Point, v.Replication = v.Trial%h.base, v.Trial/h.base
	} else {
		d.fail(errors.New("no place"))
	}
	if len(d.b) != 4 {
		d.fail(fmt.Errorf("%d bytes behind it", len(d.b)))
	}
	if v.head&flagUnknown != 0 || v.Elapsed < 0 || v.Trial/bucketTrials != bucket {
		d.fail(errors.New("impossible values"))
	}
	return v, d.err
}

// check compares the CRC of a record's stored form, worker's name in place.
func (h *head) check(v *value, data string) error {
	n := len(data) - 4
	if binary.LittleEndian.Uint32([]byte(data[n:])) != h.recordSum(v.Trial, []byte(data[:n]), v.Worker) {
		return errors.New("it and its CRC differ")
	}
	if v.Trial >= h.plan.Trials {
		return fmt.Errorf("the study has %d trials", h.plan.Trials)
	}
	return nil
}

// metrics reads what appendMetrics writes, and adds NaN up to n where the record
// is done.
func (d *decoder) metrics(n int, done bool, floats *[]float64) []float64 {
	stored := d.uvarint()
	sized := stored&1 != 0
	stored >>= 1
	if stored > 0 && (!done || stored > uint64(n)) {
		d.fail(fmt.Errorf("%d metrics", stored))
	}
	var sizes string
	if sized {
		sizes = d.bytes((stored + 1) / 2)
	}
	if d.err != nil || !done || n == 0 {
		return nil
	}
	if len(*floats) < n {
		*floats = make([]float64, max(64*n, n))
	}
	xs := (*floats)[:n:n]
	*floats = (*floats)[n:]
	for i := range xs {
		xs[i] = math.NaN()
		if i >= int(stored) {
			continue
		}
		size := uint64(8)
		if sized {
			size = uint64(sizes[i/2] >> (i % 2 * 4) & 15)
		}
		p := d.bytes(size)
		if len(p) > 8 {
			d.fail(errors.New("a number of more than 8 bytes"))
			return nil
		}
		var bits uint64
		for k := range len(p) {
			bits |= uint64(p[k]) << (56 - 8*k)
		}
		xs[i] = math.Float64frombits(bits)
	}
	return xs
}
