package redisstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// A checkpoint is stored behind its generation and the CRC-32C of incarnation,
// trial, generation and state, 4 bytes each, little-endian.
const checkpointHead = 8

func (h *head) checkpointSum(trial uint64, generation uint32, state []byte) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], trial)
	binary.LittleEndian.PutUint32(b[8:], generation)
	return crc32.Update(crc32.Update(h.incSum(), castagnoli, b[:]), castagnoli, state)
}

func checkpointField(trial uint64) string {
	return number(trial/bucketTrials) + ":" + number(trial%bucketTrials)
}

// SaveCheckpoint implements results.Checkpoints.
func (s *Store) SaveCheckpoint(ctx context.Context, study string, generation uint32, trial uint64, state []byte) error {
	what := fmt.Sprintf("save the checkpoint of trial %d of study %q", trial, study)
	if len(state) > maxBlob {
		return fmt.Errorf("%s: %d bytes, more than %d", what, len(state), maxBlob)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	h, err := s.lastHead(ctx, study)
	for range maxTries {
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		b := make([]byte, checkpointHead, checkpointHead+len(state))
		binary.LittleEndian.PutUint32(b, generation)
		binary.LittleEndian.PutUint32(b[4:], h.checkpointSum(trial, generation, state))
		done, err2 := s.runInt(ctx, s.scripts.checkpoint, []string{h.keys.plan(), h.checkpoints(), h.segment(trial / segmentTrials)},
			h.inc, number(uint64(generation)), number(bit(trial)), checkpointField(trial), append(b, state...))
		if err2 != nil {
			return s.failure(what, err2)
		}
		if done >= 0 {
			return nil
		}
		h, err = s.head(ctx, study)
	}
	return s.failure(what, errChanged)
}

// Checkpoint implements results.Checkpoints.
func (s *Store) Checkpoint(ctx context.Context, study string, generation uint32, trial uint64) ([]byte, error) {
	what := fmt.Sprintf("checkpoint of trial %d of study %q", trial, study)
	h, err := s.head(ctx, study)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if generation != h.plan.Generation {
		return nil, fmt.Errorf("%s of generation %d: %w", what, generation, results.ErrNotFound)
	}
	data, err := within(ctx, func() ([]byte, error) {
		return s.rdb.HGet(ctx, h.checkpoints(), checkpointField(trial)).Bytes()
	})
	if errors.Is(err, redis.Nil) {
		err = results.ErrNotFound
	}
	if err != nil {
		return nil, s.failure(what, err)
	}
	state, of, err := h.readCheckpoint(trial, data)
	if err == nil && of != generation {
		err = results.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return state, nil
}

// readCheckpoint returns a stored state and its generation; results.ErrDamaged.
func (h *head) readCheckpoint(trial uint64, data []byte) ([]byte, uint32, error) {
	if len(data) < checkpointHead {
		return nil, 0, fmt.Errorf("%w: it has %d bytes", results.ErrDamaged, len(data))
	}
	generation, sum := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	if state := data[checkpointHead:]; sum == h.checkpointSum(trial, generation, state) {
		return state, generation, nil
	}
	return nil, 0, fmt.Errorf("%w: it and its CRC differ", results.ErrDamaged)
}
