package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"overnight/coordinator"
	"overnight/jobs"
	"overnight/results"
)

// standing is where a study stands.
type standing struct {
	Study      string    `json:"study"`
	Question   string    `json:"question,omitempty"` // where one study is asked for
	State      string    `json:"state"`
	Points     uint64    `json:"points"`
	Trials     uint64    `json:"trials"`            // wanted, as far as is known
	AtMost     uint64    `json:"at_most,omitempty"` // where results decide how many
	Committed  uint64    `json:"committed"`
	Done       uint64    `json:"done"`
	Failed     uint64    `json:"failed"`
	Dead       uint64    `json:"dead"`
	Overrun    uint64    `json:"overrun"`
	Duplicates uint64    `json:"duplicates"`
	Differs    uint64    `json:"differs"`
	Stale      uint64    `json:"stale"`
	CoreTime   float64   `json:"core_seconds"`
	Wasted     float64   `json:"core_seconds_wasted"`
	Generation uint32    `json:"generation"`
	Engine     int       `json:"engine"`
	Priority   int       `json:"priority"`
	MaxSlots   int       `json:"max_slots,omitempty"`
	Keep       string    `json:"keep,omitempty"`
	Submitted  bool      `json:"submitted"`
	Identity   string    `json:"identity"`
	Digest     string    `json:"digest,omitempty"`
	Created    string    `json:"created,omitempty"`
	Ended      string    `json:"ended,omitempty"`
	Metrics    []string  `json:"metrics,omitempty"`
	Now        *progress `json:"now,omitempty"`
}

// progress is what the replica knows that coordinates the study.
type progress struct {
	Workers  int     `json:"workers"`
	Jobs     int     `json:"jobs"` // in the queue or with workers
	Reissued uint64  `json:"reissued"`
	Rate     float64 `json:"trials_per_second"`
	Left     float64 `json:"seconds_left,omitempty"` // estimated
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func stand(p *results.Plan, t results.Tally) standing {
	s := standing{
		Study: p.Study, State: string(p.State), Points: p.Points, Trials: p.Expected(), Committed: t.Total(),
		Done: t.Done, Failed: t.Failed, Dead: t.Dead, Overrun: t.Overrun,
		Duplicates: t.Duplicates, Differs: t.Differs, Stale: t.Stale,
		CoreTime: t.Used.Seconds(), Wasted: t.Wasted.Seconds(),
		Generation: p.Generation, Engine: p.Engine, Priority: max(1, p.Priority), MaxSlots: p.MaxSlots, Submitted: p.Submitted,
		Identity: p.Identity, Digest: p.Digest, Created: stamp(p.Created), Ended: stamp(p.Ended),
	}
	if p.Wanted > 0 && p.Digest == "" {
		s.AtMost = p.Trials
	}
	if p.Keep > 0 {
		s.Keep = p.Keep.String()
	}
	return s
}

// now adds what this replica knows of the study.
func (s *standing) now(all []coordinator.Progress) {
	for i := range all {
		p := &all[i]
		if p.Study != s.Study {
			continue
		}
		s.Now = &progress{Workers: p.Workers, Jobs: p.Jobs, Reissued: p.Reissued, Rate: p.Rate, Left: p.Left.Seconds()}
	}
}

// maxListed bounds a list of studies.
const maxListed = 500

// studies lists the newest studies first: n of them (50), beginning with number
// from (0).
func (a *api) studies(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "n", "from")
	if err != nil {
		return err
	}
	n, err := q.number("n", 50, 1, maxListed)
	if err != nil {
		return err
	}
	from, err := q.number("from", 0, 0, 1<<31-1)
	if err != nil {
		return err
	}
	all, err := a.Store.Studies(r.Context())
	if err != nil {
		return err
	}
	slices.Reverse(all)
	running := a.Progress()
	list := []standing{}
	for i := int(from); i < len(all) && len(list) < int(n); i++ {
		s, err := a.standing(r.Context(), &all[i])
		if err != nil {
			return err
		}
		s.now(running)
		list = append(list, s)
	}
	reply(w, http.StatusOK, struct {
		Total   int        `json:"total"`
		Studies []standing `json:"studies"`
	}{len(all), list})
	return nil
}

// standing reads a plan's counts.
func (a *api) standing(ctx context.Context, p *results.Plan) (standing, error) {
	if p.State == results.Damaged { // nothing but its name can be read
		return standing{Study: p.Study, State: string(p.State)}, nil
	}
	t, err := a.Store.Tally(ctx, p.Study)
	if err != nil {
		return standing{}, err
	}
	return stand(p, t), nil
}

func (a *api) study(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	p, err := a.Store.Plan(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	s, err := a.standing(r.Context(), &p)
	if err != nil {
		return err
	}
	s.now(a.Progress())
	s.Metrics = p.Metrics
	if study, err := a.decode(&p); err == nil { // else it is of another engine version
		s.Question = study.Question
	}
	reply(w, http.StatusOK, s)
	return nil
}

// digest answers with the digest of a finished study. It computes none: that
// reads every record.
func (a *api) digest(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	p, err := a.Store.Plan(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	if p.Digest == "" {
		t, err := a.Store.Tally(r.Context(), p.Study)
		if err != nil {
			return err
		}
		return &problem{status: http.StatusConflict, text: fmt.Sprintf("there is no digest yet: the study is %s, with %d of %d trials", p.State, t.Total(), p.Expected())}
	}
	reply(w, http.StatusOK, struct {
		Study  string `json:"study"`
		Digest string `json:"digest"`
	}{p.Study, p.Digest})
	return nil
}

// decode reads the stored form of a study.
func (a *api) decode(p *results.Plan) (*jobs.Study, error) {
	if p.Engine != jobs.EngineVersion {
		return nil, &problem{status: http.StatusConflict, text: fmt.Sprintf("the study was planned for engine version %d, and this service is of version %d", p.Engine, jobs.EngineVersion)}
	}
	s, err := jobs.DecodeStudy(p.Body, a.Catalog)
	if err != nil {
		return nil, fmt.Errorf("read plan of %s: %w", p.Study, err)
	}
	return s, nil
}
