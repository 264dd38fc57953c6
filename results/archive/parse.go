package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"overnight/results"
)

// castagnoli is the table of CRC-32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// visitor is called with the parts of an archive as they are read and found
// intact. Only end says that the archive is whole.
type visitor struct {
	plan    func(p results.Plan) error // without State and Digest
	data    func(sum string, data []byte) error
	records func(rs []results.Record) error // valid for the plan, in trial order
	end     func(e ending) error
}

// parse reads an archive to its end.
func parse(r io.Reader, v visitor) error {
	br := bufio.NewReader(r)
	z, err := gzip.NewReader(br)
	if err != nil {
		return damaged("it is no gzip file: %w", err)
	}
	z.Multistream(false)
	p := parser{r: bufio.NewReader(z), h: sha256.New(), v: v}
	if err := p.run(); err != nil {
		return err
	}
	if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged("there is something behind its end")
	}
	return nil
}

// parser reads frames and hashes all it reads.
type parser struct {
	r *bufio.Reader
	h hash.Hash
	v visitor

	p       results.Plan
	got     ending // what was read so far
	next    uint64 // the least trial that may follow
	payload bytes.Buffer
}

// short replaces the ends of streams by what they mean here.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it ends early")
	}
	return damaged("%w", err)
}

func (p *parser) read(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return nil, short(err)
	}
	p.h.Write(b)
	return b, nil
}

func (p *parser) run() error {
	start, err := p.read(len(magic) + 1)
	if err != nil {
		return err
	}
	if string(start[:len(magic)]) != magic {
		return damaged("it doesn't begin as an archive does")
	}
	if v := start[len(magic)]; v != version {
		return fmt.Errorf("the archive has version %d, and this overnight reads version %d: use the newer overnight that wrote it", v, version)
	}
	if err := p.head(); err != nil {
		return err
	}
	kind := byte(kindData)
	for kind != kindEnd {
		before := kind
		var b []byte
		if kind, b, err = p.frame(); err != nil {
			return err
		}
		if kind < before {
			return damaged("a frame of kind %d behind one of kind %d", kind, before)
		}
		if err := p.part(kind, b); err != nil {
			return err
		}
	}
	return nil
}

// head reads the plan's frames.
func (p *parser) head() error {
	var parts [3][]byte
	for i, want := range []byte{kindPlan, kindBody, kindSource} {
		kind, b, err := p.frame()
		if err != nil {
			return err
		}
		if kind != want {
			return damaged("a frame of kind %d where one of kind %d is due", kind, want)
		}
		parts[i] = bytes.Clone(b)
	}
	var h planHead
	if err := strictJSON(parts[0], &h); err != nil {
		return damaged("plan: %w", err)
	}
	p.p = results.Plan{
		Study: h.Study, Identity: h.Identity, Engine: h.Engine, Points: h.Points, Trials: h.Trials, Wanted: h.Wanted, Metrics: h.Metrics,
		Objective: h.Objective, Generation: h.Generation, Created: h.Created, Body: parts[1], Source: parts[2],
	}
	return p.v.plan(p.p)
}

// part passes on a frame behind the head.
func (p *parser) part(kind byte, b []byte) error {
	switch kind {
	case kindData:
		if len(b) < sha256.Size {
			return damaged("a data file without its SHA-256")
		}
		p.got.Data++
		sum, data := b[:sha256.Size], b[sha256.Size:]
		if got := sha256.Sum256(data); !bytes.Equal(got[:], sum) {
			return damaged("data %.6x: their SHA-256 is %x", sum, got)
		}
		return p.v.data(hex.EncodeToString(sum), data)
	case kindRecords:
		rs, err := p.records(b)
		if err != nil {
			return err
		}
		p.got.Records += uint64(len(rs))
		return p.v.records(rs)
	default:
		return p.end(b)
	}
}

func (p *parser) records(b []byte) ([]results.Record, error) {
	var rs []results.Record
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return nil, damaged("a record that ends early")
		}
		var r results.Record
		if err := r.UnmarshalBinary(b[k : k+int(n)]); err != nil {
			return nil, damaged("%w", err)
		}
		if err := r.Valid(&p.p); err != nil {
			return nil, damaged("%w", err)
		}
		if r.Trial < p.next {
			return nil, damaged("trial %d, where %d or later is due", r.Trial, p.next)
		}
		p.next = r.Trial + 1
		rs = append(rs, r)
		b = b[k+int(n):]
	}
	return rs, nil
}

// end reads the last frame, the sum and the end of the stream.
func (p *parser) end(b []byte) error {
	var e ending
	if err := strictJSON(b, &e); err != nil {
		return damaged("end: %w", err)
	}
	if e.Records != p.got.Records || e.Data != p.got.Data {
		return damaged("%d records and %d data files, where %d and %d were written", p.got.Records, p.got.Data, e.Records, e.Data)
	}
	want := p.h.Sum(nil)
	sum, err := p.read(sha256.Size)
	if err != nil {
		return err
	}
	if !bytes.Equal(sum, want) {
		return damaged("its SHA-256 is another")
	}
	if _, err := p.r.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return short(err)
		}
		return damaged("there is something behind its end")
	}
	return p.v.end(e)
}

// frame reads a frame and checks its CRC. The payload lasts until the next. It
// takes no more memory than there are bytes, however long the frame says it is.
func (p *parser) frame() (kind byte, payload []byte, err error) {
	b, err := p.read(1)
	if err != nil {
		return 0, nil, err
	}
	kind = b[0]
	n, head, err := p.length(b)
	if err != nil {
		return 0, nil, err
	}
	most := map[byte]uint64{kindPlan: maxHead, kindBody: maxBody, kindSource: maxBody, kindData: maxData + sha256.Size, kindRecords: maxRecords, kindEnd: maxHead}
	limit, known := most[kind]
	if !known {
		return 0, nil, damaged("a frame of unknown kind %d", kind)
	}
	if n > limit {
		return 0, nil, damaged("a frame of kind %d with %d bytes, more than %d", kind, n, limit)
	}
	p.payload.Reset()
	if _, err := io.CopyN(&p.payload, p.r, int64(n)); err != nil {
		return 0, nil, short(err)
	}
	payload = p.payload.Bytes()
	p.h.Write(payload)
	crc, err := p.read(4)
	if err != nil {
		return 0, nil, err
	}
	if binary.LittleEndian.Uint32(crc) != crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, payload) {
		return 0, nil, damaged("a frame of kind %d and its CRC differ", kind)
	}
	return kind, payload, nil
}

// length reads the varint behind a frame's kind and returns both, as they stand.
func (p *parser) length(head []byte) (uint64, []byte, error) {
	for len(head) <= binary.MaxVarintLen64 {
		b, err := p.read(1)
		if err != nil {
			return 0, nil, err
		}
		head = append(head, b[0])
		if b[0] < 0x80 {
			break
		}
	}
	n, k := binary.Uvarint(head[1:])
	if k != len(head)-1 || k > 1 && head[k] == 0 {
		return 0, nil, damaged("a length that is none")
	}
	return n, head, nil
}

// strictJSON decodes one value and nothing behind it.
func strictJSON(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something behind it")
	}
	return nil
}
