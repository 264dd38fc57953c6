package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// maxOverview is how many studies the dashboard lists, the newest.
const maxOverview = 100

// overview streams all studies for the dashboard.
func (a *api) overview(w http.ResponseWriter, r *http.Request) error {
	return a.streamed(w, r, func() (*channel, func(), error) {
		c, leave := a.hub.join("studies", a.watchAll)
		return c, leave, nil
	})
}

// watchAll fills the channel of all studies until ctx ends.
func (a *api) watchAll(ctx context.Context, c *channel) {
	o := surveyor{api: a, ended: map[string]survey{}}
	for {
		if err := o.look(ctx, c); err != nil && ctx.Err() == nil {
			a.Log.Warn("watch studies", zap.Error(err))
			_ = c.publish("trouble", trouble{"the engine does not answer; this goes on when it does"}) // it can be encoded
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(numbersEvery):
		}
	}
}

// surveyor looks at all studies, and at those that are over once.
type surveyor struct {
	*api
	ended map[string]survey
}

// survey is a study that is over.
type survey struct {
	state      results.State
	generation uint32
	ended      time.Time
	standing   standing
}

// catalogue is the list of studies in an answer.
type catalogue struct {
	Total   int        `json:"total"`
	Studies []standing `json:"studies"`
}

func (o *surveyor) look(ctx context.Context, c *channel) error {
	all, err := o.Store.Studies(ctx)
	if err != nil {
		return err
	}
	slices.Reverse(all)
	running := o.Progress()
	list := catalogue{Total: len(all), Studies: []standing{}}
	for i := range all[:min(len(all), maxOverview)] {
		p := &all[i]
		s, known := o.ended[p.Study]
		if !known || s.state != p.State || s.generation != p.Generation || !s.ended.Equal(p.Ended) || p.Ended.IsZero() {
			s = survey{state: p.State, generation: p.Generation, ended: p.Ended}
			s.standing, err = o.standing(ctx, p)
			switch {
			case errors.Is(err, results.ErrNotFound): // it was deleted a moment ago
				list.Total--
				continue
			case err != nil:
				return err
			}
			o.ended[p.Study] = s
		}
		s.standing.now(running)
		list.Studies = append(list.Studies, s.standing)
	}
	if err := c.publish("studies", list); err != nil {
		return err
	}
	if err := c.publish("trouble", trouble{}); err != nil {
		return err
	}
	return c.publish("workers", o.crews(""))
}
