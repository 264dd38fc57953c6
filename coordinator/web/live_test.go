package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/storetest"
)

// counted is a store that counts what is asked of it.
type counted struct {
	*storetest.Memory
	plans, tallies, ledgers, studies atomic.Int64
	away                             atomic.Bool
	unread                           atomic.Int64 // ledgers that can't be read
}

var errAway = errors.New("connection refused")

func (c *counted) Plan(ctx context.Context, study string) (results.Plan, error) {
	c.plans.Add(1)
	if c.away.Load() {
		return results.Plan{}, errAway
	}
	return c.Memory.Plan(ctx, study)
}

func (c *counted) Tally(ctx context.Context, study string) (results.Tally, error) {
	c.tallies.Add(1)
	return c.Memory.Tally(ctx, study)
}

func (c *counted) Ledger(ctx context.Context, study string) (*results.Ledger, error) {
	c.ledgers.Add(1)
	if c.unread.Add(-1) >= 0 {
		return nil, errAway
	}
	return c.Memory.Ledger(ctx, study)
}

func (c *counted) Studies(ctx context.Context) ([]results.Plan, error) {
	c.studies.Add(1)
	if c.away.Load() {
		return nil, errAway
	}
	return c.Memory.Studies(ctx)
}

// stage is an API on a store in memory, for tests whose time is not real.
type stage struct {
	t     *testing.T
	store *counted
	api   *api
	plan  results.Plan
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, store: &counted{Memory: storetest.NewMemory(time.Now)}}
	s.api = newAPI(Options{Store: s.store, Fleet: NewFleet(s.store, nil), Catalog: catalog.New(), Orders: storeOrders{s.store}})
	src := []byte(fmt.Sprintf(studyFile, "one"))
	study, err := jobs.Parse("x.yaml", src, s.api.Catalog, jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := coordinator.Submit(t.Context(), study, src, coordinator.Options{Store: s.store, Catalog: s.api.Catalog, Submit: coordinator.SubmitOptions{Submitted: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.plan = p.Plan
	return s
}

func (s *stage) commit(trials ...uint64) {
	s.t.Helper()
	for _, i := range trials {
		r := results.Record{Trial: i, Point: i % s.plan.Points, Replication: i / s.plan.Points, Status: results.Done, Attempts: 1, Metrics: make([]float64, len(s.plan.Metrics))}
		for m := range r.Metrics {
			r.Metrics[m] = float64(i)
		}
		if _, err := s.store.Commit(s.t.Context(), s.plan.Study, s.plan.Generation, []results.Record{r}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// viewer is somebody with a stream open.
type viewer struct {
	header http.Header
	status int
	mu     sync.Mutex
	body   bytes.Buffer
	cancel context.CancelFunc
	done   chan struct{}
}

func (v *viewer) Header() http.Header              { return v.header }
func (v *viewer) WriteHeader(status int)           { v.status = status }
func (v *viewer) SetWriteDeadline(time.Time) error { return nil }
func (v *viewer) FlushError() error                { return nil }
func (v *viewer) Write(b []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.body.Write(b)
}

// heard returns the events since it was called last.
func (v *viewer) heard() (kinds []string, last map[string]map[string]any) {
	v.mu.Lock()
	text := v.body.String()
	v.body.Reset()
	v.mu.Unlock()
	last = map[string]map[string]any{}
	kind := ""
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		switch k, rest, _ := strings.Cut(lines.Text(), ": "); k {
		case "event":
			kind = rest
			kinds = append(kinds, rest)
		case "data":
			var m map[string]any
			if json.Unmarshal([]byte(rest), &m) == nil {
				last[kind] = m
			}
		}
	}
	return kinds, last
}

func (s *stage) view(path string) *viewer {
	ctx, cancel := context.WithCancel(s.t.Context())
	v := &viewer{header: http.Header{}, cancel: cancel, done: make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1"+path, nil)
	h := s.api.handler()
	go func() {
		defer close(v.done)
		h.ServeHTTP(v, r)
	}()
	return v
}

func (v *viewer) leave() {
	v.cancel()
	<-v.done
}

// TestLive follows a study with two viewers: what they are told, how often, and
// that the store is asked once for both.
func TestLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		a, b := s.view("/api/v1/studies/one/live"), s.view("/api/v1/studies/one/live")
		synctest.Wait()
		kinds, last := a.heard()
		if diff := cmp.Diff([]string{"progress", "trouble", "workers", "board", "failures", "figures"}, kinds); diff != "" {
			t.Errorf("at first (-want +got):\n%s", diff)
		}
		if last["progress"]["state"] != "running" || last["progress"]["trials"] != 6.0 {
			t.Errorf("%v", last["progress"])
		}
		if kinds, _ := b.heard(); len(kinds) != 6 {
			t.Errorf("the second is told %v", kinds)
		}

		// Thirty seconds in which a record comes every 100 ms, as far as there are any.
		plans, ledgers := s.store.plans.Load(), s.store.ledgers.Load()
		for i := range 300 {
			if i < 6 {
				s.commit(uint64(i))
			}
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		kinds, last = a.heard()
		count := map[string]int{}
		for _, k := range kinds {
			count[k]++
		}
		if count["progress"] > 2 || count["progress"] == 0 || count["board"] > 2 || count["board"] == 0 {
			t.Errorf("in half a minute with 600 ms of news: %v", count)
		}
		if last["progress"]["committed"] != 6.0 || last["board"]["read"] != 6.0 || len(last["board"]["leaders"].([]any)) != 3 {
			t.Errorf("%v %v", last["progress"], last["board"])
		}
		if n := s.store.plans.Load() - plans; n > 35+3 {
			t.Errorf("%d reads of the plan in 30 s for two viewers", n)
		}
		if n := s.store.ledgers.Load() - ledgers; n > 3 {
			t.Errorf("%d reads of the ledger where little is new", n)
		}

		// It is paused, then the engine is away, then it is there again.
		if err := s.api.Orders.Pause(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, last = a.heard(); last["progress"]["state"] != "paused" {
			t.Errorf("%v", last)
		}
		s.store.away.Store(true)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if _, last = a.heard(); last["trouble"]["text"] == "" || last["trouble"] == nil {
			t.Errorf("%v, want word of the trouble", last)
		}
		s.store.away.Store(false)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if _, last = a.heard(); last["trouble"] == nil || last["trouble"]["text"] != "" {
			t.Errorf("%v, want word that it is over", last)
		}

		// The first leaves, and the second is told of the end.
		a.leave()
		if err := s.api.Orders.Cancel(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, last = b.heard(); last["progress"]["state"] != "cancelled" {
			t.Errorf("%v", last)
		}
		if err := s.api.Orders.Delete(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if _, last = b.heard(); last["progress"]["state"] != "removed" {
			t.Errorf("%v", last)
		}
		b.leave()

		// Nobody looks: nothing is read.
		before := s.store.plans.Load() + s.store.tallies.Load()
		time.Sleep(time.Minute)
		if after := s.store.plans.Load() + s.store.tallies.Load(); after != before || len(s.api.hub.channels) != 0 {
			t.Errorf("%d reads where nobody looks, %d channels", after-before, len(s.api.hub.channels))
		}
	})
}

// TestLiveAgain holds that who comes back is shown what was read before, without
// its being read again.
func TestLiveAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.commit(0, 1, 2)
		for range 2 {
			v := s.view("/api/v1/studies/one/live")
			synctest.Wait()
			if _, last := v.heard(); last["board"]["read"] != 3.0 {
				t.Errorf("%v", last["board"])
			}
			v.leave()
		}
		if n := len(s.api.views.list); n != 1 {
			t.Errorf("%d views are kept of one study", n)
		}
	})
}

// TestLiveReadAgain holds that what could not be read is shown once it can be, also
// where nothing else changes.
func TestLiveReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.commit(0, 1, 2)
		s.store.unread.Store(1)
		v := s.view("/api/v1/studies/one/live")
		synctest.Wait()
		if _, last := v.heard(); last["board"] != nil {
			t.Fatalf("%v", last["board"])
		}
		time.Sleep(overEvery + 2*viewEvery)
		synctest.Wait()
		if _, last := v.heard(); last["board"]["read"] != 3.0 {
			t.Errorf("%v", last["board"])
		}
		v.leave()
	})
}

// TestLiveStudies follows the list.
func TestLiveStudies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v, other := s.view("/api/v1/live"), s.view("/api/v1/live")
		synctest.Wait()
		if kinds, _ := v.heard(); !slices.Equal(kinds, []string{"studies", "trouble", "workers"}) {
			t.Errorf("%v", kinds)
		}
		if err := s.api.Orders.Cancel(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		_, last := v.heard()
		list := last["studies"]["studies"].([]any)
		if len(list) != 1 || list[0].(map[string]any)["state"] != "cancelled" {
			t.Errorf("%v", list)
		}
		studies, tallies := s.store.studies.Load(), s.store.tallies.Load()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n, m := s.store.studies.Load()-studies, s.store.tallies.Load()-tallies; n > 11 || m > 0 {
			t.Errorf("in 10 s for two viewers %d lists were read, and %d tallies of a study that is over", n, m)
		}
		s.store.away.Store(true)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, last := v.heard(); last["trouble"]["text"] == "" {
			t.Errorf("%v", last)
		}
		v.leave()
		other.leave()
	})
}

// TestLiveAnswers holds what is streamed against the schemas of the document, and
// that a stream of a study that is not there is a problem.
func TestLiveAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.commit(0, 1, 2)
		doc := readDocument(t, string(openAPI()))
		of := map[string]string{"progress": "Progress", "trouble": "Trouble", "workers": "Workers", "board": "Board", "failures": "Failures", "figures": "Figures", "studies": "Studies"}
		seen := 0
		for _, path := range []string{"/api/v1/studies/one/live", "/api/v1/live"} {
			v := s.view(path)
			synctest.Wait()
			_, last := v.heard()
			for kind, m := range last {
				seen++
				if err := doc.check(map[string]any{"$ref": "#/components/schemas/" + of[kind]}, any(m), kind); err != nil {
					t.Error(err)
				}
			}
			v.leave()
		}
		if seen != 9 {
			t.Errorf("%d kinds of events", seen)
		}
		v := s.view("/api/v1/studies/none/live")
		synctest.Wait()
		if v.status != http.StatusNotFound || v.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d %v", v.status, v.header)
		}
		v.leave()
	})
}
