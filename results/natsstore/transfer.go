package natsstore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"overnight/results"
)

// chunksAtOnce is how many chunks of one transfer are under way.
const chunksAtOnce = 4

// upload sends a body in chunks, ahead of the request that names it.
func (s *Store) upload(ctx context.Context, op string, body []byte) (*ref, error) {
	push := opPushLong
	if strings.HasPrefix(op, "work.") {
		push = opPush
	}
	f := &ref{upload: newID(), size: uint64(len(body)), sum: sha256.Sum256(body)}
	size := min(s.room()-frameRoom/2, chunkSize)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(chunksAtOnce)
	for i := 0; i*size < len(body); i++ {
		c := chunk{upload: f.upload, total: f.size, size: uint64(size), index: uint64(i), data: body[i*size : min((i+1)*size, len(body))]}
		send := func() error {
			a, err := s.ask(ctx, push, &request{id: newID(), body: c.encode()})
			return failure(a, err)
		}
		if i > 0 {
			g.Go(send)
		} else if err := send(); err != nil { // the server has room for it, or says so
			return nil, err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return f, nil
}

// download fetches a long answer in chunks and verifies it.
func (s *Store) download(ctx context.Context, f *ref) ([]byte, error) {
	data := make([]byte, f.size)
	size := min(s.room(), chunkSize)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(chunksAtOnce)
	for at := 0; at < len(data) && gctx.Err() == nil; at += size {
		part := data[at:min(at+size, len(data))]
		g.Go(func() error {
			q := fetch{sum: f.sum, offset: uint64(at), size: uint64(len(part))}
			a, err := s.ask(gctx, opFetch, &request{id: newID(), body: q.encode()})
			if err := failure(a, err); err != nil {
				return err
			}
			if len(a.body) != len(part) {
				return fmt.Errorf("%d bytes of an answer where %d were due", len(a.body), len(part))
			}
			copy(part, a.body)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, ended(ctx)
	}
	if sum := sha256.Sum256(data); sum != f.sum {
		return nil, fmt.Errorf("an answer of %d bytes is %w: its SHA-256 is %x, not %x", len(data), results.ErrDamaged, sum, f.sum)
	}
	return data, nil
}

// failure returns the error of an answer that should be a short ok.
func failure(a answer, err error) error {
	switch {
	case err != nil:
		return err
	case a.kind == kindOK:
		return nil
	case a.kind == kindExpired:
		return errExpired
	}
	return &remoteError{kind: a.kind, text: a.text}
}
