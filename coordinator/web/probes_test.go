package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"overnight/results"
)

func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		pulse := NewPulse()
		var away atomic.Value
		away.Store("")
		asked := 0
		check := func(name string) Check {
			return Check{name, func(context.Context) error {
				asked++
				if away.Load() == name {
					return errors.New("dial tcp 10.9.8.7: refused")
				}
				return nil
			}}
		}
		h := Probes{
			Pulse: pulse, Checks: []Check{check("store"), check("queue")}, Role: func() string { return "standby" },
			Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain(w, 200, "x 1") }), Log: zap.New(core),
		}.Handler()
		ask := func(path string) string {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			return strings.TrimSpace(http.StatusText(w.Code) + ": " + w.Body.String())
		}
		for _, s := range []struct {
			wait time.Duration
			away string
			path string
			want string
		}{
			{0, "", "/livez", "OK: alive"},
			{0, "", "/readyz", "OK: ready: standby"},
			{0, "", "/metrics", "OK: x 1"},
			{0, "", "/api/v1/studies", "Not Found: 404 page not found"},
			{2 * time.Second, "queue", "/readyz", "Service Unavailable: not ready: queue unreachable"},
			{2 * time.Second, "queue", "/readyz", "Service Unavailable: not ready: queue unreachable"},
			{2 * time.Second, "store", "/readyz", "Service Unavailable: not ready: store unreachable"},
			{0, "", "/readyz", "Service Unavailable: not ready: store unreachable"}, // of a moment ago
			{2 * time.Second, "", "/readyz", "OK: ready: standby"},
			{stuck, "", "/livez", "Service Unavailable: stuck for 38s"},
		} {
			time.Sleep(s.wait)
			away.Store(s.away)
			if got := ask(s.path); got != s.want {
				t.Errorf("%s: got %q, want %q", s.path, got, s.want)
			}
		}
		pulse.Beat()
		if got := ask("/livez"); got != "OK: alive" {
			t.Errorf("after a beat: %q", got)
		}
		if n := logs.FilterMessage("not ready").Len(); n != 2 {
			t.Errorf("%d lines that it is not ready, want one for each cause", n)
		}
		before := asked
		for range 100 {
			ask("/readyz")
		}
		if asked > before+2 {
			t.Errorf("%d checks for 100 probes", asked-before)
		}
	})
}

// beats is a store whose workers are set by tests.
type beats struct {
	list atomic.Pointer[[]results.Worker]
}

func (b *beats) Workers(context.Context) ([]results.Worker, error) {
	if l := b.list.Load(); l != nil {
		return *l, nil
	}
	return nil, errors.New("away")
}

// TestFleet holds that a worker is alive while its beat changes, whatever clock
// it was stamped by, and that nobody falls silent while the store is away.
func TestFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &beats{}
		f := NewFleet(store, nil)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { f.Run(ctx); close(ended) }()
		defer func() { stop(); <-ended }()
		clock := time.Unix(0, 0) // of the store: far from ours
		beat := map[string]time.Time{"a": clock, "b": clock.Add(-7 * time.Second), "old": clock.Add(-time.Hour), "ended": clock}
		step := func(ids ...string) {
			clock = clock.Add(time.Second)
			for _, id := range ids {
				beat[id] = clock
			}
			var list []results.Worker
			for id, seen := range beat {
				w := results.Worker{ID: id, Slots: 1, Seen: seen}
				if id == "ended" {
					w.Slots = 0
				}
				list = append(list, w)
			}
			store.list.Store(&list)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		alive := func() string {
			list, _, known := f.Workers()
			if !known {
				return "unknown"
			}
			var ids []string
			for _, s := range list {
				if s.Alive {
					ids = append(ids, s.ID)
				}
			}
			return strings.Join(ids, " ")
		}
		want := func(w string) {
			t.Helper()
			if got := alive(); got != w {
				t.Errorf("alive: %q, want %q", got, w)
			}
		}
		want("unknown")
		step("a")
		want("a b")
		clock = clock.Add(-time.Hour) // it jumps
		step("a", "b")
		want("a b")
		for range 11 {
			step("a")
		}
		want("a")
		step("a", "b", "old")
		want("a b old")
		store.list.Store(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		want("a b old")
		if _, ago, _ := f.Workers(); ago < time.Minute {
			t.Errorf("the store answered %v ago, want a minute", ago)
		}
	})
}
