package natsstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// A request is, in this order:
//
//	magic  4 bytes: "OVQ" and the version, 1
//	id     16 bytes that no other request has; a repeated one has the same
//	form   1 byte: 0, and the body follows; or 1, and
//	  upload  16 bytes: the upload in which the body lies
//	  size    uvarint: bytes of the body
//	  sum     32 bytes: its SHA-256
//
// An answer is:
//
//	magic  4 bytes: "OVA" and the version, 1
//	kind   1 byte, see kind
//	rest   the body of an ok; size (uvarint) and SHA-256 of a long one, which is
//	       fetched by them; the text of an error
const (
	requestMagic = "OVQ\x01"
	answerMagic  = "OVA\x01"
	idSize       = 16

	inlineForm = 0
	uploadForm = 1

	// frameRoom is what a message takes beside the body or the chunk.
	frameRoom = 128
	minRoom   = 256
)

type (
	id     [idSize]byte
	digest [sha256.Size]byte
)

// request is a decoded request; body is nil where it lies in an upload.
type request struct {
	id     id
	body   []byte
	upload *ref
}

// ref names a body that was or will be sent in chunks.
type ref struct {
	upload id // of a request
	size   uint64
	sum    digest
}

func (q *request) encode() []byte {
	b := make([]byte, 0, len(requestMagic)+idSize+1+len(q.body)+64)
	b = append(append(b, requestMagic...), q.id[:]...)
	if q.upload == nil {
		return append(append(b, inlineForm), q.body...)
	}
	b = append(append(b, uploadForm), q.upload.upload[:]...)
	b = binary.AppendUvarint(b, q.upload.size)
	return append(b, q.upload.sum[:]...)
}

func decodeRequest(b []byte) (request, error) {
	r := reader{b: b}
	if err := r.magic(requestMagic); err != nil {
		return request{}, fmt.Errorf("request of %d bytes: %w", len(b), err)
	}
	var q request
	copy(q.id[:], r.take(idSize))
	switch form := r.byte(); {
	case r.err != nil:
	case form == inlineForm:
		q.body, r.b = r.b, nil
	case form == uploadForm:
		q.upload = &ref{}
		copy(q.upload.upload[:], r.take(idSize))
		q.upload.size = r.uvarint()
		copy(q.upload.sum[:], r.take(sha256.Size))
	default:
		r.fail(fmt.Errorf("form %d", form))
	}
	if err := r.end(); err != nil {
		return request{}, fmt.Errorf("request of %d bytes: %w", len(b), err)
	}
	return q, nil
}

// magic reads the first four bytes.
func (r *reader) magic(want string) error {
	n := len(want) - 1
	got := r.take(uint64(len(want)))
	switch {
	case r.err != nil || string(got[:n]) != want[:n]:
		r.err = errors.New("it is not of this protocol")
	case got[n] != want[n]:
		r.err = fmt.Errorf("it is of version %d, where this program speaks version %d; use the same overnight on both machines", got[n], want[n])
	}
	return r.err
}

// kind is what an answer is.
type kind byte

const (
	kindOK          kind = iota
	kindLong             // an ok whose body is fetched in chunks
	kindFailed           // an error of the served store
	kindNotFound         // results.ErrNotFound
	kindExists           // results.ErrExists
	kindDamaged          // results.ErrDamaged
	kindUnsupported      // errors.ErrUnsupported
	kindRefused          // malformed, oversized or unknown
	kindConflict         // another Update came between
	kindLost             // ErrLost
	kindExpired          // an upload or a long answer is not there any more: the call begins again
	kindBusy             // too much is under way: the same request again, later
	kindClosing          // the server ends: the same request again, later
	kinds
)

type answer struct {
	kind kind
	body []byte // of kindOK
	long ref    // of kindLong
	text string // of an error
}

func (a *answer) encode() []byte {
	b := make([]byte, 0, len(answerMagic)+1+len(a.body)+len(a.text)+48)
	b = append(append(b, answerMagic...), byte(a.kind))
	switch a.kind {
	case kindOK:
		return append(b, a.body...)
	case kindLong:
		return append(binary.AppendUvarint(b, a.long.size), a.long.sum[:]...)
	}
	return append(b, a.text[:min(len(a.text), maxText)]...)
}

func decodeAnswer(b []byte) (answer, error) {
	r := reader{b: b}
	err := r.magic(answerMagic)
	a := answer{kind: kind(r.byte())}
	switch {
	case err != nil:
	case a.kind >= kinds:
		r.fail(fmt.Errorf("kind %d", a.kind))
	case a.kind == kindOK:
		a.body, r.b = r.b, nil
	case a.kind == kindLong:
		a.long.size = r.uvarint()
		copy(a.long.sum[:], r.take(sha256.Size))
	case len(r.b) > maxText:
		r.fail(fmt.Errorf("an error text of %d bytes", len(r.b)))
	default:
		a.text, r.b = string(r.b), nil
	}
	if err := r.end(); err != nil {
		return answer{}, fmt.Errorf("answer of %d bytes: %w", len(b), err)
	}
	return a, nil
}
