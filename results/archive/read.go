package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"overnight/results"
)

// Read adds the study of a file to a store, under its own name or another one,
// and returns the name. It returns results.ErrExists where the name is taken and
// ErrFormat where the file is not whole; then the store is as it was.
func Read(ctx context.Context, r io.Reader, s Store, rename string) (name string, err error) {
	f, err := newReader(r)
	if err != nil {
		return "", err
	}
	p, err := readPlan(f, rename)
	if err != nil {
		return "", err
	}
	final := p.State
	digest := p.Digest
	p.State, p.Digest = results.Planning, ""
	created := false
	defer func() {
		if err != nil && created {
			if derr := s.Delete(context.WithoutCancel(ctx), p.Study); derr != nil {
				err = fmt.Errorf("%w; and what was read of it could not be removed: %w", err, derr)
			}
		}
	}()
	create := func() error {
		if created {
			return nil
		}
		if err := s.Create(ctx, p); err != nil {
			return fmt.Errorf("study %s: %w", p.Study, err)
		}
		created = true
		return nil
	}
	for {
		kind, body, err := f.frame()
		if err != nil {
			return "", err
		}
		switch {
		case kind == kindBlob && !created && len(body) >= 64:
			if err := s.PutBlob(ctx, string(body[:64]), body[64:]); err != nil {
				return "", err
			}
		case kind == kindRecords:
			if err := create(); err != nil {
				return "", err
			}
			if err := readRecords(ctx, s, &p, body); err != nil {
				return "", err
			}
		case kind == kindEnd:
			if err := create(); err != nil {
				return "", err
			}
			return p.Study, finish(ctx, s, p, final, digest)
		default:
			return "", fmt.Errorf("%w: a part of kind %q where none belongs", ErrFormat, kind)
		}
	}
}

func readPlan(f *reader, rename string) (results.Plan, error) {
	var parts [3][]byte
	for i, want := range []byte{kindPlan, kindBody, kindSource} {
		kind, body, err := f.frame()
		if err != nil {
			return results.Plan{}, err
		}
		if kind != want {
			return results.Plan{}, fmt.Errorf("%w: a part of kind %q where %q belongs", ErrFormat, kind, want)
		}
		parts[i] = body
	}
	d := json.NewDecoder(bytes.NewReader(parts[0]))
	d.DisallowUnknownFields()
	var h head
	if err := d.Decode(&h); err != nil {
		return results.Plan{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	p := results.Plan{
		Study: h.Study, Identity: h.Identity, Engine: h.Engine, Points: h.Points, Trials: h.Trials,
		Metrics: h.Metrics, Objective: h.Objective, Generation: max(h.Generation, 1), State: h.State, Digest: h.Digest, Created: h.Created,
		Body: parts[1], Source: parts[2],
	}
	if rename != "" {
		p.Study = rename
	}
	return p, nil
}

func readRecords(ctx context.Context, s Store, p *results.Plan, body []byte) error {
	var batch []results.Record
	for len(body) > 0 {
		n, k := binary.Uvarint(body)
		if k <= 0 || n > uint64(len(body)-k) {
			return fmt.Errorf("%w: a record is cut short", ErrFormat)
		}
		var r results.Record
		if err := r.UnmarshalBinary(body[k : k+int(n)]); err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		r.Generation = p.Generation
		batch = append(batch, r)
		body = body[k+int(n):]
	}
	verdicts, err := s.Commit(ctx, p.Study, p.Generation, batch)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		if v != results.Committed {
			return fmt.Errorf("%w: trial %d stands in it twice", ErrFormat, batch[i].Trial)
		}
	}
	return nil
}

// finish checks the digest and gives the study its state.
func finish(ctx context.Context, s Store, p results.Plan, state results.State, digest string) error {
	if digest != "" {
		got, missing, err := results.Digest(ctx, s, p)
		if err != nil {
			return err
		}
		if missing > 0 || got != digest {
			return fmt.Errorf("%w: its records have digest %q with %d missing, its plan says %q", ErrFormat, got, missing, digest)
		}
	}
	if state == results.Planning {
		state = results.Running
	}
	_, err := s.Update(ctx, p.Study, func(p *results.Plan) error {
		p.State, p.Digest = state, digest
		return nil
	})
	return err
}
