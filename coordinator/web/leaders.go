package web

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"slices"

	"overnight/coordinator/web/live"
	"overnight/results"
)

// Limits of a list of leaders.
const (
	maxLeaders = 100
	maxScanned = 1 << 20 // records, in stores that keep no leaderboard
)

// leaders answers with the best n points (20) by the mean of the objective.
func (a *api) leaders(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "n")
	if err != nil {
		return err
	}
	n, err := q.number("n", 20, 1, maxLeaders)
	if err != nil {
		return err
	}
	p, err := a.Store.Plan(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	study, err := a.decode(&p)
	if err != nil {
		return err
	}
	best, err := a.best(r.Context(), &p, int(n), study.Objective.Minimize)
	if err != nil {
		return err
	}
	list := []live.Leader{}
	for _, b := range best {
		if math.IsInf(b.Mean, 0) { // JSON has no word for it
			continue
		}
		l := live.Leader{Point: b.Point, N: b.N, Mean: b.Mean}
		if l.Task, l.Arm, l.Levels, err = live.Describe(study, b.Point); err != nil {
			return err
		}
		list = append(list, l)
	}
	reply(w, http.StatusOK, struct {
		Study   string        `json:"study"`
		Metric  string        `json:"metric"`
		Goal    string        `json:"goal"`
		Leaders []live.Leader `json:"leaders"`
	}{p.Study, study.Objective.Metric, map[bool]string{false: "maximize", true: "minimize"}[study.Objective.Minimize], list})
	return nil
}

// best asks the store's leaderboard, or reads the records where it keeps none and
// they are not too many.
func (a *api) best(ctx context.Context, p *results.Plan, n int, least bool) ([]results.Leader, error) {
	if b, ok := a.Store.(results.Leaderboard); ok {
		return b.Leaders(ctx, p.Study, n, least)
	}
	if p.Trials > maxScanned {
		return nil, &problem{status: http.StatusNotImplemented, text: "this store keeps no leaderboard, and the study has too many trials to read them all: use overnight results"}
	}
	done, err := a.stream()
	if err != nil {
		return nil, err
	}
	defer done()
	points := map[uint64]*results.Leader{}
	for r, err := range results.Skim(ctx, a.Store, p.Study, 0, p.Trials) {
		switch {
		case errors.Is(err, results.ErrDamaged):
			continue
		case err != nil:
			return nil, err
		case r.Status != results.Done, p.Objective < 0, p.Objective >= len(r.Metrics), math.IsNaN(r.Metrics[p.Objective]), math.IsInf(r.Metrics[p.Objective], 0):
			continue
		}
		l := points[r.Point]
		if l == nil {
			l = &results.Leader{Point: r.Point}
			points[r.Point] = l
		}
		l.N++
		l.Mean += (r.Metrics[p.Objective] - l.Mean) / float64(l.N)
	}
	all := make([]results.Leader, 0, len(points))
	for _, l := range points {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(x, y results.Leader) int {
		if least {
			return cmp.Or(cmp.Compare(x.Mean, y.Mean), cmp.Compare(x.Point, y.Point))
		}
		return cmp.Or(cmp.Compare(y.Mean, x.Mean), cmp.Compare(x.Point, y.Point))
	})
	return all[:min(n, len(all))], nil
}
