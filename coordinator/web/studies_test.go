package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/coordinator"
	"overnight/coordinator/web/live"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
)

// TestStudyLife submits a study over the API and follows it to its removal.
func TestStudyLife(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	status, text := b.ask(t, Submit, http.MethodPost, "/api/v1/studies?priority=7&max_slots=3&keep=48h", fmt.Sprintf(studyFile, "life"))
	made := decode[map[string]any](t, text)
	if status != http.StatusCreated || made["study"] != "life" || made["trials"] != 6.0 || made["new"] != true {
		t.Fatalf("%d %s", status, text)
	}
	p, err := b.store.Plan(t.Context(), "life")
	if err != nil || !p.Submitted || p.Priority != 7 || p.MaxSlots != 3 || p.Keep != 48*time.Hour {
		t.Errorf("%+v %v", p, err)
	}
	// An edited study gets a name with an '@'.
	status, text = b.ask(t, Submit, http.MethodPost, "/api/v1/studies", fmt.Sprintf(studyFile, "life")+"seed: 7\n")
	if status != http.StatusCreated || decode[map[string]any](t, text)["study"] != "life@2" {
		t.Fatalf("%d %s", status, text)
	}
	for _, path := range []string{"life@2", "life%402"} {
		status, text = b.ask(t, View, http.MethodGet, "/api/v1/studies/"+path, "")
		if status != http.StatusOK || decode[standing](t, text).Study != "life@2" {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	list := decode[struct {
		Total   int
		Studies []standing
	}](t, second(b.ask(t, View, http.MethodGet, "/api/v1/studies?n=1", "")))
	if list.Total != 2 || len(list.Studies) != 1 || list.Studies[0].Study != "life@2" {
		t.Errorf("%+v, want the newest of two", list)
	}
	b.commit(t, p, results.Done, results.Failed, results.Done, results.Dead)
	st := decode[standing](t, second(b.ask(t, View, http.MethodGet, "/api/v1/studies/life", "")))
	if st.Committed != 4 || st.Done != 2 || st.Failed != 1 || st.Dead != 1 || st.CoreTime < 0.0059 || st.Priority != 7 || st.Keep != "48h0m0s" {
		t.Errorf("%+v", st)
	}
	status, text = b.ask(t, View, http.MethodGet, "/api/v1/studies/life/digest", "")
	if status != http.StatusConflict || !strings.Contains(text, "with 4 of 6 trials") {
		t.Errorf("%d %s", status, text)
	}
	for _, s := range []struct {
		do     string
		status int
		state  string
	}{
		{"pause", 200, "paused"}, {"pause", 200, "paused"}, {"resume", 200, "running"}, {"resume", 200, "running"},
		{"cancel", 200, "cancelled"}, {"cancel", 200, "cancelled"}, {"pause", 409, ""}, {"resume", 409, ""},
	} {
		status, text := b.ask(t, Submit, http.MethodPost, "/api/v1/studies/life/"+s.do, "")
		if got := decode[standing](t, text).State; status != s.status || got != s.state {
			t.Errorf("%s: %d %s, want %d and %q", s.do, status, text, s.status, s.state)
		}
	}
	if p, err = b.store.Plan(t.Context(), "life"); err != nil || p.Generation != 2 || p.Ended.IsZero() {
		t.Errorf("%+v %v, want the generation of after one cancel, and when it ended", p, err)
	}
	status, text = b.ask(t, Submit, http.MethodPost, "/api/v1/studies/life/retry", "")
	if status != http.StatusOK || decode[map[string]any](t, text)["trials"] != 2.0 {
		t.Errorf("%d %s, want 2 trials again", status, text)
	}
	orders, err := b.store.Beat(t.Context(), results.Worker{ID: "w", Slots: 1}, 0)
	var kinds []results.OrderKind
	for _, o := range orders {
		kinds = append(kinds, o.Kind)
	}
	if err != nil || !slices.Contains(kinds, results.Pause) || !slices.Contains(kinds, results.Resume) || !slices.Contains(kinds, results.Cancel) {
		t.Errorf("%v %v, want the orders given to workers", kinds, err)
	}
	if status, text := b.ask(t, Admin, http.MethodDelete, "/api/v1/studies/life", ""); status != http.StatusNoContent {
		t.Errorf("%d %s", status, text)
	}
	if status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/life", ""); status != http.StatusNotFound {
		t.Errorf("%d %s", status, text)
	}
}

func second(_ int, text string) string { return text }

// TestProblems holds that a wrong study is answered with what validate prints, and
// that no file of the service's machine is read for it.
func TestProblems(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	src := "study: x\nenv: {name: function, function: noop, busyy: 3}\nagents: [{name: randm}]\n"
	status, text := b.ask(t, Submit, http.MethodPost, "/api/v1/studies", src)
	_, err := jobs.Parse(fileName, []byte(src), catalog.New(), jobs.ParseOptions{})
	want := failure{
		Type: kindStudy, Title: "Unprocessable Entity", Status: http.StatusUnprocessableEntity, Instance: "/api/v1/studies",
		Detail: fmt.Sprintf("%d problems, nothing was run", len(err.(jobs.Problems))),
	}
	for _, p := range err.(jobs.Problems) {
		want.Problems = append(want.Problems, fault(p))
	}
	if diff := cmp.Diff(want, decode[failure](t, text)); diff != "" || status != http.StatusUnprocessableEntity || len(want.Problems) < 2 {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	for _, path := range []string{"/etc/passwd", "../../../etc/passwd", "history.csv"} {
		src := "study: x\ndata: {h: {csv: " + path + "}}\nenv: {name: marketing, history: $data.h}\nagents: [{name: random}]\n"
		status, text := b.ask(t, Submit, http.MethodPost, "/api/v1/studies", src)
		if status != http.StatusUnprocessableEntity || !strings.Contains(text, "data files are not read over the API") || strings.Contains(text, "root:") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	refusing := newBench(t, func(o *Options) {
		o.Submit = func(context.Context, *jobs.Study, []byte, Submission) (coordinator.Planned, error) {
			return coordinator.Planned{}, fmt.Errorf("too many bytes: %w", ErrRefused)
		}
	})
	status, text = refusing.ask(t, Submit, http.MethodPost, "/api/v1/studies", fmt.Sprintf(studyFile, "x"))
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, "too many bytes") {
		t.Errorf("%d %s", status, text)
	}
}

func TestTrials(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.plan(t, "one")
	b.commit(t, p, results.Done, results.Failed, results.Done, results.Overrun)
	status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/trials?from=1&to=4", "")
	var got []string
	for line := range strings.Lines(text) {
		got = append(got, fmt.Sprint(decode[map[string]any](t, line)["trial"], " ", decode[map[string]any](t, line)["status"]))
	}
	if diff := cmp.Diff([]string{"1 failed", "2 done", "3 overrun"}, got); diff != "" || status != 200 {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	row := appendRecord(nil, &results.Record{Trial: 1 << 60, Status: results.Done, Metrics: []float64{math.NaN(), math.Inf(-1), 0.1, 1e300}, Error: "a \"b\"\n\u2028", Elapsed: 1},
		[][]byte{[]byte(`"a":`), []byte(`"b":`), []byte(`"c":`)})
	if want := `{"trial":1152921504606846976,"point":0,"replication":0,"status":"done","attempts":0,"elapsed_ms":0.000001,"error":"a \"b\"\n\u2028","metrics":{"a":null,"b":"-Infinity","c":0.1}}`; string(row) != want || !json.Valid(row) {
		t.Errorf("got  %s\nwant %s", row, want)
	}
}

// TestLeaders asks for the best points, from the store's leaderboard and from the
// records.
func TestLeaders(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){"store": func(*Options) {}, "records": func(o *Options) { o.Store = bareStore{o.Store} }} {
		b := newBench(t, change)
		p := b.plan(t, "one")
		b.commit(t, p, results.Done, results.Done, results.Failed, results.Done) // metric = trial: points 0 (0, 3) and 1 (1)
		status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/leaders?n=5", "")
		got := decode[struct {
			Goal    string
			Leaders []live.Leader
		}](t, text)
		want := []live.Leader{
			{Point: 0, N: 2, Mean: 1.5, Task: "function", Arm: "random", Levels: map[string]any{"env.x1": 1.0}},
			{Point: 1, N: 1, Mean: 1, Task: "function", Arm: "random", Levels: map[string]any{"env.x1": 2.0}},
		}
		if got.Goal == "minimize" {
			slices.Reverse(want)
		}
		if diff := cmp.Diff(want, got.Leaders); diff != "" || status != 200 {
			t.Errorf("%s: %d (-want +got):\n%s", name, status, diff)
		}
	}
}

// TestLeadersInfinite holds that a run without a finite score takes no answer away.
func TestLeadersInfinite(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.plan(t, "one")
	b.commit(t, p, results.Done)
	for name, s := range map[string]Store{"store": infiniteStore{Store: b.store}, "records": bareStore{infiniteStore{Store: b.store}}} {
		b := newBench(t, func(o *Options) { o.Store = s })
		status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/leaders", "")
		if !strings.Contains(text, `"leaders":[]`) || status != 200 {
			t.Errorf("%s: %d %q", name, status, text)
		}
	}
}

// infiniteStore has infinite scores alone.
type infiniteStore struct{ Store }

func (infiniteStore) Leaders(context.Context, string, int, bool) ([]results.Leader, error) {
	return []results.Leader{{N: 1, Mean: math.Inf(1)}}, nil
}

func (infiniteStore) Scan(context.Context, string, uint64, uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		yield(results.Record{Status: results.Done, Metrics: slices.Repeat([]float64{math.Inf(-1)}, 100)}, nil)
	}
}

// bareStore has none of a store's optional roles.
type bareStore struct{ Store }

// event is a server-sent event.
type event struct {
	kind string
	moment
}

// TestEvents follows a study until it ends, by this replica's coordinator and by
// the store.
func TestEvents(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"coordinator", "store"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			done := make(chan uint64, 1)
			done <- 1
			b := newBench(t, func(o *Options) {
				if how == "store" {
					return
				}
				o.Progress = func() []coordinator.Progress {
					n := <-done
					done <- n
					if n == 6 {
						return nil // it has ended, and the store says so
					}
					return []coordinator.Progress{
						{Study: "one", State: results.Running, Total: 6}, // it has not begun: the store knows more
						{Study: "one", State: results.Running, Total: 6, Done: n, Rate: 2.5, Workers: 1, Started: time.Now()},
					}
				}
			})
			p := b.plan(t, "one")
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL+"/api/v1/studies/one/events", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+b.tokens[View])
			answer, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if got := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || got != "text/event-stream" {
				t.Fatalf("%d %s", answer.StatusCode, got)
			}
			lines := bufio.NewScanner(answer.Body)
			next := func() (e event) {
				for lines.Scan() {
					switch kind, rest, _ := strings.Cut(lines.Text(), ": "); kind {
					case "event":
						e.kind = rest
					case "data":
						e.moment = decode[moment](t, rest)
					case "":
						if e.kind != "" {
							return e
						}
					}
				}
				return e
			}
			first := next()
			began := time.Now()
			if first.kind != "progress" || first.State != "running" || first.Trials != 6 {
				t.Errorf("%+v", first)
			}
			b.commit(t, p, results.Done, results.Done)
			<-done
			done <- 2
			if e := next(); e.kind != "progress" || e.Committed != 2 {
				t.Errorf("%+v, want 2 committed", e)
			}
			if how == "coordinator" {
				// Whatever changes, no more than five a second are sent.
				for n := uint64(3); n < 6; n++ {
					<-done
					done <- n
					if e := next(); e.Committed != n || e.Rate != 2.5 {
						t.Errorf("%+v, want %d committed", e, n)
					}
				}
				if took := time.Since(began); took < 4*eventEvery-50*time.Millisecond {
					t.Errorf("4 events took %v, want %v or more", took, 4*eventEvery)
				}
			}
			<-done
			done <- 6
			if err := (storeOrders{b.store}).Cancel(t.Context(), "one"); err != nil {
				t.Fatal(err)
			}
			if e := next(); e.kind != "end" || e.State != "cancelled" {
				t.Errorf("%+v, want the end", e)
			}
			if lines.Scan() {
				t.Errorf("%q after the end", lines.Text())
			}
		})
	}
}

// TestStreams holds that streams are bounded, for each who asks and in all, and
// that one ends when its token goes.
func TestStreams(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plan(t, "one")
	others := func(n int) { // other people's streams
		b.api.places.mu.Lock()
		defer b.api.places.mu.Unlock()
		b.api.places.all += n
	}
	streams := func() int {
		b.api.places.mu.Lock()
		defer b.api.places.mu.Unlock()
		return b.api.places.all
	}
	others(maxStreams)
	for _, path := range []string{"events", "trials"} {
		if status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/"+path, ""); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	others(-1)
	ended := make(chan int, 1)
	go func() {
		status, _ := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/events", "")
		ended <- status
	}()
	for streams() < maxStreams {
		time.Sleep(5 * time.Millisecond)
	}
	replace(t, b.file, "# nobody\n")
	select {
	case status := <-ended:
		if status != 200 {
			t.Errorf("%d, want 200", status)
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream outlives its token")
	}
	b.api.parsing = make(chan struct{}) // without a free place
	if _, err := b.api.parse([]byte("study: x")); err == nil || !strings.Contains(err.Error(), "being checked") {
		t.Errorf("got %v, want it put off", err)
	}
}

// TestTrialsRuled: what confirms a point and what is surplus is marked, wherever the
// answer begins.
func TestTrialsRuled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.plan(t, "one", "confirm: {top: 1, replications: 2}\n")
	statuses := make([]results.Status, p.Trials)
	for i := range statuses {
		statuses[i] = results.Done
	}
	b.commit(t, p, statuses...) // metric = trial: point 2 looks best, at the lowest return or the highest
	for from, want := range map[uint64][]string{
		0: {"0", "1", "2", "3", "4", "5", "6 confirms surplus", "7 confirms surplus", "8 confirms", "9 confirms surplus", "10 confirms surplus", "11 confirms"},
		7: {"7 confirms surplus", "8 confirms", "9 confirms surplus", "10 confirms surplus", "11 confirms"},
	} {
		status, text := b.ask(t, View, http.MethodGet, fmt.Sprintf("/api/v1/studies/one/trials?from=%d", from), "")
		var got []string
		for line := range strings.Lines(text) {
			r := decode[map[string]any](t, line)
			what := fmt.Sprint(r["trial"])
			for _, mark := range []string{"confirms", "surplus"} {
				if r[mark] == true {
					what += " " + mark
				}
			}
			got = append(got, what)
		}
		if diff := cmp.Diff(want, got); diff != "" || status != 200 {
			t.Errorf("from %d: %d (-want +got):\n%s", from, status, diff)
		}
	}
}

// TestLeadersCount holds that the list counts what points are compared by alone -
// neither what confirms a point nor what is surplus - and that the oracle stands
// behind the arms that are measured by it.
func TestLeadersCount(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.plan(t, "one", "confirm: {top: 1, replications: 2}\n")
	done := slices.Repeat([]results.Status{results.Done}, int(p.Trials))
	b.commit(t, p, done...) // two replications of three points, and two that confirm
	type answer struct{ Leaders []live.Leader }
	status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/leaders", "")
	got := decode[answer](t, text).Leaders
	if len(got) != 3 || status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for _, l := range got {
		if want := float64(l.Point) + 1.5; l.N != 2 || l.Mean != want || l.Reference {
			t.Errorf("%+v, want 2 runs with mean %v", l, want)
		}
	}

	src := []byte("study: two\nenv: {name: marketing, volatility_scale: {grid: [0, 1, 2]}}\nevaluate: {final: 1}\nagents: [{name: random}, {name: oracle}]\nreplications: 1\n")
	s, err := jobs.Parse("x.yaml", src, catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	planned, err := coordinator.Submit(t.Context(), s, src, coordinator.Options{Store: b.store, Catalog: catalog.New()})
	if err != nil {
		t.Fatal(err)
	}
	b.commit(t, planned.Plan, slices.Repeat([]results.Status{results.Done}, 6)...) // metric = trial = point, the oracle's last
	for n, want := range map[int][]uint64{2: {2, 1}, 3: {2, 1, 0}, 4: {2, 1, 0, 5}, 20: {2, 1, 0, 5, 4, 3}} {
		_, text := b.ask(t, View, http.MethodGet, fmt.Sprintf("/api/v1/studies/two/leaders?n=%d", n), "")
		var points []uint64
		for _, l := range decode[answer](t, text).Leaders {
			points = append(points, l.Point)
			if l.Reference != (l.Arm == "oracle") {
				t.Errorf("%+v is marked wrongly", l)
			}
		}
		if diff := cmp.Diff(want, points); diff != "" {
			t.Errorf("the best %d (-want +got):\n%s", n, diff)
		}
		view, err := live.New(s, planned.Name, b.store)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := view.Read(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		list, err := view.Leaders(n)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decode[answer](t, text).Leaders, decode[[]live.Leader](t, string(shown))); diff != "" {
			t.Errorf("the live board of %d differs (-leaders +board):\n%s", n, diff)
		}
	}
}
