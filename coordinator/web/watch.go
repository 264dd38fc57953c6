package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"overnight/coordinator/web/live"
	"overnight/results"
	"overnight/results/figure"
)

// Pace of what the dashboard is told.
const (
	numbersEvery = time.Second
	overEvery    = 5 * time.Second // of a study that is over
	viewEvery    = 3 * time.Second // pictures and lists, at most
	viewShare    = 20              // reading and drawing take at most one in so many of the time: 5 % of a core
	firstBudget  = 2 * time.Second // for reading, at the first look
	viewBudget   = 250 * time.Millisecond
	curveBudget  = 250 * time.Millisecond
	boardRows    = 20
	failureRows  = 100
)

// extent is how much of a study something is made of.
type extent struct {
	Study     string `json:"study"`
	Read      uint64 `json:"read"`      // records that it is made of,
	Committed uint64 `json:"committed"` // of these
	Note      string `json:"note,omitempty"`
}

// board is the best points of a study under way.
type board struct {
	extent
	Metric  string        `json:"metric"`
	Goal    string        `json:"goal"`
	Leaders []live.Leader `json:"leaders"`
}

// failures are the points that fail, those that failed last first.
type failures struct {
	extent
	Failing  int            `json:"failing"` // points
	Failures []live.Failure `json:"failures"`
}

// pictures are the figures of a study under way.
type pictures struct {
	extent
	Figures []figure.Figure `json:"figures"`
}

// live streams a study for the dashboard.
func (a *api) live(w http.ResponseWriter, r *http.Request) error {
	return a.streamed(w, r, func() (*channel, func(), error) {
		return a.joinStudy(r.Context(), r.PathValue("name"))
	})
}

// streamed streams the channel that join gives.
func (a *api) streamed(w http.ResponseWriter, r *http.Request, join func() (*channel, func(), error)) error {
	if _, err := query(r); err != nil {
		return err
	}
	done, err := a.stream(r.Context())
	if err != nil {
		return err
	}
	defer done()
	c, leave, err := join()
	if err != nil {
		return err
	}
	defer leave()
	return a.follow(w, r, c)
}

func (a *api) joinStudy(ctx context.Context, name string) (*channel, func(), error) {
	if _, err := a.Store.Tally(ctx, name); err != nil {
		return nil, nil, err
	}
	c, leave := a.hub.join("study/"+name, func(ctx context.Context, c *channel) { a.watch(ctx, c, name) })
	return c, leave, nil
}

// snapshot answers with the latest message of a kind about a study.
func (a *api) snapshot(kind string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := query(r); err != nil {
			return err
		}
		c, leave, err := a.joinStudy(r.Context(), r.PathValue("name"))
		if err != nil {
			return err
		}
		defer leave()
		ctx, cancel := context.WithTimeout(r.Context(), writeTimeout/2)
		defer cancel()
		data, err := c.wait(ctx, kind)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", kind, err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data) // the asker may be gone
		return nil
	}
}

// watch fills a study's channel until ctx ends.
func (a *api) watch(ctx context.Context, c *channel, name string) {
	kept := a.views.take(name)
	defer func() { a.views.keep(kept) }()
	s := sight{api: a, channel: c, keptView: &kept, follower: follower{api: a, study: name}}
	for {
		every := numbersEvery
		if err := s.look(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("watch study", zap.String("study", name), zap.Error(err))
			every = overEvery
		}
		if s.over {
			every = overEvery
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// sight is somebody looking at a study for all who want to know.
type sight struct {
	*api
	*channel
	*keptView
	follower follower
	next     time.Time // for pictures and lists
	viewed   uint64    // records in the last of them
	over     bool
	looked   bool // at records, once at least
	more     bool // records were not read for want of time
}

// look publishes where the study stands, and now and then what came out.
func (s *sight) look(ctx context.Context) error {
	m, err := s.follower.look(ctx)
	if errors.Is(err, results.ErrNotFound) {
		s.over = true
		return s.publish("progress", moment{State: string(removed)})
	}
	if err != nil {
		return errors.Join(err, s.publish("trouble", trouble{"the engine does not answer; this goes on when it does"}))
	}
	s.over = m.over()
	err = errors.Join(s.publish("progress", m), s.publish("trouble", trouble{}), s.publish("workers", s.crews(s.name)))
	if err != nil || time.Now().Before(s.next) || s.looked && !s.more && m.Committed == s.viewed {
		return err
	}
	began := time.Now()
	err = s.picture(ctx)
	cost := time.Since(began)
	s.next = time.Now().Add(max(viewEvery, viewShare*cost))
	if err == nil { // else what is there was not shown yet
		s.viewed = m.Committed
	}
	return err
}

type trouble struct {
	Text string `json:"text"`
}

// picture reads what is new and publishes lists and pictures.
func (s *sight) picture(ctx context.Context) error {
	p, err := s.Store.Plan(ctx, s.name)
	if err != nil {
		return err
	}
	e := extent{Study: s.name}
	if err := s.see(&p); err != nil {
		var known *problem
		if !errors.As(err, &known) {
			return err
		}
		e.Note = known.text
		s.looked, s.more = true, false
		return s.show(board{e, "", "", []live.Leader{}}, failures{e, 0, []live.Failure{}}, pictures{e, []figure.Figure{}})
	}
	budget := viewBudget
	if !s.looked {
		budget, s.looked = firstBudget, true
	}
	if s.more, err = s.view.Read(ctx, budget); err != nil {
		return err
	}
	if s.more {
		e.Note = "The records are still being read: what is shown is of a part of them."
	}
	e.Read, e.Committed = s.view.Count()
	b, f, g := board{extent: e}, failures{extent: e}, pictures{extent: e}
	b.Metric, b.Goal = s.view.Objective()
	if b.Leaders, err = s.view.Leaders(boardRows); err != nil {
		return err
	}
	if f.Failures, f.Failing, err = s.view.Failures(failureRows); err != nil {
		return err
	}
	var more bool
	if g.Figures, more, err = s.view.Figures(ctx, curveBudget); err != nil {
		return err
	}
	s.more = s.more || more
	return s.show(b, f, g)
}

func (s *sight) show(b board, f failures, g pictures) error {
	return errors.Join(s.publish("board", b), s.publish("failures", f), s.publish("figures", g))
}

// see makes the view fit the plan.
func (s *sight) see(p *results.Plan) error {
	if s.view != nil && bytes.Equal(s.body, p.Body) {
		return nil
	}
	s.view = nil
	if p.Trials > live.MaxTrials {
		return tooLarge(p, live.MaxTrials, "shows live", "overnight results "+p.Study+" --top 20")
	}
	study, err := s.decode(p)
	if err != nil {
		return err
	}
	if s.view, err = live.New(study, p.Study, s.Store); err != nil {
		return err
	}
	s.body = p.Body
	return nil
}

// tooLarge refuses a study that is too large to be read whole.
func tooLarge(p *results.Plan, most uint64, does, instead string) error {
	return &problem{
		status: http.StatusUnprocessableEntity, kind: kindTooLarge,
		text: fmt.Sprintf("study %s has %d trials, more than the %d of which the service %s; use on the command line: %s", p.Study, p.Trials, most, does, instead),
	}
}
