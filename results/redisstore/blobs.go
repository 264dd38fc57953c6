package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// maxBlob is what a value of Redis can hold, by its default proto-max-bulk-len.
const maxBlob = 512<<20 - 1024

// PutBlob implements results.Blobs.
func (s *Store) PutBlob(ctx context.Context, sum string, data []byte) error {
	what := fmt.Sprintf("store data %.12s", sum)
	if err := verify(sum, data); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if len(data) > maxBlob {
		return fmt.Errorf("%s: %d bytes, more than %d", what, len(data), maxBlob)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := s.run(ctx, s.scripts.putBlob, []string{s.blobKey(sum), s.blobTime(sum)}, data)
	return s.failure(what, err)
}

// Blob implements results.Blobs.
func (s *Store) Blob(ctx context.Context, sum string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := within(ctx, func() ([]byte, error) { return s.rdb.Get(ctx, s.blobKey(sum)).Bytes() })
	if errors.Is(err, redis.Nil) {
		err = results.ErrNotFound
	}
	if err != nil {
		return nil, s.failure(fmt.Sprintf("data %.12s", sum), err)
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

// dropBlobs removes the blobs among refs that no plan names, and that nobody has
// put lately: a plan comes after its data.
func (s *Store) dropBlobs(ctx context.Context, refs []string) error {
	if len(refs) == 0 {
		return nil
	}
	names, err := within(ctx, func() ([]string, error) { return s.rdb.HKeys(ctx, s.studies()).Result() })
	if err != nil {
		return err
	}
	for some := range slices.Chunk(names, 64) {
		bodies := make([]*redis.StringCmd, len(some))
		err := s.pipelined(ctx, func(p redis.Pipeliner) error {
			for i, name := range some {
				bodies[i] = p.HGet(ctx, s.studyKeys(name, "").plan(), "body")
			}
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		for _, body := range bodies {
			if err := body.Err(); err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			refs = slices.DeleteFunc(refs, func(ref string) bool { return strings.Contains(body.Val(), ref) })
		}
	}
	for _, ref := range refs {
		if _, err := s.run(ctx, s.scripts.dropBlob, []string{s.blobKey(ref), s.blobTime(ref)}, int64(s.keep.blob.Seconds())); err != nil {
			return err
		}
	}
	return nil
}
