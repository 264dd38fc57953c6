package web

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// browser keeps the cookie that it was given, as browsers do.
type browser struct {
	*bench
	cookie *http.Cookie
}

// do sends a request as a page of the dashboard does, unless headers say otherwise.
func (br *browser) do(t *testing.T, method, path, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, br.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", br.server.URL)
		req.Header.Set(intent, "dashboard")
	}
	if br.cookie != nil {
		req.AddCookie(br.cookie)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		if req.Header.Del(name); value != "" {
			req.Header.Set(name, value)
		}
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		if br.cookie = c; c.MaxAge < 0 {
			br.cookie = nil
		}
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text), answer.Header
}

func (br *browser) signIn(t *testing.T, role Role) {
	t.Helper()
	status, text, _ := br.do(t, http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"token": %q}`, br.tokens[role]))
	if status != http.StatusOK || br.cookie == nil {
		t.Fatalf("%d %s %v", status, text, br.cookie)
	}
}

// TestSession signs in, looks, and signs out.
func TestSession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plan(t, "one")
	br := &browser{bench: b}
	status, _, header := br.do(t, http.MethodGet, "/studies/one", "")
	if status != http.StatusSeeOther || header.Get("Location") != "/signin?to=%2Fstudies%2Fone" {
		t.Errorf("%d to %q", status, header.Get("Location"))
	}
	if status, text, _ := br.do(t, http.MethodGet, "/signin", ""); status != http.StatusOK || !strings.Contains(text, "<form") {
		t.Errorf("%d %s", status, text)
	}
	for range 3 * burst { // the sign-in page asks, and that is no guessing
		if status, text, _ := br.do(t, http.MethodGet, "/api/v1/session", ""); status != http.StatusOK || decode[standpoint](t, text) != (standpoint{Role: "nobody"}) {
			t.Fatalf("%d %s", status, text)
		}
	}
	if status, text, _ := br.do(t, http.MethodGet, "/api/v1/session", "", "Authorization: Bearer wrong"); status != http.StatusUnauthorized {
		t.Errorf("%d %s", status, text)
	}
	br.signIn(t, View)
	if c := br.cookie; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || len(c.Value) < 43 || c.Secure || c.MaxAge != int(sessionTime.Seconds()) {
		t.Errorf("cookie %+v; it is Secure over TLS alone", c)
	}
	_, port, _ := strings.Cut(b.server.Listener.Addr().String(), ":")
	if br.cookie.Name != "overnight-"+port {
		t.Errorf("cookie %q", br.cookie.Name)
	}
	status, text, _ := br.do(t, http.MethodGet, "/api/v1/session", "")
	if me := decode[standpoint](t, text); status != http.StatusOK || me != (standpoint{"view of the tests", "view", true}) {
		t.Errorf("%d %s", status, text)
	}
	for path, kind := range map[string]string{"/": "text/html", "/studies/one": "text/html", "/api/v1/studies/one": "application/json"} {
		status, text, header := br.do(t, http.MethodGet, path, "")
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, text, _ := br.do(t, http.MethodPost, "/api/v1/studies/one/pause", ""); status != http.StatusForbidden || !strings.Contains(text, "role submit") {
		t.Errorf("a view session pauses: %d %s", status, text)
	}
	old := br.cookie
	if status, text, _ := br.do(t, http.MethodDelete, "/api/v1/session", ""); status != http.StatusNoContent || br.cookie != nil {
		t.Errorf("%d %s", status, text)
	}
	br.cookie = old
	if status, text, _ := br.do(t, http.MethodGet, "/api/v1/studies", ""); status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d %s", status, text)
	}
	for range 3 * burst { // pages that are open come back with it, and that is no guessing
		br.do(t, http.MethodGet, "/api/v1/studies", "")
	}
	if status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies", ""); status != http.StatusOK {
		t.Errorf("old cookies count as failures: %d %s", status, text)
	}
	if n := b.logs.FilterMessage("signed in").Len() + b.logs.FilterMessage("signed out").Len(); n != 2 {
		t.Errorf("%d lines in the log", n)
	}
	for _, e := range b.logs.All() {
		if strings.Contains(fmt.Sprint(e.Message, e.ContextMap()), old.Value) {
			t.Errorf("a log line holds the cookie: %v", e)
		}
	}
}

// TestForgery holds that a change which the dashboard did not ask for is refused,
// although the browser sends the cookie along, and that no GET changes anything.
func TestForgery(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.plan(t, "one")
	br := &browser{bench: b}
	br.signIn(t, Admin)
	const pause, one = "/api/v1/studies/one/pause", "/api/v1/studies/one"
	for name, c := range map[string]struct {
		method, path string
		header       []string
		want         int
	}{
		"without the header":          {http.MethodPost, pause, []string{intent}, 403},
		"delete without the header":   {http.MethodDelete, one, []string{intent}, 403},
		"sign out without the header": {http.MethodDelete, "/api/v1/session", []string{intent}, 403},
		"of another site":             {http.MethodPost, pause, []string{"Sec-Fetch-Site: cross-site"}, 403},
		"of another port":             {http.MethodPost, pause, []string{"Sec-Fetch-Site: same-site", "Origin: http://127.0.0.1:1"}, 403},
		"of a form":                   {http.MethodPost, pause, []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		"by a rebound name":           {http.MethodPost, pause, []string{"Sec-Fetch-Site", "Origin: http://evil.example"}, 403},
		"sign-in of another site":     {http.MethodPost, "/api/v1/session", []string{"Sec-Fetch-Site: cross-site"}, 403},
		"sign-in by a form":           {http.MethodPost, "/api/v1/session", []string{"Content-Type: text/plain"}, 415},
		"GET of a change":             {http.MethodGet, pause, nil, 405},
		"page of another site":        {http.MethodGet, one, []string{"Origin: http://evil.example"}, 403},
	} {
		if status, text, _ := br.do(t, c.method, c.path, "{}", c.header...); status != c.want {
			t.Errorf("%s: %d %s, want %d", name, status, text, c.want)
		}
	}
	for _, rt := range b.api.routes() {
		if method, _, _ := strings.Cut(rt.pattern, " "); method == http.MethodGet && rt.action != "" {
			t.Errorf("%s changes something", rt.pattern)
		}
	}
	if got, err := b.store.Plan(t.Context(), "one"); err != nil || got.State != p.State {
		t.Errorf("%v %v", got.State, err)
	}
	if status, text, _ := br.do(t, http.MethodPost, pause, ""); status != http.StatusOK {
		t.Errorf("the dashboard's own: %d %s", status, text)
	}
}

// TestSignInRefused holds that wrong tokens are refused, slowed down and logged.
func TestSignInRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	br := &browser{bench: b}
	for body, want := range map[string]int{`{"token": "x"}`: 401, `{"token": ""}`: 401, `{}`: 401, `[`: 400, ``: 400} {
		if status, text, _ := br.do(t, http.MethodPost, "/api/v1/session", body); status != want || br.cookie != nil {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	blocked := false
	for range burst {
		status, _, header := br.do(t, http.MethodPost, "/api/v1/session", `{"token": "x"}`)
		blocked = blocked || status == http.StatusTooManyRequests && header.Get("Retry-After") != ""
	}
	if !blocked {
		t.Error("guessing is never slowed down")
	}
	if status, text, _ := br.do(t, http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"token": %q}`, b.tokens[View])); status != http.StatusTooManyRequests {
		t.Errorf("%d %s, want a good token to wait too", status, text)
	}
	open := newBench(t, func(o *Options) { o.Tokens = nil })
	if status, text, _ := (&browser{bench: open}).do(t, http.MethodPost, "/api/v1/session", `{"token": "x"}`); status != http.StatusConflict {
		t.Errorf("%d %s", status, text)
	}
	if status, text, _ := (&browser{bench: open}).do(t, http.MethodGet, "/api/v1/session", ""); status != http.StatusOK || decode[standpoint](t, text) != (standpoint{"local", "admin", false}) {
		t.Errorf("%d %s", status, text)
	}
}

// TestTokenTaken holds that a session ends with its token.
func TestTokenTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	br := &browser{bench: b}
	br.signIn(t, View)
	lines, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(b.tokens[View])))
	var left []string
	for line := range strings.Lines(string(lines)) {
		if !strings.Contains(line, sum) {
			left = append(left, line)
		}
	}
	if err := os.WriteFile(b.file+".new", []byte(strings.Join(left, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(b.file+".new", b.file); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(10 * time.Second)
	for {
		status, text, _ := br.do(t, http.MethodGet, "/api/v1/studies", "")
		if status == http.StatusUnauthorized {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("10 s after its token went: %d %s", status, text)
		}
	}
	if len(b.api.sessions.open) != 0 {
		t.Error("the session is still there")
	}
}

// TestSessionTime holds that sessions expire, and that there is room for new ones.
func TestSessionTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSessions()
		token := sha256.Sum256([]byte("t"))
		find := func(value string) bool {
			got, ok := s.find(sha256.Sum256([]byte(value)))
			return ok && got == token
		}
		first, _ := s.begin(token)
		time.Sleep(sessionTime)
		second, _ := s.begin(token)
		if !find(first) || !find(second) || first == second {
			t.Error("sessions are gone before their time")
		}
		time.Sleep(time.Second)
		if find(first) || !find(second) || len(s.open) != 1 {
			t.Error("a session outlives its time")
		}
		last := ""
		for range 3 * maxSessions {
			time.Sleep(time.Millisecond)
			last, _ = s.begin(token)
		}
		if len(s.open) > maxSessions || !find(last) || find(second) {
			t.Errorf("%d sessions of at most %d; the oldest goes first", len(s.open), maxSessions)
		}
	})
}
