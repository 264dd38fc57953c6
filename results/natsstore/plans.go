package natsstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"overnight/results"
)

// Create implements results.Plans.
func (s *Store) Create(ctx context.Context, p results.Plan) error {
	if err := p.Valid(); err != nil {
		return err
	}
	b := appendPlan(nil, &p)
	if len(b) > maxPlan {
		return tooLong(&p, len(b))
	}
	_, err := s.call(ctx, opCreate, b, 0)
	return err
}

func tooLong(p *results.Plan, n int) error {
	return fmt.Errorf("plan of study %q: %d bytes, more than the %d that can be sent", p.Study, n, maxPlan)
}

// Plan implements results.Plans.
func (s *Store) Plan(ctx context.Context, study string) (results.Plan, error) {
	b, err := s.call(ctx, opPlan, []byte(study), maxBody)
	if err != nil {
		return results.Plan{}, err
	}
	p, err := decodePlan(b)
	return p, unreadable("plan", err)
}

// unreadable says that an answer is not what it should be.
func unreadable(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the coordinator's %s can't be read: %w", what, err)
}

// Studies implements results.Plans.
func (s *Store) Studies(ctx context.Context) ([]results.Plan, error) {
	b, err := s.call(ctx, opStudies, nil, maxBody)
	if err != nil {
		return nil, err
	}
	plans, err := decodePlans(b)
	return plans, unreadable("list of studies", err)
}

// Update implements results.Plans. It calls change again where another update
// came between.
func (s *Store) Update(ctx context.Context, study string, change func(*results.Plan) error) (results.Plan, error) {
	// The updates of one client take turns, so that they don't overtake each other.
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return results.Plan{}, ctx.Err()
	}
	for p := (pause{}); ; {
		got, err := s.update(ctx, study, change)
		if errors.Is(err, errConflict) && p.wait(ctx) == nil {
			continue
		}
		if err != nil {
			return results.Plan{}, fmt.Errorf("update study %q: %w", study, err)
		}
		return got, nil
	}
}

// update changes the plan as it is now; errConflict.
func (s *Store) update(ctx context.Context, study string, edit func(*results.Plan) error) (results.Plan, error) {
	b, err := s.call(ctx, opPlan, []byte(study), maxBody)
	if err != nil {
		return results.Plan{}, err
	}
	old, err := decodePlan(b)
	if err != nil {
		return results.Plan{}, unreadable("plan", err)
	}
	p, err := decodePlan(b)
	if err != nil {
		return results.Plan{}, err
	}
	p.Body, p.Source = append([]byte(nil), p.Body...), append([]byte(nil), p.Source...)
	if err := edit(&p); err != nil {
		return results.Plan{}, err
	}
	if err := p.ValidAfter(&old); err != nil {
		return results.Plan{}, err
	}
	c := replacement{study: study, old: sha256.Sum256(b), plan: p}
	q := c.encode()
	if len(q) > maxPlan {
		return results.Plan{}, tooLong(&p, len(q))
	}
	if _, err := s.call(ctx, opUpdate, q, 0); err != nil {
		return results.Plan{}, err
	}
	return p, nil
}

// Delete implements results.Plans.
func (s *Store) Delete(ctx context.Context, study string) error {
	_, err := s.call(ctx, opDelete, []byte(study), 0)
	return err
}

// PutBlob implements results.Blobs for up to 1 GB of data.
func (s *Store) PutBlob(ctx context.Context, sum string, data []byte) error {
	if err := verify(sum, data); err != nil {
		return fmt.Errorf("store data %.12s: %w", sum, err)
	}
	if len(data) > maxBlob {
		return fmt.Errorf("store data %.12s: %d bytes, more than %d", sum, len(data), maxBlob)
	}
	_, err := s.call(ctx, opPutBlob, append([]byte(sum), data...), 0)
	return err
}

// Blob implements results.Blobs.
func (s *Store) Blob(ctx context.Context, sum string) ([]byte, error) {
	data, err := s.call(ctx, opBlob, []byte(sum), maxBlob)
	if err != nil {
		return nil, err
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
