package sqlitestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// maxBlob is what a column of SQLite can hold.
const maxBlob = 1_000_000_000 - 1024

// PutBlob implements results.Blobs.
func (s *Store) PutBlob(ctx context.Context, sum string, data []byte) error {
	if err := verify(sum, data); err != nil {
		return fmt.Errorf("store data %.12s: %w", sum, err)
	}
	if len(data) > maxBlob {
		return fmt.Errorf("store data %.12s: %d bytes, more than %d", sum, len(data), maxBlob)
	}
	return s.change(ctx, func(c *engine.Conn) error {
		now := s.options.Now().UnixNano()
		intact := false
		err := each(c, s.queries["blob"], func(st *engine.Stmt) error {
			intact = verify(sum, st.View(0)) == nil
			return nil
		}, sum)
		if err != nil {
			return s.failure("look for data", err)
		}
		if intact { // named anew: Delete leaves it to its new plan
			return s.failure("store data", run(c, s.queries["touch-blob"], sum, now))
		}
		return s.failure("store data", run(c, s.queries["put-blob"], sum, now, data))
	})
}

// Blob implements results.Blobs.
func (s *Store) Blob(ctx context.Context, sum string) (data []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := false
	err = s.read(func(c *engine.Conn) error {
		return s.failure("read data", each(c, s.queries["blob"], func(st *engine.Stmt) error {
			data, found = slices.Clone(st.View(0)), true
			return nil
		}, sum))
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fmt.Errorf("data %.12s: %w", sum, results.ErrNotFound)
	}
	return data, verify(sum, data)
}

// verify compares data with its name.
func verify(sum string, data []byte) error {
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
		return fmt.Errorf("data %.12s are %w: their SHA-256 is %x", sum, results.ErrDamaged, got)
	}
	return nil
}
