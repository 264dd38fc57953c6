package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"overnight/results"
)

// Times of event streams.
const (
	eventEvery = 200 * time.Millisecond // at most five a second
	storeEvery = time.Second            // reads of the store where another replica coordinates
	pingEvery  = 15 * time.Second       // so that proxies keep the connection
)

// moment is one event: where the study stands.
type moment struct {
	State     string  `json:"state"`
	Trials    uint64  `json:"trials"`
	Committed uint64  `json:"committed"`
	Done      uint64  `json:"done"`
	Failed    uint64  `json:"failed"`
	Dead      uint64  `json:"dead"`
	Overrun   uint64  `json:"overrun"`
	Workers   int     `json:"workers,omitempty"`
	Jobs      int     `json:"jobs,omitempty"`
	Rate      float64 `json:"trials_per_second,omitempty"`
	Left      float64 `json:"seconds_left,omitempty"`
	Waits     string  `json:"waits,omitempty"`   // what it waits for, such as an engine
	Trouble   string  `json:"trouble,omitempty"` // what fails and is tried again
}

// removed is the state of a study that was there when the stream began.
const removed results.State = "removed"

// over tells whether no more events follow.
func (m *moment) over() bool {
	switch results.State(m.State) {
	case results.Finished, results.Stopped, results.Cancelled, removed:
		return true
	}
	return false
}

// events streams where a study stands as server-sent events: "progress" when it
// changes, and "end" once it is over, which is the last.
func (a *api) events(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	done, err := a.stream(r.Context())
	if err != nil {
		return err
	}
	defer done()
	name := r.PathValue("name")
	f := follower{api: a, study: name}
	m, err := f.look(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	who := asker(r)
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	var last moment
	sent := time.Now()
	for first := true; ; first = false {
		switch {
		case first || m != last:
			kind := "progress"
			if m.over() {
				kind = "end"
			}
			b, err := json.Marshal(m)
			if err != nil {
				return err
			}
			err = control.SetWriteDeadline(time.Now().Add(streamTimeout))
			if err == nil {
				_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", kind, b)
			}
			if err != nil || control.Flush() != nil || m.over() {
				return nil
			}
			last, sent = m, time.Now()
		case time.Since(sent) >= pingEvery:
			err := control.SetWriteDeadline(time.Now().Add(streamTimeout))
			if err == nil {
				_, err = fmt.Fprint(w, ": still here\n\n")
			}
			if err != nil || control.Flush() != nil {
				return nil
			}
			sent = time.Now()
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-closing(r):
			return nil
		case <-tick.C:
		}
		if !a.still(who, View) {
			return nil // the token was taken away
		}
		next, err := f.look(r.Context())
		switch {
		case err == nil:
			m = next
		case errors.Is(err, results.ErrNotFound):
			m = moment{State: string(removed)}
		} // else the engine is away for a while
	}
}

// follower reads where a study stands, from this replica's coordinator if it has
// the study, else from the store.
type follower struct {
	*api
	study string
	read  time.Time
	last  moment
}

func (f *follower) look(ctx context.Context) (moment, error) {
	for _, p := range f.Progress() {
		// Before it began to work it knows of no record yet.
		if p.Study == f.study && p.State == results.Running && !p.Started.IsZero() {
			return moment{
				State: string(p.State), Trials: p.Total, Committed: p.Done,
				Done: p.Tally.Done, Failed: p.Tally.Failed, Dead: p.Tally.Dead, Overrun: p.Tally.Overrun,
				Workers: p.Workers, Jobs: p.Jobs, Rate: p.Rate, Left: p.Left.Seconds(),
				Waits: p.Waits, Trouble: p.Trouble,
			}, nil
		}
	}
	if !f.read.IsZero() && time.Since(f.read) < storeEvery {
		return f.last, nil
	}
	m, err := f.looks.look(ctx, f.Store, f.study)
	if err == nil {
		f.read, f.last = time.Now(), m
	}
	return m, err
}

// looks reads where studies stand from the store once for all who ask within
// storeEvery.
type looks struct {
	mu sync.Mutex
	at map[string]*looked
}

type looked struct {
	mu   sync.Mutex
	read time.Time
	last moment
}

// maxLooks bounds how many studies are remembered.
const maxLooks = 256

func (l *looks) look(ctx context.Context, store Store, study string) (moment, error) {
	l.mu.Lock()
	k := l.at[study]
	if k == nil {
		if len(l.at) >= maxLooks {
			clear(l.at)
		}
		k = &looked{}
		l.at[study] = k
	}
	l.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.read.IsZero() && time.Since(k.read) < storeEvery*9/10 {
		return k.last, nil
	}
	p, err := store.Plan(ctx, study)
	if err != nil {
		return moment{}, err
	}
	t, err := store.Tally(ctx, study)
	if err != nil {
		return moment{}, err
	}
	k.read = time.Now()
	k.last = moment{State: string(p.State), Trials: p.Expected(), Committed: t.Total(), Done: t.Done, Failed: t.Failed, Dead: t.Dead, Overrun: t.Overrun}
	return k.last, nil
}
