package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
	"overnight/results/storetest"
)

// FuzzParseTokens holds that what is accepted is roles and whole sums, and that
// no error repeats what stands behind the role.
func FuzzParseTokens(f *testing.F) {
	_, line, err := NewToken(Admin, "somebody")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(line))
	f.Add([]byte("# x\n\nview " + strings.Repeat("0", 64) + "\n"))
	f.Add([]byte("submit ovn_notahash\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parseTokens(text)
		if err != nil {
			for _, word := range strings.Fields(string(text)) {
				if len(word) > 20 && strings.Contains(err.Error(), word) {
					t.Fatalf("the error repeats %q: %v", word, err)
				}
			}
			return
		}
		var again strings.Builder
		for _, k := range list {
			if k.role < View || k.role > Admin || k.who == "" || len(k.who) > maxComment {
				t.Fatalf("accepted %+v", k)
			}
			fmt.Fprintf(&again, "%v %x %s\n", k.role, k.sum, k.who)
		}
		if got, err := parseTokens([]byte(again.String())); err != nil || len(got) != len(list) {
			t.Fatalf("%d tokens became %d: %v", len(list), len(got), err)
		}
	})
}

// FuzzSubmit holds that whatever is sent as a study, in whatever query and path,
// is answered with JSON, never panics, and reaches Submit only where it is a
// study without files of this machine.
func FuzzSubmit(f *testing.F) {
	f.Add("", "", []byte(fmt.Sprintf(studyFile, "x")))
	f.Add("priority=3&keep=1h", "", []byte("study: x\ndata: {h: {csv: /etc/passwd}}\n"))
	f.Add("max_slots=9999999999", "/x@2/cancel", []byte("{}"))
	f.Add("%zz", "/../x", []byte("\x00"))
	a := newAPI(Options{
		Catalog: catalog.New(), Orders: noOrders{}, Log: zap.NewNop(),
		Submit: func(_ context.Context, s *jobs.Study, _ []byte, sub Submission) (coordinator.Planned, error) {
			if s == nil || !isName(s.Name) || len(s.Data) > 0 || sub.Priority < 0 || sub.Priority > 100 || sub.MaxSlots < 0 || sub.Keep < 0 {
				return coordinator.Planned{}, fmt.Errorf("%+v %+v", s, sub)
			}
			return coordinator.Planned{Name: s.Name}, nil
		},
	})
	h := a.handler()
	f.Fuzz(func(t *testing.T, query, path string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/api/v1/studies", strings.NewReader(string(body)))
		r.URL.RawQuery, r.URL.Path = query, "/api/v1/studies"+path
		r.Header.Set("Content-Type", "application/yaml")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 409, 413, 422, 429:
			if path == "" && !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		case 307, 404, 405: // by the path
			if path == "" {
				t.Fatalf("%d", w.Code)
			}
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzAsk holds that whatever is asked by GET is answered, never with a panic, and
// that what is refused is refused with a problem.
func FuzzAsk(f *testing.F) {
	for _, q := range []string{"", "by=arm&format=csv", "by=factor", "all_pairs=true&select=true", "against=random&test=t", "method=fanova", "what=curves&format=parquet", "n=3&from=1", "from=1&to=2", "by=%zz", "by=arm&by=arm", "download=true"} {
		for _, p := range []string{"/api/v1/studies", "/api/v1/studies/one/results", "/api/v1/studies/one/compare", "/api/v1/studies/one/sensitivity", "/api/v1/studies/one/export", "/api/v1/studies/one/report", "/api/v1/studies/one/trials", "/studies/one", "/assets/ui.css", "/signin"} {
			f.Add(p, q, "overnight=x")
		}
	}
	s := storetest.NewMemory(time.Now)
	cat := catalog.New()
	src := []byte(fmt.Sprintf(studyFile, "one"))
	study, err := jobs.Parse("x.yaml", src, cat, jobs.ParseOptions{})
	if err != nil {
		f.Fatal(err)
	}
	p, err := coordinator.Submit(f.Context(), study, src, coordinator.Options{Store: s, Catalog: cat, Submit: coordinator.SubmitOptions{Submitted: true}})
	if err != nil {
		f.Fatal(err)
	}
	var rs []results.Record
	for i := range uint64(4) {
		rs = append(rs, results.Record{Trial: i, Point: i % p.Plan.Points, Replication: i / p.Plan.Points, Status: results.Done, Attempts: 1, Metrics: make([]float64, len(p.Plan.Metrics))})
	}
	if _, err := s.Commit(f.Context(), "one", p.Plan.Generation, rs); err != nil {
		f.Fatal(err)
	}
	h := newAPI(Options{
		Store: s, Fleet: NewFleet(s, nil), Catalog: cat, Orders: noOrders{},
		Model: func(ctx context.Context, p results.Plan, study *jobs.Study) (*report.Model, error) {
			return report.Build(study, results.Skim(ctx, s, p.Study, 0, p.Trials), report.Options{})
		},
		Report: func(context.Context, string, Replay, io.Writer) error { return nil },
		Export: func(context.Context, string, string, string, io.Writer) error { return nil },
	}).handler()
	f.Fuzz(func(t *testing.T, path, query, cookie string) {
		if strings.Contains(path, "live") || strings.Contains(path, "events") || !strings.HasPrefix(path, "/") {
			t.Skip("streams do not end")
		}
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
		r.URL.RawQuery, r.URL.Path = query, path
		r.Header.Set("Cookie", cookie)
		w := patientRecorder{httptest.NewRecorder()}
		h.ServeHTTP(w, r)
		switch {
		case w.Code == 503 && path == "/api/v1/workers": // nobody looks for them here
		case w.Code >= 500 && w.Code != 501:
			t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
		case w.Code >= 400:
			var p failure
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Detail == "" || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
		}
	})
}

// patientRecorder takes deadlines, as connections do.
type patientRecorder struct{ *httptest.ResponseRecorder }

func (patientRecorder) SetWriteDeadline(time.Time) error { return nil }

// noOrders knows no study.
type noOrders struct{}

func (noOrders) Cancel(context.Context, string) error          { return ErrConflict }
func (noOrders) Pause(context.Context, string) error           { return ErrConflict }
func (noOrders) Resume(context.Context, string) error          { return ErrConflict }
func (noOrders) Retry(context.Context, string) (uint64, error) { return 0, ErrConflict }
func (noOrders) Delete(context.Context, string) error          { return ErrConflict }
