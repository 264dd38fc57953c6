package natsstore

import (
	"encoding/binary"
	"fmt"

	"overnight/results"
)

// What a stream yields.
const (
	scanStream  = 1
	skimStream  = 2
	checkStream = 3
)

// pageRequest asks for page number page of a stream that its client has named.
// Page 0 begins it, so that the request for it says what to read; the others
// repeat that.
type pageRequest struct {
	stream   id
	page     uint64
	form     byte
	study    string
	from, to uint64
}

func (q *pageRequest) encode() []byte {
	b := append([]byte(nil), q.stream[:]...)
	b = binary.AppendUvarint(b, q.page)
	b = append(b, q.form)
	b = appendBytes(b, q.study)
	b = binary.AppendUvarint(b, q.from)
	return binary.AppendUvarint(b, q.to)
}

func decodePageRequest(b []byte) (q pageRequest, err error) {
	r := reader{b: b}
	copy(q.stream[:], r.take(idSize))
	q.page = r.uvarint()
	q.form = r.byte()
	q.study = r.string()
	q.from, q.to = r.uvarint(), r.uvarint()
	if r.err == nil && (q.form < scanStream || q.form > checkStream) {
		r.fail(fmt.Errorf("stream of form %d", q.form))
	}
	return q, r.end()
}

// The forms of an entry. A page is a byte that is 1 where it is the last, then entries
// to its end.
const (
	recordEntry = 1 // a record behind its length
	errorEntry  = 2 // a trial, and an error behind its length: kind and text
	damageEntry = 3
)

func appendErrorEntry(b []byte, trial uint64, err error) []byte {
	text := err.Error()
	text = text[:min(len(text), maxText)]
	b = binary.AppendUvarint(append(b, errorEntry), trial)
	return appendBytes(append(b, byte(kindOf(err))), text)
}

func appendDamageEntry(b []byte, d *results.Damage) []byte {
	b = appendBytes(append(b, damageEntry), d.Study)
	b = appendBool(binary.AppendUvarint(b, d.Trial), d.Record)
	return appendBytes(b, d.What)
}

// entry is what a stream yields at a time: a record or damage, or an error of
// which Trial may be known.
type entry struct {
	record results.Record
	damage results.Damage
	err    error
}

func (r *reader) entry() (e entry) {
	switch form := r.byte(); form {
	case recordEntry:
		if p := r.bytes(); r.err == nil {
			r.fail(e.record.UnmarshalBinary(p))
		}
	case errorEntry:
		e.record.Trial = r.uvarint()
		re := &remoteError{kind: kind(r.byte())}
		re.text = r.string()
		e.err = re
	case damageEntry:
		e.damage = results.Damage{Study: r.string(), Trial: r.uvarint(), Record: r.bool(), What: r.string()}
	default:
		r.fail(fmt.Errorf("an entry of form %d", form))
	}
	return e
}

// page is a decoded page. Its entries are decoded as they are read.
type page struct {
	last bool
	rest reader
}

func decodePage(b []byte) (page, error) {
	r := reader{b: b}
	last := r.bool()
	return page{last: last, rest: r}, r.err
}
