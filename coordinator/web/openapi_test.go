package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
)

// operation is one of the document's.
type operation struct {
	path   string // below /api/v1
	method string
	at     map[string]any
	params []map[string]any
}

// operations reads the document.
func operations(t *testing.T, s schemas) []operation {
	t.Helper()
	var all []operation
	paths, _ := s.document["paths"].(map[string]any)
	for path, x := range paths {
		item := x.(map[string]any)
		for method, o := range item {
			if method == "parameters" {
				continue
			}
			op := operation{path: path, method: strings.ToUpper(method), at: o.(map[string]any)}
			for _, from := range []any{item["parameters"], op.at["parameters"]} {
				list, _ := from.([]any)
				for _, p := range list {
					m, err := s.resolve(p)
					if err != nil {
						t.Fatal(err)
					}
					op.params = append(op.params, m)
				}
			}
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

func readDocument(t *testing.T, text string) schemas {
	t.Helper()
	return schemas{decode[map[string]any](t, text)}
}

// TestOpenAPI holds that the document has every route of the API, with its role
// and the parameters of its path, and no other.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	status, text := b.ask(t, everybody, http.MethodGet, "/api/v1/openapi.json", "")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	s := readDocument(t, text)
	if s.document["openapi"] != "3.1.0" {
		t.Errorf("version %v", s.document["openapi"])
	}
	got := map[string]string{}
	ids := map[string]bool{}
	for _, o := range operations(t, s) {
		role, _ := o.at["x-role"].(string)
		if list, open := o.at["security"].([]any); open && len(list) == 0 {
			role = everybody.String()
		}
		got[o.method+" /api/v1"+o.path] = role
		id, _ := o.at["operationId"].(string)
		if id == "" || ids[id] || o.at["summary"] == nil {
			t.Errorf("%s %s: operationId %q is there already or empty, or there is no summary", o.method, o.path, id)
		}
		ids[id] = true
		answers, _ := o.at["responses"].(map[string]any)
		if _, err := s.resolve(answers["default"]); err != nil {
			t.Errorf("%s %s: %v", o.method, o.path, err)
		}
		named := strings.Count(o.path, "{name}")
		for _, p := range o.params {
			if p["in"] == "path" {
				named--
			}
		}
		if named != 0 {
			t.Errorf("%s %s: parameters of the path do not match it", o.method, o.path)
		}
	}
	want := map[string]string{}
	for _, rt := range b.api.routes() {
		if strings.Contains(rt.pattern, "/api/") {
			want[rt.pattern] = rt.role.String()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes and the document (-routes +document):\n%s", diff)
	}
}

// TestAnswersFit asks everything that the document has, and holds answers and
// problems against its schemas; parameters with every value that it names.
func TestAnswersFit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := readDocument(t, second(b.ask(t, everybody, http.MethodGet, "/api/v1/openapi.json", "")))
	if err := b.fleet.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.twoArms(t, "one")
	fits := func(o operation, status int, kind, text string) {
		t.Helper()
		answers := o.at["responses"].(map[string]any)
		of, ok := answers[fmt.Sprint(status)]
		if !ok {
			of = answers["default"]
		}
		answer, err := s.resolve(of)
		if err != nil {
			t.Fatal(err)
		}
		content, _ := answer["content"].(map[string]any)
		kind, _, _ = mime.ParseMediaType(kind)
		if content == nil && text == "" {
			return
		}
		media, ok := content[kind].(map[string]any)
		if !ok {
			t.Errorf("%s %s: %d is %q, of which the document knows nothing: %s", o.method, o.path, status, kind, text)
			return
		}
		switch {
		case strings.HasSuffix(kind, "json"):
			if err := s.check(media["schema"], decode[any](t, text), "answer"); err != nil {
				t.Errorf("%s %s: %d: %v\n%s", o.method, o.path, status, err, text)
			}
		case kind == "application/jsonl" && strings.HasSuffix(o.path, "/trials"):
			for line := range strings.Lines(text) {
				if err := s.check(media["schema"], decode[any](t, line), "line"); err != nil {
					t.Errorf("%s %s: %v\n%s", o.method, o.path, err, line)
				}
			}
		}
	}
	made := 0
	for _, o := range operations(t, s) {
		if strings.HasSuffix(o.path, "/events") || strings.HasSuffix(o.path, "/live") {
			continue // TestLive
		}
		name := "one"
		body := "{}"
		switch {
		case o.method == http.MethodDelete && o.path == "/studies/{name}":
			made++
			name = fmt.Sprintf("made%d", made)
			b.plan(t, name)
			b.ask(t, Submit, http.MethodPost, "/api/v1/studies/"+name+"/cancel", "")
		case strings.HasSuffix(o.path, "/cancel"):
			name = "cancelled"
			b.plan(t, name)
		case o.path == "/session":
			body = fmt.Sprintf(`{"token": %q}`, b.tokens[View])
		case o.path == "/studies" && o.method == http.MethodPost:
			body = fmt.Sprintf(studyFile, "posted")
		}
		path := "/api/v1" + strings.Replace(o.path, "{name}", name, 1)
		status, kind, text := b.full(t, Admin, o.method, path, body)
		fits(o, status, kind, text)
		if status >= 300 && o.path != "/studies/{name}/digest" {
			t.Errorf("%s %s: %d %s", o.method, path, status, text)
		}
		for _, p := range o.params {
			if p["in"] != "query" {
				continue
			}
			for _, v := range samples(t, p) {
				status, kind, text := b.full(t, Admin, o.method, fmt.Sprintf("%s?%s=%s", path, p["name"], v), body)
				fits(o, status, kind, text)
				if status == http.StatusBadRequest {
					t.Errorf("%s %s refuses %s=%s of the document: %s", o.method, o.path, p["name"], v, text)
				}
			}
			status, kind, text := b.full(t, Admin, o.method, fmt.Sprintf("%s?%s=%%00", path, p["name"]), body)
			fits(o, status, kind, text)
			if status < 400 || status >= 500 {
				t.Errorf("%s %s?%s=%%00: %d %s", o.method, path, p["name"], status, text)
			}
		}
		// Problems are of one shape, whatever is wrong.
		for _, wrong := range []struct {
			role   Role
			path   string
			status int
		}{{Admin, path + "?nothing=1", 400}, {everybody, path, 401}, {View, path, 403}, {Admin, "/api/v1" + strings.Replace(o.path, "{name}", "none", 1), 404}} {
			status, kind, text := b.full(t, wrong.role, o.method, wrong.path, body)
			if status >= 400 {
				fits(o, status, kind, text)
			}
			if wrong.status == 400 && status != 400 {
				t.Errorf("%s %s: %d %s, want 400", o.method, wrong.path, status, text)
			}
			b.forgive()
		}
	}
	for _, wrong := range []struct {
		method, path string
		status       int
	}{{"GET", "/api/v1/nothing", 404}, {"PUT", "/api/v1/studies", 405}, {"GET", "/nothing", 404}} {
		status, kind, text := b.full(t, Admin, wrong.method, wrong.path, "")
		if status != wrong.status || kind != "application/problem+json" {
			t.Errorf("%s %s: %d %s %s", wrong.method, wrong.path, status, kind, text)
		}
		if err := s.check(map[string]any{"$ref": "#/components/schemas/Problem"}, decode[any](t, text), "problem"); err != nil {
			t.Error(err)
		}
	}
}

// samples are values that the document says a parameter may have.
func samples(t *testing.T, p map[string]any) []string {
	t.Helper()
	schema := p["schema"].(map[string]any)
	if list, ok := schema["enum"].([]any); ok {
		var all []string
		for _, v := range list {
			all = append(all, v.(string))
		}
		return all
	}
	if schema["type"] == "integer" {
		least := max(1, int(schema["minimum"].(float64)))
		all := []string{fmt.Sprint(least)}
		if most, ok := schema["maximum"].(float64); ok {
			all = append(all, fmt.Sprint(int(most)))
		}
		return all
	}
	switch p["name"] {
	case "keep":
		return []string{"720h", "0s"}
	case "against":
		return []string{"random"}
	}
	t.Errorf("the test knows no value of parameter %v", p["name"])
	return nil
}

// full is ask with the content type.
func (b *bench) full(t *testing.T, role Role, method, path, body string) (status int, kind, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/yaml")
	if role != everybody {
		req.Header.Set("Authorization", "Bearer "+b.tokens[role])
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Content-Type"), string(all)
}

// forgive forgets failed authentications.
func (b *bench) forgive() {
	b.api.failures.mu.Lock()
	defer b.api.failures.mu.Unlock()
	clear(b.api.failures.cleared)
}

// twoArms plans a study of two arms with records of every kind.
func (b *bench) twoArms(t *testing.T, name string) results.Plan {
	t.Helper()
	src := []byte(`
study: ` + name + `
question: Which is better?
env: {name: function, function: sphere, x1: {grid: [1, 2, 3]}, x2: {grid: [4, 5]}}
agents: [{name: random}, {as: other, name: random}]
baseline: random
replications: 8
`)
	s, err := jobs.Parse("x.yaml", src, catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := coordinator.Submit(t.Context(), s, src, coordinator.Options{Store: b.store, Catalog: catalog.New(), Submit: coordinator.SubmitOptions{Submitted: true}})
	if err != nil {
		t.Fatal(err)
	}
	statuses := make([]results.Status, p.Plan.Trials-4)
	for i := range statuses {
		statuses[i] = results.Done
	}
	statuses[3], statuses[10], statuses[20] = results.Failed, results.Dead, results.Overrun
	b.commit(t, p.Plan, statuses...)
	return p.Plan
}

// TestTooLarge holds that large studies are refused with a command to use instead,
// before any record is read.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	read := errors.New("records were read")
	b := newBench(t, func(o *Options) {
		o.Store = largeStore{o.Store, read}
	})
	b.twoArms(t, "one")
	for path, instead := range map[string]string{
		"results": "overnight results --by point one", "results?by=arm": "overnight results --by arm one",
		"compare": "overnight compare one", "sensitivity": "overnight sensitivity one", "report": "overnight report one",
	} {
		status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/"+path, "")
		f := decode[failure](t, text)
		if status != http.StatusUnprocessableEntity || f.Type != kindTooLarge || !strings.Contains(f.Detail, instead) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for _, kind := range []string{"figures", "failures"} {
		status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/one/"+kind, "")
		if e := decode[extent](t, text); status != http.StatusOK || !strings.Contains(e.Note, "overnight results one --top 20") {
			t.Errorf("%s: %d %s", kind, status, text)
		}
	}
}

// TestAskingTooMuch holds that analyses are waited for by so many alone.
func TestAskingTooMuch(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range maxAsking {
		s.api.analyses.asking <- struct{}{}
	}
	v := s.view("/api/v1/studies/one/compare?against=somebody")
	<-v.done
	if v.status != http.StatusServiceUnavailable {
		t.Errorf("%d, want it refused", v.status)
	}
}

// largeStore says that studies are large, and reads no record.
type largeStore struct {
	Store
	err error
}

func (s largeStore) Plan(ctx context.Context, study string) (results.Plan, error) {
	p, err := s.Store.Plan(ctx, study)
	p.Trials = maxAnalysed + 1
	return p, err
}

func (s largeStore) Ledger(context.Context, string) (*results.Ledger, error) { return nil, s.err }

// TestPlainJSON holds that the document served is JSON of the YAML beside the code.
func TestPlainJSON(t *testing.T) {
	t.Parallel()
	if !json.Valid(openAPI()) {
		t.Error("not JSON")
	}
}
