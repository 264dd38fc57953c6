package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
)

// Bounds of analyses.
const (
	maxAnalysed  = 2_000_000 // trials of a study
	maxListing   = 20_000    // points in a table of points
	maxAnalysing = 2         // at once
	maxAsking    = 32        // who wait for one; they wait on when their connection is gone
	maxKept      = 8         // answers; the largest are reports of 5 MB
	maxModels    = 2         // kept: eight bytes a trial each, and some hundred a point
	analysisTime = 2 * time.Minute
)

// analyses are what is computed from all records of studies.
type analyses struct {
	asking    chan struct{} // holds a value while somebody waits for an answer
	busy      chan struct{} // and while one is computed
	replaying chan struct{} // and while a trial is run again
	answers   memo
	models    memo
}

func newAnalyses() *analyses {
	return &analyses{
		asking: make(chan struct{}, maxAsking), busy: make(chan struct{}, maxAnalysing),
		replaying: make(chan struct{}, maxReplaying),
		answers:   memo{most: maxKept}, models: memo{most: maxModels},
	}
}

// model is what tables are made of; they are made one after another.
type model struct {
	mu sync.Mutex
	*report.Model
}

// analysis is what an answer is computed from.
type analysis struct {
	*api
	plan  results.Plan
	state state
}

// table computes a table of the study.
func (x *analysis) table(ctx context.Context, w io.Writer, format report.Format, pick func(*report.Model) (report.Table, error)) error {
	if x.Model == nil {
		return &problem{status: http.StatusNotImplemented, text: "this service makes no tables"}
	}
	m, err := remembered(ctx, &x.analyses.models, x.state, "model", func() (*model, error) {
		study, err := x.decode(&x.plan)
		if err != nil {
			return nil, err
		}
		m, err := x.Model(ctx, x.plan, study)
		return &model{Model: m}, err
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := pick(m.Model)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // it says what does not fit the study
		return &problem{status: http.StatusUnprocessableEntity, text: err.Error()}
	}
	return report.Write(w, t, report.Style{Format: format})
}

// analyse answers with what compute writes of a study as it stands now. what
// tells answers apart, instead is the command for studies that are too large.
func (a *api) analyse(w http.ResponseWriter, r *http.Request, what, kind, instead string, compute func(ctx context.Context, x *analysis, w io.Writer) error) error {
	select {
	case a.analyses.asking <- struct{}{}:
		defer func() { <-a.analyses.asking }()
	default:
		return &problem{status: http.StatusServiceUnavailable, text: "too many analyses are being waited for: try again later"}
	}
	p, err := a.Store.Plan(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	if p.Trials > maxAnalysed {
		return tooLarge(&p, maxAnalysed, "analyses", fmt.Sprintf("overnight %s %s", instead, p.Study))
	}
	t, err := a.Store.Tally(r.Context(), p.Study)
	if err != nil {
		return err
	}
	x := &analysis{a, p, state{p.Study, sha256.Sum256(p.Body), p.Generation, p.State, t.Total()}}
	err = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(analysisTime + streamTimeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	ctx, stop := detached(r)
	defer stop()
	data, err := remembered(ctx, &a.analyses.answers, x.state, what, func() ([]byte, error) {
		select {
		case a.analyses.busy <- struct{}{}:
			defer func() { <-a.analyses.busy }()
		case <-ctx.Done():
			return nil, &problem{status: http.StatusServiceUnavailable, text: "other analyses are under way: try again later"}
		}
		var b bytes.Buffer
		if err := compute(ctx, x, &b); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{status: http.StatusUnprocessableEntity, kind: kindTooLarge, text: fmt.Sprintf("this took longer than %v; use on the command line: overnight %s %s", analysisTime, instead, p.Study)}
	case err != nil:
		return err
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data) // the asker may be gone
	return nil
}

// detached returns a context that outlives its request, since others may wait for
// the same answer, but not the server. stop ends it.
func detached(r *http.Request) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), analysisTime)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-closing(r):
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		waiting.Wait()
	}
}

// results answers with a table per point, arm or factor, or of what stopping and
// confirmation came to.
func (a *api) results(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "by", "format")
	if err != nil {
		return err
	}
	by, err := q.choice("by", "point", "point", "arm", "factor", "stopping", "confirmation")
	if err != nil {
		return err
	}
	format, kind, err := q.format()
	if err != nil {
		return err
	}
	return a.analyse(w, r, "results "+by+" "+string(format), kind, "results --by "+by, func(ctx context.Context, x *analysis, w io.Writer) error {
		if by == "point" && x.plan.Points > maxListing {
			return &problem{
				status: http.StatusUnprocessableEntity, kind: kindTooLarge,
				text: fmt.Sprintf("study %s has %d points, more than the %d of a table over the API; ask for by=arm, or use on the command line: overnight results %s --format %s", x.plan.Study, x.plan.Points, maxListing, x.plan.Study, format),
			}
		}
		return x.table(ctx, w, format, func(m *report.Model) (report.Table, error) {
			switch by {
			case "arm":
				return m.ArmTable(), nil
			case "factor":
				return m.WhatMatters(), nil
			case "stopping":
				return m.Precision(), nil
			case "confirmation":
				return m.Confirmation(), nil
			}
			return m.PointTable()
		})
	})
}

// compare answers with the comparison of arms.
func (a *api) compare(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "against", "all_pairs", "by_point", "select", "test", "format")
	if err != nil {
		return err
	}
	o := report.CompareOptions{Against: q["against"]}
	if len(o.Against) > maxWord {
		return &problem{status: http.StatusBadRequest, text: "against is the label of an arm"}
	}
	for name, to := range map[string]*bool{"all_pairs": &o.AllPairs, "by_point": &o.ByPoint, "select": &o.Select} {
		v, err := q.choice(name, "false", "false", "true")
		if err != nil {
			return err
		}
		*to = v == "true"
	}
	test, err := q.choice("test", string(report.ByPermutation), string(report.ByPermutation), string(report.ByT))
	if err != nil {
		return err
	}
	o.Test = report.CompareTest(test)
	format, kind, err := q.format()
	if err != nil {
		return err
	}
	what := fmt.Sprintf("compare %+v %s", o, format)
	return a.analyse(w, r, what, kind, "compare", func(ctx context.Context, x *analysis, w io.Writer) error {
		o.Stop = ctx.Err
		return x.table(ctx, w, format, func(m *report.Model) (report.Table, error) { return m.Compare(o) })
	})
}

// sensitivity answers with what the objective depends on.
func (a *api) sensitivity(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "method", "format")
	if err != nil {
		return err
	}
	method, err := q.choice("method", "", "", report.SobolIndices, report.MorrisScreen, report.EffectShares, report.RankPRCC, report.ForestFANOVA)
	if err != nil {
		return err
	}
	format, kind, err := q.format()
	if err != nil {
		return err
	}
	return a.analyse(w, r, "sensitivity "+method+" "+string(format), kind, "sensitivity", func(ctx context.Context, x *analysis, w io.Writer) error {
		return x.table(ctx, w, format, func(m *report.Model) (report.Table, error) {
			return m.Sensitivity(report.SensitivityOptions{Method: method, Stop: ctx.Err})
		})
	})
}

// ModelFunc reads the records of a study that count, for tables.
type ModelFunc func(ctx context.Context, p results.Plan, study *jobs.Study) (*report.Model, error)
