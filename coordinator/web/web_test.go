package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
	"overnight/results/sqlitestore"
)

const studyFile = `
study: %s
env: {name: function, function: noop, x1: {grid: [1, 2, 3]}}
agents: [{name: random}]
replications: 2
`

// bench is an API on a store, with a token of each role.
type bench struct {
	store  *sqlitestore.Store
	api    *api
	server *httptest.Server
	logs   *observer.ObservedLogs
	tokens map[Role]string
	file   string // of tokens
	fleet  *Fleet
}

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), t.TempDir(), sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	log := zap.New(core)
	b := &bench{store: store, logs: logs, tokens: map[Role]string{}, file: filepath.Join(t.TempDir(), "tokens"), fleet: NewFleet(store, log)}
	var lines strings.Builder
	for r := View; r <= Admin; r++ {
		secret, line, err := NewToken(r, r.String()+" of the tests")
		if err != nil {
			t.Fatal(err)
		}
		b.tokens[r] = secret
		lines.WriteString(line)
	}
	if err := os.WriteFile(b.file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := LoadTokens(log, b.file)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New()
	o := Options{
		Store: store, Fleet: b.fleet, Catalog: cat, Orders: storeOrders{store}, Tokens: tokens, Log: log,
		Submit: func(ctx context.Context, s *jobs.Study, source []byte, sub Submission) (coordinator.Planned, error) {
			return coordinator.Submit(ctx, s, source, coordinator.Options{Store: store, Catalog: cat, Submit: coordinator.SubmitOptions{
				Submitted: true, Priority: sub.Priority, MaxSlots: sub.MaxSlots, Keep: sub.Keep,
			}})
		},
		Model: func(ctx context.Context, p results.Plan, study *jobs.Study) (*report.Model, error) {
			return report.Build(study, results.Skim(ctx, store, p.Study, 0, p.Trials), report.Options{})
		},
		Report: func(_ context.Context, study string, _ Replay, w io.Writer) error {
			_, err := fmt.Fprintf(w, "<!DOCTYPE html><title>%s</title>", study)
			return err
		},
		Export: func(_ context.Context, study, what, format string, w io.Writer) error {
			_, err := fmt.Fprintln(w, study, what, format)
			return err
		},
	}
	for _, f := range change {
		f(&o)
	}
	b.api = newAPI(o)
	b.server = httptest.NewServer(b.api.handler())
	b.server.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	t.Cleanup(func() {
		b.server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		b.quiet(t)
	})
	return b
}

// quiet fails where a log line holds a token.
func (b *bench) quiet(t *testing.T) {
	t.Helper()
	for _, e := range b.logs.All() {
		text := fmt.Sprint(e.Message, e.ContextMap())
		for _, secret := range b.tokens {
			if strings.Contains(text, secret) || strings.Contains(text, "ovn_") {
				t.Errorf("a log line holds a token: %s", text)
			}
		}
	}
}

// ask sends a request with a token of a role (0: none) and returns status and body.
func (b *bench) ask(t *testing.T, role Role, method, path, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/yaml")
	}
	if role != 0 {
		req.Header.Set("Authorization", "Bearer "+b.tokens[role])
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	answer, err := http.DefaultTransport.RoundTrip(req) // which follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") == "text/event-stream" && strings.HasSuffix(path, "/live") {
		return answer.StatusCode, "" // it does not end
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// plan submits a study straight to the store.
func (b *bench) plan(t *testing.T, name string, more ...string) results.Plan {
	t.Helper()
	src := []byte(fmt.Sprintf(studyFile, name) + strings.Join(more, ""))
	s, err := jobs.Parse("x.yaml", src, catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := coordinator.Submit(t.Context(), s, src, coordinator.Options{Store: b.store, Catalog: catalog.New(), Submit: coordinator.SubmitOptions{Submitted: true}})
	if err != nil {
		t.Fatal(err)
	}
	return p.Plan
}

// commit commits records of a study's first trials, with the trial as metric.
func (b *bench) commit(t *testing.T, p results.Plan, statuses ...results.Status) {
	t.Helper()
	var rs []results.Record
	for i, s := range statuses {
		r := results.Record{Trial: uint64(i), Point: uint64(i) % p.Points, Replication: uint64(i) / p.Points, Status: s, Attempts: 1, Elapsed: 1500 * time.Microsecond}
		switch s {
		case results.Done:
			r.Metrics = make([]float64, len(p.Metrics))
			for m := range r.Metrics {
				r.Metrics[m] = float64(i)
			}
		default:
			r.Error = "went wrong"
		}
		rs = append(rs, r)
	}
	if _, err := b.store.Commit(t.Context(), p.Study, p.Generation, rs); err != nil {
		t.Fatal(err)
	}
}

// decode reads a JSON answer.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// TestRoles asks every route with every role and without a token. A study is
// planned anew for each change, so that nothing is in the way but the role.
func TestRoles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.fleet.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]Role{
		"GET /{$}":                               View,
		"GET /studies/{name}":                    View,
		"GET /signin":                            everybody,
		"GET /assets/{file}":                     everybody,
		"GET /api/v1/openapi.json":               everybody,
		"GET /api/v1/session":                    everybody,
		"POST /api/v1/session":                   everybody,
		"DELETE /api/v1/session":                 View,
		"GET /api/v1/workers":                    View,
		"GET /api/v1/live":                       View,
		"GET /api/v1/studies":                    View,
		"GET /api/v1/studies/{name}":             View,
		"GET /api/v1/studies/{name}/compare":     View,
		"GET /api/v1/studies/{name}/digest":      View,
		"GET /api/v1/studies/{name}/events":      View,
		"GET /api/v1/studies/{name}/export":      View,
		"GET /api/v1/studies/{name}/failures":    View,
		"GET /api/v1/studies/{name}/figures":     View,
		"GET /api/v1/studies/{name}/leaders":     View,
		"GET /api/v1/studies/{name}/live":        View,
		"GET /api/v1/studies/{name}/report":      View,
		"GET /api/v1/studies/{name}/results":     View,
		"GET /api/v1/studies/{name}/sensitivity": View,
		"GET /api/v1/studies/{name}/source":      View,
		"GET /api/v1/studies/{name}/trials":      View,
		"POST /api/v1/studies":                   Submit,
		"POST /api/v1/studies/{name}/cancel":     Submit,
		"POST /api/v1/studies/{name}/pause":      Submit,
		"POST /api/v1/studies/{name}/resume":     Submit,
		"POST /api/v1/studies/{name}/retry":      Submit,
		"DELETE /api/v1/studies/{name}":          Admin,
	}
	finish := func(p results.Plan) {
		t.Helper()
		_, err := b.store.Update(t.Context(), p.Study, func(p *results.Plan) error {
			p.State, p.Digest = results.Finished, strings.Repeat("a", 64)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	looked := b.plan(t, "looked-at")
	b.commit(t, looked, results.Done, results.Done, results.Done)
	finish(looked)
	routes := b.api.routes()
	if len(routes) != len(want) {
		t.Errorf("%d routes, and the table has %d", len(routes), len(want))
	}
	n := 0
	for _, rt := range routes {
		method, path, _ := strings.Cut(rt.pattern, " ")
		for role := Role(0); role <= Admin; role++ {
			b.api.failures.mu.Lock()
			clear(b.api.failures.cleared) // or the many without a token count
			b.api.failures.mu.Unlock()
			n++
			name := fmt.Sprintf("s%d", n)
			switch {
			case method == http.MethodGet:
				name = "looked-at"
			case rt.action != "":
				p := b.plan(t, name)
				b.commit(t, p, results.Done, results.Done, results.Done)
				if method == http.MethodDelete {
					finish(p)
				}
			}
			before := b.logs.FilterMessage("audit").Len()
			path := strings.NewReplacer("{name}", name, "{file}", "ui.css", "{$}", "").Replace(path)
			body := fmt.Sprintf(studyFile, name)
			if rt.pattern == "POST /api/v1/session" {
				body = fmt.Sprintf(`{"token": %q}`, b.tokens[View])
			}
			status, text := b.ask(t, role, method, path, body)
			ok := status >= 200 && status < 300
			if strings.HasSuffix(path, "/compare") {
				ok = status == http.StatusUnprocessableEntity // the study has one arm: that is for who may ask
			}
			switch need := want[rt.pattern]; {
			case need == everybody:
				if !ok {
					t.Errorf("%s as %v: %d %s", rt.pattern, role, status, text)
				}
			case role == 0 && rt.page:
				if status != http.StatusSeeOther {
					t.Errorf("%s without a token: %d, want the way to the sign-in page", rt.pattern, status)
				}
			case role == 0 && status != http.StatusUnauthorized:
				t.Errorf("%s without a token: %d %s", rt.pattern, status, text)
			case role > 0 && role < need && status != http.StatusForbidden:
				t.Errorf("%s as %v: %d %s, want 403", rt.pattern, role, status, text)
			case role >= need && !ok:
				t.Errorf("%s as %v: %d %s", rt.pattern, role, status, text)
			}
			audits := b.logs.FilterMessage("audit").Len() - before
			if (audits == 1) != (rt.action != "" && role > 0) || audits > 1 {
				t.Errorf("%s as %v: %d audit lines", rt.pattern, role, audits)
			}
		}
	}
}
