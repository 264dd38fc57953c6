package web

import (
	"context"
	"math"
	"net/http"

	"overnight/coordinator/web/live"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/stopping"
)

// Limits of a list of leaders.
const (
	maxLeaders = 100
	maxScanned = 1 << 20 // records, where no leaderboard of the store's will do
)

// leaders answers with the best n points (20) by the mean of the objective, the
// oracle's behind all others.
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
	best, err := a.best(r.Context(), &p, study, int(n))
	if err != nil {
		return err
	}
	list := []live.Leader{}
	for _, b := range best {
		if math.IsInf(b.Mean, 0) { // JSON has no word for it
			continue
		}
		l := live.Leader{Point: b.Point, N: b.N, Mean: b.Mean}
		if err := l.Describe(study); err != nil {
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

// best asks the store's leaderboard, or reads the records where that does not tell
// what counts and they are not too many.
func (a *api) best(ctx context.Context, p *results.Plan, study *jobs.Study, n int) ([]results.Leader, error) {
	if _, ok := stopping.Board(a.Store, study, p); !ok {
		if p.Trials > maxScanned {
			return nil, &problem{status: http.StatusNotImplemented, text: "the best points are not known without reading all records, of which the study has too many: use overnight results"}
		}
		done, err := a.stream(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	return stopping.Leaders(ctx, a.Store, p, study, n)
}
