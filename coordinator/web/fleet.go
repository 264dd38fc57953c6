package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// Times of the fleet.
const (
	lookEvery = time.Second
	silence   = 10 * time.Second // after which a worker counts as lost
)

// Fleet watches the workers' beats. It looks whether Worker.Seen changes, and
// measures by this process's own clock, since those of machines differ and jump.
type Fleet struct {
	store interface {
		Workers(ctx context.Context) ([]results.Worker, error)
	}
	log *zap.Logger

	mu   sync.Mutex
	read time.Time // when the store answered last
	seen map[string]Sighting
}

// Sighting is a worker as it beat last.
type Sighting struct {
	results.Worker
	Silent time.Duration // since its last beat was seen
	Alive  bool          // it has not ended, and beat lately
	at     time.Time
}

// NewFleet returns a fleet that knows nobody until Run looks.
func NewFleet(store interface {
	Workers(ctx context.Context) ([]results.Worker, error)
}, log *zap.Logger) *Fleet {
	if log == nil {
		log = zap.NewNop()
	}
	return &Fleet{store: store, log: log, seen: map[string]Sighting{}}
}

// Run looks once a second until ctx ends.
func (f *Fleet) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failed := false
	for {
		err := f.look(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			f.log.Warn("read workers", zap.Error(err))
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (f *Fleet) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ws, err := f.store.Workers(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	first := f.read.IsZero()
	f.read = now
	var newest time.Time // by the store's clock
	for i := range ws {
		if ws[i].Seen.After(newest) {
			newest = ws[i].Seen
		}
	}
	there := make(map[string]bool, len(ws))
	for _, w := range ws {
		there[w.ID] = true
		s, known := f.seen[w.ID]
		if known && s.Seen.Equal(w.Seen) {
			continue
		}
		s = Sighting{Worker: w, at: now}
		if first {
			// It may have been silent before this process began: by how long, the beats
			// tell, which all have the store's time.
			s.at = now.Add(-newest.Sub(w.Seen))
		}
		f.seen[w.ID] = s
	}
	for id := range f.seen {
		if !there[id] {
			delete(f.seen, id)
		}
	}
	return nil
}

// Workers returns all workers that the store knows, by ID, and how long ago it
// told; known is false before the first time.
func (f *Fleet) Workers() (list []Sighting, ago time.Duration, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for _, s := range f.seen {
		// While the store is away nobody falls silent.
		s.Silent = max(0, f.read.Sub(s.at))
		s.Alive = s.Slots > 0 && s.Silent <= silence
		list = append(list, s)
	}
	slices.SortFunc(list, func(x, y Sighting) int { return strings.Compare(x.ID, y.ID) })
	return list, now.Sub(f.read), !f.read.IsZero()
}

// crew is a worker in an answer.
type crew struct {
	ID      string   `json:"id"`
	Host    string   `json:"host"`
	State   string   `json:"state"` // alive, lost or ended
	Slots   int      `json:"slots"`
	Free    int      `json:"free"`
	Version string   `json:"version"`
	Engine  int      `json:"engine"`
	Studies []string `json:"studies"` // of which it holds trials
	Held    uint64   `json:"held"`    // trials
	Done    uint64   `json:"done"`
	Rate    float64  `json:"trials_per_second"`
	Started string   `json:"started,omitempty"`
	Silent  float64  `json:"silent_seconds"`
}

func (a *api) workers(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	all, _, known := a.Fleet.Workers()
	if !known {
		return &problem{status: http.StatusServiceUnavailable, text: "the store has not told of workers yet: try again in a second"}
	}
	list := []crew{}
	for i := range all {
		list = append(list, all[i].crew(""))
	}
	reply(w, http.StatusOK, crews{list})
	return nil
}

// crews is a list of workers.
type crews struct {
	Workers []crew `json:"workers"`
}

// crews returns the workers that live; of these, what they hold of one study, or
// where that is "" of all.
func (a *api) crews(study string) crews {
	all, _, _ := a.Fleet.Workers()
	list := []crew{}
	for i := range all {
		if !all[i].Alive {
			continue
		}
		c := all[i].crew(study)
		c.Silent = 0 // it changes all the time and says nothing
		list = append(list, c)
	}
	return crews{list}
}

// crew returns a worker as it is told, with what it holds of a study, or where
// that is "" of all.
func (s *Sighting) crew(study string) crew {
	c := crew{
		ID: s.ID, Host: s.Host, State: "lost", Slots: s.Slots, Free: s.Free, Version: s.Version, Engine: s.Engine,
		Studies: []string{}, Done: s.Done, Rate: s.Rate, Started: stamp(s.Started), Silent: s.Silent.Seconds(),
	}
	switch {
	case s.Slots == 0:
		c.State = "ended"
	case s.Alive:
		c.State = "alive"
	}
	for _, h := range s.Held {
		if study == "" || h.Study == study {
			for _, span := range h.Trials {
				c.Held += span.To - span.From
			}
		}
		if !slices.Contains(c.Studies, h.Study) {
			c.Studies = append(c.Studies, h.Study)
		}
	}
	return c
}
