package sqlitestore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// maxMetrics is how many columns a study's table and view can hold.
const maxMetrics = 1000

func tooMany(p *results.Plan) error {
	return fmt.Errorf("plan of study %q: %d metrics, more than the %d columns that there can be", p.Study, len(p.Metrics), maxMetrics)
}

// Create implements results.Plans.
func (s *Store) Create(ctx context.Context, p results.Plan) error {
	if err := p.Valid(); err != nil {
		return err
	}
	if len(p.Metrics) > maxMetrics {
		return tooMany(&p)
	}
	return s.change(ctx, func(c *engine.Conn) error {
		id, _, err := s.number(c, p.Study)
		if err == nil {
			return fmt.Errorf("study %q (number %d of %s): %w", p.Study, id, s.dir, results.ErrExists)
		}
		if !errors.Is(err, results.ErrNotFound) {
			return err
		}
		next, err := queryInt(c, "SELECT seq FROM sqlite_sequence WHERE name = 'studies'")
		if err != nil {
			return s.failure("number a study", err)
		}
		h := &head{id: next + 1, plan: p}
		if h.view, err = s.viewName(c, p.Study, h.id); err != nil {
			return err
		}
		if err := s.writeHead(c, h); err != nil {
			return s.failure("store a plan", err)
		}
		if err := s.writeBody(c, h.id, &p); err != nil {
			return err
		}
		if err := c.Exec(fill(sqlFile("study.sql"), h.id, len(p.Metrics))); err != nil {
			return s.failure("make a study's tables", err)
		}
		return s.makeView(c, h)
	})
}

// number returns a study's number and view, without a look at the rest of its
// plan; results.ErrNotFound.
func (s *Store) number(c *engine.Conn, study string) (id int64, view string, err error) {
	err = each(c, s.queries["number"], func(st *engine.Stmt) error {
		id, view = st.Int(0), st.Text(1)
		return nil
	}, study)
	if err != nil {
		return 0, "", s.failure(fmt.Sprintf("look for study %q", study), err)
	}
	if id == 0 {
		return 0, "", fmt.Errorf("study %q: %w", study, results.ErrNotFound)
	}
	return id, view, nil
}

func bodyChecksum(id int64, body, source []byte) int64 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(id))
	binary.LittleEndian.PutUint64(b[8:], uint64(len(body)))
	crc := crc32.Checksum(b[:], castagnoli)
	crc = crc32.Update(crc, castagnoli, body)
	return int64(crc32.Update(crc, castagnoli, source))
}

func (s *Store) writeBody(c *engine.Conn, id int64, p *results.Plan) error {
	err := run(c, s.queries["put-body"], id, p.Body, p.Source, bodyChecksum(id, p.Body, p.Source))
	return s.failure("store a plan", err)
}

// plan returns a study's head with Body and Source.
func (s *Store) plan(c *engine.Conn, study string) (*head, error) {
	h, err := s.head(c, study)
	if err != nil {
		return nil, err
	}
	whole := *h
	intact := false
	err = each(c, s.queries["body"], func(st *engine.Stmt) error {
		whole.plan.Body = slices.Clone(st.View(0))
		whole.plan.Source = slices.Clone(st.View(1))
		intact = bodyChecksum(h.id, whole.plan.Body, whole.plan.Source) == st.Int(2)
		return nil
	}, h.id)
	if err != nil {
		return nil, s.failure(fmt.Sprintf("read the plan of study %q", study), err)
	}
	if !intact {
		return nil, fmt.Errorf("the plan of study %q is %w: its body and the body's CRC differ; `overnight rm` removes the study", study, results.ErrDamaged)
	}
	return &whole, nil
}

// Plan implements results.Plans.
func (s *Store) Plan(ctx context.Context, study string) (p results.Plan, err error) {
	if err := ctx.Err(); err != nil {
		return p, err
	}
	err = s.read(func(c *engine.Conn) error {
		h, err := s.plan(c, study)
		if err == nil {
			p = h.plan
			p.Metrics = slices.Clone(p.Metrics)
		}
		return err
	})
	return p, err
}

// Studies implements results.Plans.
func (s *Store) Studies(ctx context.Context) (plans []results.Plan, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.read(func(c *engine.Conn) error {
		name, err := s.versioned(c, "heads")
		if err != nil {
			return err
		}
		return s.failure("list the studies", each(c, s.queries[name], func(st *engine.Stmt) error {
			h, err := s.readHead(st)
			if err != nil {
				h.plan = results.Plan{Study: h.plan.Study, State: results.Damaged}
			}
			plans = append(plans, h.plan)
			return nil
		}))
	})
	return plans, err
}

// Update implements results.Plans.
func (s *Store) Update(ctx context.Context, study string, change func(*results.Plan) error) (p results.Plan, err error) {
	err = s.change(ctx, func(c *engine.Conn) error {
		h, err := s.plan(c, study)
		if err != nil {
			return err
		}
		p = h.plan
		p.Metrics = slices.Clone(p.Metrics)
		body, source := slices.Clone(p.Body), slices.Clone(p.Source)
		if err := change(&p); err != nil {
			return err
		}
		if err := p.ValidAfter(&h.plan); err != nil {
			return err
		}
		if len(p.Metrics) > maxMetrics {
			return tooMany(&p)
		}
		if p.Generation > h.plan.Generation {
			if err := run(c, s.queries["delete-checkpoints"], h.id, int64(p.Generation)); err != nil {
				return s.failure("drop checkpoints", err)
			}
		}
		more := p.Metrics[len(h.plan.Metrics):]
		for i := range more {
			column := fmt.Sprintf("ALTER TABLE records_%d ADD COLUMN m%d", h.id, len(h.plan.Metrics)+i)
			if err := c.Exec(column); err != nil {
				return s.failure("add a metric", err)
			}
		}
		h.plan = p
		if err := s.writeHead(c, h); err != nil {
			return s.failure("store a plan", err)
		}
		if string(body) != string(p.Body) || string(source) != string(p.Source) {
			if err := s.writeBody(c, h.id, &p); err != nil {
				return err
			}
		}
		if len(more) > 0 {
			return s.makeView(c, h)
		}
		return nil
	})
	if err != nil {
		return results.Plan{}, fmt.Errorf("update study %q: %w", study, err)
	}
	s.heads.Delete(study)
	return p, nil
}
