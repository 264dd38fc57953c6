package sqlitestore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// Leaders implements results.Leaderboard in one pass over the study's table: a
// sum a point costs less than the sort of SQLite's GROUP BY. A point whose mean
// is no number (it has records of +Inf and of -Inf) does not lead.
func (s *Store) Leaders(ctx context.Context, study string, n int, least bool) (leaders []results.Leader, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if n <= 0 {
		return nil, nil
	}
	err = s.read(func(c *engine.Conn) error {
		defer c.InterruptWhenDone(ctx)()
		h, err := s.head(c, study)
		if err != nil {
			return err
		}
		if o := h.plan.Objective; o < 0 || o >= len(h.plan.Metrics) {
			return fmt.Errorf("its objective is number %d of %d metrics", o, len(h.plan.Metrics))
		}
		query := strings.ReplaceAll(s.queries.of("objectives", h.id, 0), "{objective}", "m"+strconv.Itoa(h.plan.Objective))
		sums := make(map[uint64]*results.Leader)
		err = each(c, query, func(st *engine.Stmt) error {
			point := uint64(st.Int(0))
			l := sums[point]
			if l == nil {
				l = &results.Leader{Point: point}
				sums[point] = l
			}
			l.N++
			l.Mean += st.Float(1)
			return nil
		})
		for _, l := range sums {
			if l.Mean /= float64(l.N); l.Mean == l.Mean {
				leaders = append(leaders, *l)
			}
		}
		return s.failure("read the objective", err)
	})
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("leaders of study %q: %w", study, err)
	}
	slices.SortFunc(leaders, func(a, b results.Leader) int {
		by := cmp.Compare(b.Mean, a.Mean)
		if least {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(a.Point, b.Point))
	})
	return leaders[:min(n, len(leaders))], nil
}
