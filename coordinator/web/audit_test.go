package web

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAudit holds that each change leaves one line that says who, with what role,
// did what to which study from where and how it ended.
func TestAudit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	steps := []struct {
		role         Role
		method, path string
		body         string
		status       int
		action       string
		study        string
		result       string
	}{
		{Submit, http.MethodPost, "/api/v1/studies?priority=3", fmt.Sprintf(studyFile, "one"), 201, "submit", "one", "done"},
		{Submit, http.MethodPost, "/api/v1/studies", fmt.Sprintf(studyFile, "one"), 200, "submit", "one", "done"},
		{Submit, http.MethodPost, "/api/v1/studies", "study: two", 422, "submit", "", "refused: 422"},
		{View, http.MethodPost, "/api/v1/studies/one/cancel", "", 403, "cancel", "one", "refused: 403"},
		{Submit, http.MethodPost, "/api/v1/studies/one/pause", "", 200, "pause", "one", "done"},
		{Submit, http.MethodPost, "/api/v1/studies/one/resume", "", 200, "resume", "one", "done"},
		{Submit, http.MethodPost, "/api/v1/studies/one/retry", "", 200, "retry", "one", "done"},
		{Admin, http.MethodDelete, "/api/v1/studies/one", "", 409, "delete", "one", "refused: 409"},
		{Submit, http.MethodPost, "/api/v1/studies/one/cancel", "", 200, "cancel", "one", "done"},
		{Admin, http.MethodDelete, "/api/v1/studies/one", "", 204, "delete", "one", "done"},
		{Admin, http.MethodDelete, "/api/v1/studies/one", "", 404, "delete", "one", "refused: 404"},
		{Admin, http.MethodDelete, "/api/v1/studies/a%0Ab", "", 404, "delete", "", "refused: 404"},
		{View, http.MethodGet, "/api/v1/studies", "", 200, "", "", ""},
	}
	for _, s := range steps {
		b.logs.TakeAll()
		status, text := b.ask(t, s.role, s.method, s.path, s.body)
		if status != s.status {
			t.Fatalf("%s %s: %d %s, want %d", s.method, s.path, status, text, s.status)
		}
		var got []map[string]any
		for _, e := range b.logs.FilterMessage("audit").All() {
			got = append(got, e.ContextMap())
		}
		var want []map[string]any
		if s.action != "" {
			want = append(want, map[string]any{
				"who": s.role.String() + " of the tests", "role": s.role.String(), "action": s.action,
				"study": s.study, "remote": "127.0.0.1", "result": s.result,
			})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", s.method, s.path, diff)
		}
	}
}
