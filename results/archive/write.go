package archive

import (
	"compress/gzip"
	"context"
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

// Write writes a study to w, with the data files that its plan names and all of
// its records, under way or finished. A damaged record is an error that wraps
// results.ErrDamaged; see Salvage.
func Write(ctx context.Context, w io.Writer, s results.Store, study string) error {
	return write(ctx, w, s, study, func(_ uint64, err error) error {
		return fmt.Errorf("%w; `overnight fsck %s` names all that is damaged", err, study)
	})
}

// Salvage is Write for a store that is damaged: it leaves out the records that
// can't be read, and returns their trials. Where the archive is imported, running
// the study makes them anew.
func Salvage(ctx context.Context, w io.Writer, s results.Store, study string) (left []uint64, err error) {
	err = write(ctx, w, s, study, func(trial uint64, _ error) error {
		left = append(left, trial)
		return nil
	})
	return left, err
}

// write calls bad for each damaged record; where it returns nil, the record is
// left out.
func write(ctx context.Context, w io.Writer, s results.Store, study string, bad func(trial uint64, err error) error) error {
	err := func() error {
		p, err := s.Plan(ctx, study)
		if err != nil {
			return err
		}
		z := gzip.NewWriter(w)
		fw := frameWriter{w: z, h: sha256.New()}
		if err := fw.study(ctx, s, &p, bad); err != nil {
			return err
		}
		now, err := s.Plan(ctx, study)
		if err != nil {
			return err
		}
		if now.Generation != p.Generation {
			return errors.New("records were discarded meanwhile; archive it again")
		}
		return z.Close()
	}()
	if err != nil {
		return fmt.Errorf("archive study %q: %w", study, err)
	}
	return nil
}

// frameWriter writes frames and hashes all it writes.
type frameWriter struct {
	w io.Writer
	h hash.Hash
	b []byte
}

func (f *frameWriter) write(p []byte) error {
	f.h.Write(p)
	_, err := f.w.Write(p)
	return err
}

func (f *frameWriter) frame(kind byte, payload ...[]byte) error {
	n := 0
	for _, p := range payload {
		n += len(p)
	}
	f.b = binary.AppendUvarint(append(f.b[:0], kind), uint64(n))
	crc := crc32.Checksum(f.b, castagnoli)
	err := f.write(f.b)
	for _, p := range payload {
		crc = crc32.Update(crc, castagnoli, p)
		err = errors.Join(err, f.write(p))
	}
	return errors.Join(err, f.write(binary.LittleEndian.AppendUint32(nil, crc)))
}

func (f *frameWriter) json(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return f.frame(kind, b)
}

// study writes everything up to the sum.
func (f *frameWriter) study(ctx context.Context, s results.Store, p *results.Plan, bad func(uint64, error) error) error {
	if err := f.write(append([]byte(magic), version)); err != nil {
		return err
	}
	if len(p.Body) > maxBody || len(p.Source) > maxBody {
		return fmt.Errorf("its plan or its file has more than %d bytes", maxBody)
	}
	err := errors.Join(
		f.json(kindPlan, planHead{
			Study: p.Study, Identity: p.Identity, Engine: p.Engine, Points: p.Points, Trials: p.Trials, Wanted: p.Wanted, Metrics: p.Metrics,
			Objective: p.Objective, Generation: p.Generation, Created: p.Created.UTC(),
		}),
		f.frame(kindBody, p.Body),
		f.frame(kindSource, p.Source),
	)
	if err != nil {
		return err
	}
	end := ending{State: p.State, Digest: p.Digest}
	if end.Data, err = f.data(ctx, s, p); err != nil {
		return err
	}
	whole := true
	end.Records, err = f.records(ctx, s, p, func(trial uint64, err error) error {
		whole = false
		return bad(trial, err)
	})
	if err != nil {
		return err
	}
	if !whole { // some will have to run again
		end.Digest = ""
		if end.State == results.Finished {
			end.State = results.Running
		}
	}
	if err := f.json(kindEnd, end); err != nil {
		return err
	}
	_, err = f.w.Write(f.h.Sum(nil))
	return err
}

func (f *frameWriter) data(ctx context.Context, s results.Store, p *results.Plan) (n uint64, err error) {
	for _, ref := range results.DataRefs(p.Body) {
		data, err := s.Blob(ctx, ref)
		if errors.Is(err, results.ErrNotFound) {
			continue // some other number of 64 digits
		}
		if err != nil {
			return n, err
		}
		if len(data) > maxData {
			return n, fmt.Errorf("data %.12s: %d bytes, more than %d", ref, len(data), maxData)
		}
		sum, err := hex.DecodeString(ref)
		if err != nil {
			return n, err
		}
		if err := f.frame(kindData, sum, data); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (f *frameWriter) records(ctx context.Context, s results.Store, p *results.Plan, bad func(uint64, error) error) (n uint64, err error) {
	var batch, wire []byte
	for r, err := range s.Scan(ctx, p.Study, 0, p.Trials) {
		if errors.Is(err, results.ErrDamaged) {
			if err := bad(r.Trial, err); err != nil {
				return n, err
			}
			continue
		}
		if err != nil {
			return n, err
		}
		if wire, err = r.AppendBinary(wire[:0]); err != nil {
			return n, err
		}
		batch = binary.AppendUvarint(batch, uint64(len(wire)))
		batch = append(batch, wire...)
		n++
		if len(batch) >= batchBytes {
			if err := f.frame(kindRecords, batch); err != nil {
				return n, err
			}
			batch = batch[:0]
		}
	}
	if len(batch) > 0 {
		return n, f.frame(kindRecords, batch)
	}
	return n, nil
}
