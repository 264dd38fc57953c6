package redisstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"overnight/results"
)

// maxTries bounds how often a change that others came before is tried again.
const maxTries = 1000

// bodySum returns the CRC of Body and Source.
func bodySum(p *results.Plan) uint32 {
	sum := crc32.Checksum([]byte(number(uint64(len(p.Body)))), castagnoli)
	return crc32.Update(crc32.Update(sum, castagnoli, p.Body), castagnoli, p.Source)
}

// Create implements results.Plans. The name is entered first: should the call
// end in between, a name without a plan is left, which Studies skips and removes
// after an hour.
func (s *Store) Create(ctx context.Context, p results.Plan) error {
	if err := p.Valid(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	h := &head{plan: p, inc: newID(), rev: newID(), base: p.Points, board: 1, boards: 1, bodySum: bodySum(&p)}
	if s.boardless {
		h.board = 0
	}
	h.keys = s.studyKeys(p.Study, h.inc)
	fields, err := h.fields()
	if err != nil {
		return err
	}
	fields = append([]any{h.rev, "inc", h.inc, "ready", "1", "body", p.Body, "source", p.Source}, fields...)
	what := fmt.Sprintf("create study %q", p.Study)
	if err := s.enter(ctx, p.Study); err != nil {
		return s.failure(what, err)
	}
	if err := s.sweepGone(ctx, p.Study); err != nil {
		return s.failure(what, err)
	}
	made, err := s.runInt(ctx, s.scripts.create, []string{h.keys.plan()}, fields...)
	switch {
	case err != nil:
		return s.failure(what, err)
	case made == 0:
		return s.failure(what, results.ErrExists)
	}
	s.heads.Delete(p.Study)
	return nil
}

// enter adds a name to the list of studies.
func (s *Store) enter(ctx context.Context, study string) error {
	now, err := within(ctx, func() (time.Time, error) { return s.rdb.Time(ctx).Result() })
	if err != nil {
		return err
	}
	entry := fmt.Sprintf("%d %s", now.Unix(), newID())
	_, err = within(ctx, func() (int64, error) { return s.rdb.HSet(ctx, s.studies(), study, entry).Result() })
	return err
}

// plan returns a study's head with Body and Source.
func (s *Store) plan(ctx context.Context, study string) (*head, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fields := append(slices.Clone(headFields[:]), "body", "source")
	values, err := within(ctx, func() ([]any, error) {
		return s.rdb.HMGet(ctx, s.studyKeys(study, "").plan(), fields...).Result()
	})
	if err != nil {
		return nil, s.failure(fmt.Sprintf("read the plan of study %q", study), err)
	}
	h, err := s.readHead(study, values[:len(headFields)])
	if err != nil {
		return h, err
	}
	body, _ := values[len(headFields)].(string)
	source, _ := values[len(headFields)+1].(string)
	if body != "" {
		h.plan.Body = []byte(body)
	}
	if source != "" {
		h.plan.Source = []byte(source)
	}
	if bodySum(&h.plan) != h.bodySum {
		return h, fmt.Errorf("the plan of study %q is %w: its body and the body's CRC differ; `overnight rm` removes the study", study, results.ErrDamaged)
	}
	return h, nil
}

// Plan implements results.Plans.
func (s *Store) Plan(ctx context.Context, study string) (results.Plan, error) {
	h, err := s.plan(ctx, study)
	if err != nil {
		return results.Plan{}, err
	}
	return h.plan, nil
}

// Studies implements results.Plans.
func (s *Store) Studies(ctx context.Context) ([]results.Plan, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := within(ctx, func() (map[string]string, error) { return s.rdb.HGetAll(ctx, s.studies()).Result() })
	if err != nil {
		return nil, s.failure("list the studies", err)
	}
	heads := make(map[string]*redis.SliceCmd, len(entries))
	err = s.pipelined(ctx, func(p redis.Pipeliner) error {
		for name := range entries {
			heads[name] = p.HMGet(ctx, s.studyKeys(name, "").plan(), headFields[:]...)
		}
		return nil
	})
	if err != nil {
		return nil, s.failure("list the studies", err)
	}
	var plans []results.Plan
	for name, entry := range entries {
		h, err := s.readHead(name, heads[name].Val())
		switch {
		case err == nil:
			plans = append(plans, h.plan)
		case errors.Is(err, results.ErrNotFound):
			if err := s.forgetEntry(ctx, name, entry); err != nil {
				return nil, s.failure("list the studies", err)
			}
		default:
			plans = append(plans, results.Plan{Study: name, State: results.Damaged})
		}
	}
	slices.SortFunc(plans, func(a, b results.Plan) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.Study, b.Study)
	})
	return plans, nil
}

// forgetEntry removes a name that has had no plan for long, with what a Delete
// that was cut short has left of it.
func (s *Store) forgetEntry(ctx context.Context, study, entry string) error {
	var at int64
	if _, err := fmt.Sscanf(entry, "%d ", &at); err != nil {
		at = 0
	}
	now, err := within(ctx, func() (time.Time, error) { return s.rdb.Time(ctx).Result() })
	if err != nil || now.Sub(time.Unix(at, 0)) < s.keep.entry {
		return err
	}
	if err := s.sweepGone(ctx, study); err != nil {
		return err
	}
	_, err = s.run(ctx, s.scripts.forget, []string{s.studies()}, study, entry)
	return err
}

// Update implements results.Plans.
func (s *Store) Update(ctx context.Context, study string, change func(*results.Plan) error) (results.Plan, error) {
	p, err := s.update(ctx, study, change)
	if err != nil {
		return results.Plan{}, fmt.Errorf("update study %q: %w", study, err)
	}
	// Should the list have lost the name, here it comes back.
	_, err = within(ctx, func() (bool, error) { return s.rdb.HSetNX(ctx, s.studies(), study, "0 "+newID()).Result() })
	if err != nil {
		s.options.Log.Warn("study is not listed", zap.String("study", study), zap.Error(err))
	}
	return p, nil
}

func (s *Store) update(ctx context.Context, study string, change func(*results.Plan) error) (results.Plan, error) {
	for range maxTries {
		h, err := s.plan(ctx, study)
		if err != nil {
			return results.Plan{}, err
		}
		p := h.plan
		p.Metrics, p.Body, p.Source = slices.Clone(p.Metrics), bytes.Clone(p.Body), bytes.Clone(p.Source)
		if err := change(&p); err != nil {
			return results.Plan{}, err
		}
		if err := p.ValidAfter(&h.plan); err != nil {
			return results.Plan{}, err
		}
		next := *h
		next.plan = p
		if p.Objective != h.plan.Objective {
			next.board = 0
		}
		var more []any
		if next.bodySum = bodySum(&p); next.bodySum != h.bodySum {
			more = []any{"body", p.Body, "source", p.Source}
		}
		ok, err := s.swap(ctx, h, &next, more...)
		if err != nil || ok {
			return p, s.failure("store the plan", err)
		}
	}
	return results.Plan{}, errChanged
}

// swap replaces a head, and tells whether nobody else has.
func (s *Store) swap(ctx context.Context, old, next *head, more ...any) (bool, error) {
	next.rev = newID()
	fields, err := next.fields()
	if err != nil {
		return false, err
	}
	drop := "0"
	if next.plan.Generation != old.plan.Generation {
		drop = "1"
	}
	args := append([]any{old.inc, old.rev, next.rev, drop}, append(fields, more...)...)
	done, err := s.runInt(ctx, s.scripts.swap, []string{old.keys.plan(), old.checkpoints()}, args...)
	s.heads.Delete(old.plan.Study)
	switch {
	case err != nil:
		return false, err
	case done < 0:
		return false, fmt.Errorf("study %q: %w", old.plan.Study, results.ErrNotFound)
	}
	return done == 1, nil
}
