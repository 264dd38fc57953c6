package sqlitestore

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// SaveCheckpoint implements results.Checkpoints.
func (s *Store) SaveCheckpoint(ctx context.Context, study string, generation uint32, trial uint64, state []byte) error {
	err := s.change(ctx, func(c *engine.Conn) error {
		h, err := s.head(c, study)
		if err != nil {
			return err
		}
		if trial >= h.plan.Trials {
			return fmt.Errorf("the study has %d trials", h.plan.Trials)
		}
		if generation != h.plan.Generation {
			return nil
		}
		has, err := queryInt(c, h.sql.has, trial)
		if err != nil {
			return err
		}
		if has != 0 {
			return nil
		}
		return run(c, s.queries["put-checkpoint"], h.id, trial, int64(generation), state, checkpointChecksum(h.id, trial, generation, state))
	})
	if err != nil {
		return s.failure(fmt.Sprintf("save a checkpoint of trial %d of study %q", trial, study), err)
	}
	return nil
}

// Checkpoint implements results.Checkpoints. A damaged one is
// results.ErrDamaged: the trial begins anew.
func (s *Store) Checkpoint(ctx context.Context, study string, generation uint32, trial uint64) (state []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found, intact := false, false
	err = s.read(func(c *engine.Conn) error {
		h, err := s.head(c, study)
		if err != nil {
			return err
		}
		return each(c, s.queries["checkpoint"], func(st *engine.Stmt) error {
			state, found = slices.Clone(st.View(0)), true
			intact = checkpointChecksum(h.id, trial, generation, state) == st.Int(1)
			return nil
		}, h.id, trial, int64(generation))
	})
	switch {
	case err != nil:
	case !found:
		err = results.ErrNotFound
	case !intact:
		err = results.ErrDamaged
	default:
		return state, nil
	}
	return nil, s.failure(fmt.Sprintf("checkpoint of trial %d of study %q", trial, study), err)
}

func checkpointChecksum(study int64, trial uint64, generation uint32, state []byte) int64 {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[:], uint64(study))
	binary.LittleEndian.PutUint64(b[8:], trial)
	binary.LittleEndian.PutUint64(b[16:], uint64(generation))
	return int64(crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, state))
}
