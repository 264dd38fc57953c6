// Package archive keeps a study as one file: plan, source, data and records.
// Start with Write and Read.
//
// A file begins with a magic line and is a gzip stream behind it. The stream
// holds frames: a kind, a length (uvarint), so many bytes, and a CRC-32C of kind
// and bytes; the last one holds a SHA-256 over everything before it. A file that
// is cut short or altered is refused, and what was read of it is removed.
package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"time"

	"overnight/results"
)

// magic is the first line of a file; the number is the format's version.
const magic = "overnight archive 1\n"

// The kinds of frames, in the order they come in.
const (
	kindPlan    = 'p' // head, as JSON
	kindBody    = 'b' // jobs.Study, as stored
	kindSource  = 's' // the study file
	kindBlob    = 'd' // 64 hexadecimal digits and a data file
	kindRecords = 'r' // records: for each, its length and its bytes
	kindEnd     = 'e' // SHA-256 of all frames before
)

// Bounds of what Read takes from a file.
const (
	maxHead    = 64 << 10
	maxBody    = 8 << 20
	maxBlob    = 256<<20 + 64
	maxRecords = 4 << 20
	batchBytes = 1 << 20
)

// head is a plan without Body and Source.
type head struct {
	Study      string        `json:"study"`
	Identity   string        `json:"identity"`
	Engine     int           `json:"engine"`
	Points     uint64        `json:"points"`
	Trials     uint64        `json:"trials"`
	Metrics    []string      `json:"metrics"`
	Objective  int           `json:"objective"`
	Generation uint32        `json:"generation"`
	State      results.State `json:"state"`
	Digest     string        `json:"digest"`
	Created    time.Time     `json:"created"`
}

// Store is what an archive is written from and read into.
type Store interface {
	results.Plans
	results.Blobs
	results.Records
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Write writes a study. A damaged record ends it with results.ErrDamaged:
// discard it first (overnight fsck --repair).
func Write(ctx context.Context, w io.Writer, s Store, study string) error {
	p, err := s.Plan(ctx, study)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, magic); err != nil {
		return err
	}
	z := gzip.NewWriter(w)
	f := &writer{w: bufio.NewWriterSize(z, 64<<10), sum: sha256.New()}
	h, err := json.Marshal(head{
		p.Study, p.Identity, p.Engine, p.Points, p.Trials, p.Metrics, p.Objective, p.Generation, p.State, p.Digest, p.Created,
	})
	if err != nil {
		return err
	}
	f.frame(kindPlan, h)
	f.frame(kindBody, p.Body)
	f.frame(kindSource, p.Source)
	for _, sum := range results.DataRefs(p.Body) {
		data, err := s.Blob(ctx, sum)
		if errors.Is(err, results.ErrNotFound) {
			continue // digits that only look like one
		}
		if err != nil {
			return fmt.Errorf("data %s: %w", sum, err)
		}
		f.frame(kindBlob, append([]byte(sum), data...))
	}
	var batch []byte
	for r, err := range s.Scan(ctx, study, 0, p.Trials) {
		if err != nil {
			return fmt.Errorf("trial %d: %w", r.Trial, err)
		}
		b, err := r.AppendBinary(nil)
		if err != nil {
			return fmt.Errorf("trial %d: %w", r.Trial, err)
		}
		batch = append(binary.AppendUvarint(batch, uint64(len(b))), b...)
		if len(batch) >= batchBytes {
			f.frame(kindRecords, batch)
			batch = batch[:0]
		}
		if f.err != nil {
			return f.err
		}
	}
	if len(batch) > 0 {
		f.frame(kindRecords, batch)
	}
	f.frame(kindEnd, f.sum.Sum(nil))
	return errors.Join(f.err, f.w.Flush(), z.Close())
}

// writer writes frames and keeps the first error.
type writer struct {
	w   *bufio.Writer
	sum hash.Hash
	err error
}

func (f *writer) frame(kind byte, body []byte) {
	if f.err != nil {
		return
	}
	b := binary.AppendUvarint([]byte{kind}, uint64(len(body)))
	crc := crc32.Update(crc32.Checksum([]byte{kind}, castagnoli), castagnoli, body)
	for _, part := range [][]byte{b, body, binary.LittleEndian.AppendUint32(nil, crc)} {
		f.sum.Write(part)
		if _, err := f.w.Write(part); err != nil {
			f.err = err
			return
		}
	}
}

// ErrFormat says that a file is no archive of a version that this build reads,
// or was cut short or altered.
var ErrFormat = errors.New("not a whole archive")

// reader reads frames.
type reader struct {
	r   *bufio.Reader
	sum hash.Hash
}

func newReader(r io.Reader) (*reader, error) {
	line := make([]byte, len(magic))
	if _, err := io.ReadFull(r, line); err != nil || !bytes.HasPrefix(line, []byte("overnight archive ")) {
		return nil, fmt.Errorf("%w: it does not begin like one", ErrFormat)
	}
	if string(line) != magic {
		return nil, fmt.Errorf("%w: it is of version %q, this build reads 1", ErrFormat, bytes.TrimSpace(line[18:]))
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return &reader{r: bufio.NewReaderSize(z, 64<<10), sum: sha256.New()}, nil
}

// frame reads a frame of at most limit(kind) bytes.
func (f *reader) frame() (kind byte, body []byte, err error) {
	before := f.sum.Sum(nil)
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrFormat, what) }
	if kind, err = f.r.ReadByte(); err != nil {
		return 0, nil, bad("it is cut short")
	}
	n, err := binary.ReadUvarint(f.r)
	if err != nil {
		return 0, nil, bad("it is cut short")
	}
	limit := map[byte]uint64{
		kindPlan: maxHead, kindBody: maxBody, kindSource: maxBody, kindBlob: maxBlob, kindRecords: maxRecords, kindEnd: sha256.Size,
	}[kind]
	if n > limit {
		return 0, nil, bad(fmt.Sprintf("a part of kind %q and %d bytes", kind, n))
	}
	// Read as it comes, so that a length alone takes no memory.
	var buf bytes.Buffer
	if m, err := io.CopyN(&buf, f.r, int64(n)); err != nil || uint64(m) != n {
		return 0, nil, bad("it is cut short")
	}
	body = buf.Bytes()
	var crc [4]byte
	if _, err := io.ReadFull(f.r, crc[:]); err != nil {
		return 0, nil, bad("it is cut short")
	}
	if crc32.Update(crc32.Checksum([]byte{kind}, castagnoli), castagnoli, body) != binary.LittleEndian.Uint32(crc[:]) {
		return 0, nil, bad("a checksum does not match")
	}
	f.sum.Write(binary.AppendUvarint([]byte{kind}, n))
	f.sum.Write(body)
	f.sum.Write(crc[:])
	if kind == kindEnd {
		if !bytes.Equal(body, before) {
			return 0, nil, bad("its checksum does not match")
		}
		if _, err := f.r.ReadByte(); err != io.EOF {
			return 0, nil, bad("something stands behind its end")
		}
	}
	return kind, body, nil
}
