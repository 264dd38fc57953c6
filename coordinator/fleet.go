package coordinator

import (
	"context"
	"slices"
	"time"

	"overnight/results"
)

// fleet watches the workers' beats. Clocks differ and jump, so it looks whether
// Worker.Seen changes, and measures by this process's monotonic clock. It may be
// shared between the runs of a Service.
type fleet struct {
	store Store
	lost  time.Duration // silence after which a worker is lost
	every time.Duration // between two reads of the store
	alone bool

	turn  chan struct{} // a lock: whoever waits for it may wait for the store
	read  time.Time
	alive []sighting
	seen  map[string]*sighting
}

// unwatched is how long the time between two looks at the workers may be; of more
// it is the store, or this process, that was not there.
const unwatched = 2 * time.Second

// sighting is a worker as it beat last.
type sighting struct {
	results.Worker
	at    time.Time // when its beat was seen
	beats int       // how many were seen; the first may be old
	fresh bool      // one of them came while we watched
	free  time.Time // since when all of its beats told of a free slot; zero: the last did not
}

func newFleet(store Store, lost, every time.Duration, alone bool) *fleet {
	return &fleet{store: store, lost: lost, every: every, alone: alone, turn: make(chan struct{}, 1), seen: map[string]*sighting{}}
}

// look returns the workers that live. One that is seen for the first time counts
// as alive until it has been silent for the time of lost - unless it was there
// before a coordinator that is alone with its queue.
func (f *fleet) look(ctx context.Context) ([]sighting, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := time.Now()
	if !f.read.IsZero() && now.Sub(f.read) < f.every*3/4 {
		return f.alive, nil
	}
	ws, err := f.store.Workers(ctx)
	if err != nil {
		return nil, err
	}
	now = time.Now()
	first := f.read.IsZero()
	if gap := now.Sub(f.read); !first && gap > max(unwatched, 4*f.every) {
		// Nobody could beat, or be seen to: that time is nobody's silence.
		for _, s := range f.seen {
			s.at, s.free = s.at.Add(gap), time.Time{}
		}
	}
	f.read = now
	there := make(map[string]bool, len(ws))
	f.alive = make([]sighting, 0, len(ws))
	for _, w := range ws {
		there[w.ID] = true
		s := f.seen[w.ID]
		switch {
		case s == nil:
			s = &sighting{Worker: w, at: now, beats: 1, fresh: !first}
			if first && f.alone {
				s.at = now.Add(-2 * f.lost)
			}
			f.seen[w.ID] = s
		case !w.Seen.Equal(s.Seen):
			s.Worker, s.at = w, now
			s.beats++
			s.fresh = true
			switch {
			case w.Free == 0:
				s.free = time.Time{}
			case s.free.IsZero():
				s.free = now
			}
		}
		if s.Slots > 0 && now.Sub(s.at) <= f.lost {
			f.alive = append(f.alive, *s)
		}
	}
	for id := range f.seen {
		if !there[id] {
			delete(f.seen, id)
		}
	}
	slices.SortFunc(f.alive, func(a, b sighting) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return f.alive, nil
}

// holds tells whether the worker holds jobs of a study, of any generation.
func (s *sighting) holds(study string) bool {
	return slices.ContainsFunc(s.Held, func(h results.Held) bool { return h.Study == study })
}
