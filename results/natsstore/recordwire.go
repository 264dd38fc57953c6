package natsstore

import (
	"encoding/binary"
	"fmt"

	"overnight/results"
)

// A commit is the study, the generation, and each record (Record.AppendBinary)
// behind its length.
type commit struct {
	study      string
	generation uint32
	records    []results.Record
}

func appendCommitHead(b []byte, study string, generation uint32, records int) []byte {
	b = appendBytes(b, study)
	b = binary.AppendUvarint(b, uint64(generation))
	return binary.AppendUvarint(b, uint64(records))
}

// appendRecord appends a record behind its length. scratch is for reuse.
func appendRecord(b, scratch []byte, r *results.Record) (out, again []byte, err error) {
	scratch, err = r.AppendBinary(scratch[:0])
	if err != nil {
		return b, scratch, err
	}
	return appendBytes(b, scratch), scratch, nil
}

// recordSize is the least that a record takes behind its length.
const recordSize = 20

func decodeCommit(b []byte) (commit, error) {
	r := reader{b: b}
	c := commit{study: r.string(), generation: r.uint32()}
	n := r.count(recordSize)
	if n > maxRecords {
		return c, fmt.Errorf("%d records, more than %d", n, maxRecords)
	}
	c.records = r.records(n)
	return c, r.end()
}

// records reads n records, each behind its length.
func (r *reader) records(n int) []results.Record {
	if n == 0 {
		return nil
	}
	rs := make([]results.Record, 0, min(n, 1<<10))
	for range n {
		p := r.bytes()
		if r.err != nil {
			return nil
		}
		var rec results.Record
		if err := rec.UnmarshalBinary(p); err != nil {
			r.fail(err)
			return nil
		}
		rs = append(rs, rec)
	}
	return rs
}

// encodeVerdicts writes runs of equal verdicts: their number, and the verdict.
func encodeVerdicts(vs []results.Verdict) []byte {
	var b []byte
	for i := 0; i < len(vs); {
		k := i + 1
		for k < len(vs) && vs[k] == vs[i] {
			k++
		}
		b = append(binary.AppendUvarint(b, uint64(k-i)), byte(vs[i]))
		i = k
	}
	return b
}

// decodeVerdicts reads the verdicts of n records.
func decodeVerdicts(b []byte, n int) ([]results.Verdict, error) {
	r := reader{b: b}
	vs := make([]results.Verdict, 0, n)
	for len(r.b) > 0 && r.err == nil {
		run, v := r.uvarint(), results.Verdict(r.byte())
		switch {
		case run == 0 || run > uint64(n-len(vs)):
			r.fail(fmt.Errorf("verdicts of more than the %d records", n))
		case v < results.Committed || v > results.Stale:
			r.fail(fmt.Errorf("verdict %d", v))
		default:
			for range run {
				vs = append(vs, v)
			}
		}
	}
	if r.err == nil && len(vs) < n {
		r.fail(fmt.Errorf("%d verdicts of %d records", len(vs), n))
	}
	return vs, r.end()
}

func encodeTally(t results.Tally) []byte {
	var b []byte
	for _, n := range []uint64{t.Done, t.Failed, t.Dead, t.Overrun, t.Duplicates, t.Differs, t.Stale} {
		b = binary.AppendUvarint(b, n)
	}
	return appendVarint(appendVarint(b, int64(t.Used)), int64(t.Wasted))
}

func decodeTally(b []byte) (t results.Tally, err error) {
	r := reader{b: b}
	for _, n := range []*uint64{&t.Done, &t.Failed, &t.Dead, &t.Overrun, &t.Duplicates, &t.Differs, &t.Stale} {
		*n = r.uvarint()
	}
	t.Used, t.Wasted = r.duration(), r.duration()
	return t, r.end()
}

// discard is a request to Discard.
type discard struct {
	study  string
	trials []uint64
}

func (d *discard) encode() []byte {
	b := appendBytes(nil, d.study)
	b = binary.AppendUvarint(b, uint64(len(d.trials)))
	for _, i := range d.trials {
		b = binary.AppendUvarint(b, i)
	}
	return b
}

func decodeDiscard(b []byte) (discard, error) {
	r := reader{b: b}
	d := discard{study: r.string()}
	n := r.count(1)
	if n > 0 {
		d.trials = make([]uint64, n)
	}
	for i := range d.trials {
		d.trials[i] = r.uvarint()
	}
	return d, r.end()
}

// checkpoint names a trial's state, or is one to be saved.
type checkpoint struct {
	study      string
	generation uint32
	trial      uint64
	state      []byte
}

func (c *checkpoint) encode() []byte {
	b := appendBytes(make([]byte, 0, len(c.study)+len(c.state)+32), c.study)
	b = binary.AppendUvarint(b, uint64(c.generation))
	b = binary.AppendUvarint(b, c.trial)
	return appendBytes(b, c.state)
}

func decodeCheckpoint(b []byte) (checkpoint, error) {
	r := reader{b: b}
	c := checkpoint{study: r.string(), generation: r.uint32(), trial: r.uvarint(), state: r.bytes()}
	return c, r.end()
}

// encodeTold is what the server publishes to followers: records behind their
// number.
func encodeTold(list []byte, n int) []byte {
	return append(binary.AppendUvarint(make([]byte, 0, len(list)+4), uint64(n)), list...)
}

func decodeTold(b []byte) ([]results.Record, error) {
	r := reader{b: b}
	rs := r.records(r.count(recordSize))
	return rs, r.end()
}
