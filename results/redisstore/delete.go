package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// unlinkKeys is how many keys one command removes.
const unlinkKeys = 512

// Delete implements results.Plans. The plan goes first, in one step; should the
// call end before the rest is swept, the next Delete or Create of that name goes
// on, and Studies after an hour.
func (s *Store) Delete(ctx context.Context, study string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := within(ctx, func() (any, error) { return nil, s.delete(ctx, study) })
	return s.failure(fmt.Sprintf("delete study %q", study), err)
}

func (s *Store) delete(ctx context.Context, study string) error {
	entry, err := s.rdb.HGet(ctx, s.studies(), study).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	body, err := s.drop(ctx, study)
	if err != nil && !errors.Is(err, results.ErrNotFound) {
		return err
	}
	missing := err
	if err := s.sweepGone(ctx, study); err != nil {
		return err
	}
	if _, err := s.run(ctx, s.scripts.forget, []string{s.studies()}, study, entry); err != nil {
		return err
	}
	if missing != nil {
		return missing
	}
	return s.dropBlobs(ctx, results.DataRefs(body))
}

// drop removes the plan, whatever it holds, and returns its body.
func (s *Store) drop(ctx context.Context, study string) (body []byte, err error) {
	k := s.studyKeys(study, "")
	for range maxTries {
		values, err := s.rdb.HMGet(ctx, k.plan(), "inc", "head", "body").Result()
		if err != nil {
			return nil, err
		}
		if values[0] == nil && values[1] == nil && values[2] == nil {
			if there, err := s.rdb.Exists(ctx, k.plan()).Result(); err != nil || there == 0 {
				return nil, errors.Join(err, results.ErrNotFound)
			}
		}
		inc, _ := values[0].(string)
		text, _ := values[2].(string)
		boards := s.boards(study, inc, values[1])
		done, err := s.runInt(ctx, s.scripts.delete, []string{k.plan(), k.gone()}, inc, boards)
		if err != nil {
			return nil, err
		}
		s.heads.Delete(study)
		s.names.Delete(study)
		if done == 1 {
			return []byte(text), nil
		}
	}
	return nil, errChanged
}

// boards returns how many leaderboards a study has had, more than likely where
// its head is damaged.
func (s *Store) boards(study, inc string, text any) uint64 {
	values := make([]any, len(headFields))
	values[0], values[2] = inc, text
	h, _ := s.readHead(study, values)
	if h == nil || h.boards == 0 {
		return 16
	}
	return h.boards
}

// sweepGone removes what is left of deleted studies of a name.
func (s *Store) sweepGone(ctx context.Context, study string) error {
	gone := s.studyKeys(study, "").gone()
	left, err := within(ctx, func() (map[string]string, error) { return s.rdb.HGetAll(ctx, gone).Result() })
	if err != nil {
		return err
	}
	for inc, info := range left {
		if inc != "" {
			boards, err := strconv.ParseUint(info, 10, 64)
			if err != nil {
				return fmt.Errorf("key %s holds %q", gone, info)
			}
			if err := s.sweep(ctx, s.studyKeys(study, inc), boards); err != nil {
				return err
			}
		}
		if err := s.rdb.HDel(ctx, gone, inc).Err(); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes all keys of an incarnation, the list of its parts last.
func (s *Store) sweep(ctx context.Context, k keys, boards uint64) error {
	parts, err := s.rdb.SMembers(ctx, k.parts()).Result()
	if err != nil {
		return err
	}
	var names []string
	flush := func(least int) error {
		for len(names) >= max(least, 1) {
			n := min(len(names), unlinkKeys)
			if err := s.rdb.Unlink(ctx, names[:n]...).Err(); err != nil {
				return err
			}
			names = names[n:]
		}
		return nil
	}
	for _, part := range parts {
		text, isBlock := strings.CutPrefix(part, "b")
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			continue
		}
		if isBlock {
			for b := range boards {
				names = append(names, k.block(b+1, n))
			}
		} else {
			for b := n * segmentSize; b < (n+1)*segmentSize; b++ {
				names = append(names, k.records(b), k.errors(b), k.curves(b), k.removed(b))
			}
			names = append(names, k.segment(n))
		}
		if err := flush(unlinkKeys); err != nil {
			return err
		}
	}
	names = append(slices.Clone(names), k.workers(), k.events(), k.checkpoints(), k.building())
	if err := flush(1); err != nil {
		return err
	}
	return s.rdb.Unlink(ctx, k.parts()).Err()
}
