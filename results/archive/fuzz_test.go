package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"iter"
	"maps"
	"slices"
	"testing"

	"overnight/results"
	"overnight/results/archive"
	"overnight/results/storetest"
)

// memory is as much of a store as an import needs.
type memory struct {
	results.Store
	plans   map[string]results.Plan
	records map[string]map[uint64]results.Record
	blobs   map[string][]byte
}

func newMemory() *memory {
	return &memory{plans: make(map[string]results.Plan), records: make(map[string]map[uint64]results.Record), blobs: make(map[string][]byte)}
}

func (m *memory) Create(_ context.Context, p results.Plan) error {
	if err := p.Valid(); err != nil {
		return err
	}
	m.plans[p.Study], m.records[p.Study] = p, make(map[uint64]results.Record)
	return nil
}

func (m *memory) Plan(_ context.Context, study string) (results.Plan, error) {
	p, ok := m.plans[study]
	if !ok {
		return p, results.ErrNotFound
	}
	return p, nil
}

func (m *memory) Update(_ context.Context, study string, change func(*results.Plan) error) (results.Plan, error) {
	p := m.plans[study]
	err := change(&p)
	m.plans[study] = p
	return p, err
}

func (m *memory) Delete(_ context.Context, study string) error {
	delete(m.plans, study)
	delete(m.records, study)
	return nil
}

func (m *memory) PutBlob(_ context.Context, sum string, data []byte) error {
	m.blobs[sum] = bytes.Clone(data)
	return nil
}

func (m *memory) Blob(_ context.Context, sum string) ([]byte, error) {
	data, ok := m.blobs[sum]
	if !ok {
		return nil, results.ErrNotFound
	}
	return data, nil
}

func (m *memory) Commit(_ context.Context, study string, generation uint32, rs []results.Record) ([]results.Verdict, error) {
	for _, r := range rs {
		r.Generation = generation
		m.records[study][r.Trial] = r
	}
	return slices.Repeat([]results.Verdict{results.Committed}, len(rs)), nil
}

func (m *memory) Tally(_ context.Context, study string) (results.Tally, error) {
	return results.Tally{Done: uint64(len(m.records[study]))}, nil
}

func (m *memory) Scan(_ context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for _, i := range slices.Sorted(maps.Keys(m.records[study])) {
			if i >= from && i < to && !yield(m.records[study][i], nil) {
				return
			}
		}
	}
}

// seal makes a content of raw frames: each is a kind, two bytes of length and the
// payload, and gets its length, CRC and at the end the SHA-256.
func seal(raw []byte) []byte {
	b := []byte("overnight archive\n\x01")
	for len(raw) >= 3 {
		n := min(int(binary.LittleEndian.Uint16(raw[1:])), len(raw)-3)
		start := len(b)
		b = binary.AppendUvarint(append(b, raw[0]), uint64(n))
		b = append(b, raw[3:3+n]...)
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], crc32.MakeTable(crc32.Castagnoli)))
		raw = raw[3+n:]
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// rawFrames is the opposite of seal.
func rawFrames(t testing.TB, content []byte) []byte {
	t.Helper()
	var raw []byte
	for b := content[len("overnight archive\n\x01") : len(content)-sha256.Size]; len(b) > 0; {
		n, k := binary.Uvarint(b[1:])
		if k <= 0 || n > 1<<16-1 {
			t.Fatalf("a frame of %d bytes", n)
		}
		raw = binary.LittleEndian.AppendUint16(append(raw, b[0]), uint16(n))
		raw = append(raw, b[1+k:1+k+int(n)]...)
		b = b[1+k+int(n)+4:]
	}
	return raw
}

// FuzzRead reads files as they are, contents, and frames with lengths and sums
// put right: what is refused leaves nothing, and what is read can be written.
func FuzzRead(f *testing.F) {
	from := newMemory()
	p := storetest.NewPlan("study", 4, 5)
	p.Body = []byte(abc)
	from.blobs[abc] = []byte("abc")
	if err := from.Create(f.Context(), p); err != nil {
		f.Fatal(err)
	}
	if _, err := from.Commit(f.Context(), "study", 1, storetest.NewRecords(&p, 6, 9)); err != nil {
		f.Fatal(err)
	}
	file := written(f, from, "study")
	f.Add(byte(0), file)
	f.Add(byte(1), content(f, file))
	f.Add(byte(2), rawFrames(f, content(f, file)))
	if !bytes.Equal(seal(rawFrames(f, content(f, file))), content(f, file)) {
		f.Fatal("frames and contents are made by different rules")
	}
	f.Fuzz(func(t *testing.T, mode byte, data []byte) {
		switch mode % 3 {
		case 1:
			data = zip(t, data)
		case 2:
			data = zip(t, seal(data))
		}
		to := newMemory()
		name, err := archive.Read(t.Context(), reader{bytes.NewReader(data)}, to, "")
		if err != nil {
			if len(to.plans) != 0 {
				t.Fatalf("it was refused (%v) and is there", err)
			}
			return
		}
		for sum, data := range to.blobs {
			if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
				t.Fatalf("data %s are others", sum)
			}
		}
		var b bytes.Buffer
		if err := archive.Write(t.Context(), &b, to, name); err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		again := newMemory()
		if _, err := archive.Read(t.Context(), &b, again, ""); err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		if len(again.records[name]) != len(to.records[name]) {
			t.Fatalf("%d records, then %d", len(to.records[name]), len(again.records[name]))
		}
	})
}
