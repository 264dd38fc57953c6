package web

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestGuard holds what is refused before anybody looks at what is asked.
func TestGuard(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plan(t, "one")
	host := b.server.Listener.Addr().String()
	_, port, _ := strings.Cut(host, ":")
	const list, pause = "/api/v1/studies", "/api/v1/studies/one/pause"
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		want               int
	}{
		"plain":                     {"GET", list, "", nil, 200},
		"localhost":                 {"GET", list, "", []string{"Host: LOCALHOST.:" + port}, 200},
		"IPv6 loopback":             {"GET", list, "", []string{"Host: [::1]:" + port}, 200},
		"rebound name":              {"GET", list, "", []string{"Host: evil.example:" + port}, 421},
		"name that begins right":    {"GET", list, "", []string{"Host: localhost.evil.example"}, 421},
		"address of another":        {"GET", list, "", []string{"Host: 10.0.0.1"}, 421},
		"own page":                  {"POST", pause, "", []string{"Origin: http://" + host}, 200},
		"foreign page":              {"POST", pause, "", []string{"Origin: http://evil.example"}, 403},
		"page of another port":      {"POST", pause, "", []string{"Origin: http://127.0.0.1:1"}, 403},
		"page without an origin":    {"POST", pause, "", []string{"Origin: null"}, 403},
		"foreign page by metadata":  {"POST", pause, "", []string{"Sec-Fetch-Site: cross-site"}, 403},
		"foreign page that reads":   {"GET", list, "", []string{"Origin: http://evil.example"}, 403},
		"image in a foreign page":   {"GET", list, "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, 403},
		"frame in a foreign page":   {"GET", list, "", []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		"link in a foreign page":    {"GET", list, "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 200},
		"own script":                {"GET", list, "", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, 200},
		"preflight":                 {"OPTIONS", pause, "", []string{"Origin: http://" + host}, 405},
		"form":                      {"POST", pause, "", []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		"text":                      {"POST", pause, "", []string{"Content-Type: text/plain"}, 415},
		"no type":                   {"POST", pause, "", []string{"Content-Type: "}, 415},
		"JSON":                      {"POST", pause, "{}", []string{"Content-Type: application/json; charset=utf-8"}, 200},
		"body as long as may be":    {"POST", list, strings.Repeat("#", maxBody), nil, 422},
		"body too long":             {"POST", list, strings.Repeat("#", maxBody+1), nil, 413},
		"wrong method":              {"PUT", list, "", nil, 405},
		"no such route":             {"GET", "/v2", "", nil, 404},
		"path upwards":              {"GET", "/api/v1/studies/../../etc/passwd", "", nil, 307},
		"path upwards, encoded":     {"GET", "/api/v1/studies/..%2f..%2fetc%2fpasswd", "", nil, 404},
		"two dots":                  {"GET", "/api/v1/studies/%2e%2e", "", nil, 404},
		"name with a glob":          {"GET", "/api/v1/studies/*", "", nil, 404},
		"name with a newline":       {"GET", "/api/v1/studies/a%0ab", "", nil, 404},
		"name with a zero":          {"GET", "/api/v1/studies/a%00", "", nil, 404},
		"name with a bad version":   {"GET", "/api/v1/studies/one@01", "", nil, 404},
		"long name":                 {"GET", "/api/v1/studies/" + strings.Repeat("a", 65), "", nil, 404},
		"version that is not there": {"GET", "/api/v1/studies/one@2", "", nil, 404},
		"unknown question":          {"GET", list + "?m=1", "", nil, 400},
		"question asked twice":      {"GET", list + "?n=1&n=2", "", nil, 400},
		"number out of range":       {"GET", list + "?n=501", "", nil, 400},
		"priority out of range":     {"POST", list + "?priority=101", "study: x", nil, 400},
		"keep that is no time":      {"POST", list + "?keep=soon", "study: x", nil, 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := b.ask(t, Admin, c.method, c.path, c.body, c.header...)
			if status != c.want {
				t.Errorf("%d %s, want %d", status, text, c.want)
			}
		})
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL+"/api/v1/studies", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Access-Control-Allow-Origin": "",
		"Cross-Origin-Resource-Policy": "same-origin", "Www-Authenticate": `Bearer realm="overnight"`,
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestNoTokens holds that without tokens a name is not enough to be asked.
func TestNoTokens(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Tokens, o.Hosts = nil, []string{"overnight.lan"} })
	for host, want := range map[string]int{"127.0.0.1": 200, "overnight.lan": 200, "evil.example": 421} {
		if status, text := b.ask(t, 0, http.MethodGet, "/api/v1/studies", "", "Host: "+host); status != want {
			t.Errorf("%s: %d %s, want %d", host, status, text, want)
		}
	}
	b.plan(t, "one")
	if status, text := b.ask(t, 0, http.MethodPost, "/api/v1/studies/one/cancel", ""); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	if status, text := b.ask(t, 0, http.MethodDelete, "/api/v1/studies/one", ""); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	for _, e := range b.logs.FilterMessage("audit").All() {
		if m := e.ContextMap(); m["who"] != "local" || m["role"] != "admin" {
			t.Errorf("%v, want the local admin", m)
		}
	}
}

// TestTokenRotation changes the token file of a running service: new tokens are
// good, old ones are not, and a broken file changes nothing.
func TestTokenRotation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.tokens[View]
	secret, line, err := NewToken(View, "somebody else")
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) { replace(t, b.file, text) }
	// until asks until a token is answered so.
	until := func(token string, want int) {
		t.Helper()
		b.tokens[View] = token
		defer func() { b.tokens[View] = old }()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			b.api.failures.mu.Lock()
			clear(b.api.failures.cleared)
			b.api.failures.mu.Unlock()
			status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies", "")
			if status == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d %s, want %d", status, text, want)
			}
		}
	}
	until(old, 200)
	until(secret, 401)
	write(line)
	until(secret, 200)
	until(old, 401)
	write(line + "view nonsense\n")
	for b.logs.FilterMessage("credentials not usable, those of before stay").Len() == 0 {
		until(secret, 200)
	}
	until(secret, 200)
	write("# nobody\n")
	until(secret, 401)
}

// TestWrongTokens holds that an address that guesses is shut out for a while,
// even with a right token, and others are not.
func TestWrongTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		for i := range burst {
			if wait := l.blocked("10.0.0.1"); wait > 0 {
				t.Fatalf("blocked after %d failures", i)
			}
			l.fail("10.0.0.1")
		}
		if l.blocked("10.0.0.1") == 0 || l.blocked("::ffff:10.0.0.1") == 0 {
			t.Error("not blocked after the burst")
		}
		if l.blocked("10.0.0.2") > 0 {
			t.Error("another address is blocked")
		}
		time.Sleep(refill)
		if l.blocked("10.0.0.1") > 0 {
			t.Error("still blocked after the time of one failure")
		}
		l.fail("10.0.0.1")
		if l.blocked("10.0.0.1") == 0 {
			t.Error("not blocked after one more")
		}
		for range burst {
			l.fail("2001:db8::1")
		}
		if l.blocked("2001:db8::2") == 0 || l.blocked("2001:db8:0:1::1") > 0 {
			t.Error("IPv6 counts by /64")
		}
		for i := range 3 * maxLimiting {
			l.fail(fmt.Sprintf("10.%d.%d.%d", 1+i>>16, i>>8&255, i&255))
		}
		if n := len(l.cleared); n > maxLimiting {
			t.Errorf("%d addresses are kept, want at most %d", n, maxLimiting)
		}
	})
	b := newBench(t)
	right := b.tokens[View]
	b.tokens[View] = "ovn_guess"
	for range burst {
		if status, _ := b.ask(t, View, http.MethodGet, "/api/v1/studies", ""); status != 401 {
			t.Fatalf("%d, want 401", status)
		}
	}
	b.tokens[View] = right
	status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies", "")
	if status != http.StatusTooManyRequests {
		t.Errorf("%d %s, want 429", status, text)
	}
	if n := b.logs.FilterMessage("authentication failed").Len(); n != burst {
		t.Errorf("%d lines of failures, want %d", n, burst)
	}
}

// TestEngineAway holds that an error of the store is for the log alone.
func TestEngineAway(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Store = awayStore{o.Store} })
	status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies", "")
	if status != http.StatusServiceUnavailable || strings.Contains(text, "10.9.8.7") {
		t.Errorf("%d %s, want 503 without the address", status, text)
	}
	if b.logs.FilterMessage("request failed").Len() != 1 {
		t.Error("want one line in the log")
	}
}

func TestIsName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a": true, "A-b_c.9": true, "a@2": true, "a@4294967295": true, strings.Repeat("a", 64): true,
		"": false, ".": false, "..": false, "-a": false, "a/b": false, "a@": false, "a@0": false, "a@02": false,
		"a@2@3": false, "a b": false, "a\x00": false, "ä": false, "@2": false, "a@12345678901": false,
	} {
		if got := isName(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestParseTokens(t *testing.T) {
	t.Parallel()
	_, line, err := NewToken(Submit, " ci  of\tteam a ")
	if err != nil {
		t.Fatal(err)
	}
	sum := strings.Fields(line)[1]
	for text, want := range map[string]string{
		line:                          "submit ci of team a",
		"# x\n\n view " + sum:         "view token " + sum[:8],
		"admin " + sum + " a\r\n":     "admin a",
		"root " + sum:                 "error",
		"view":                        "error",
		"view ovn_secret":             "error",
		"view " + sum[2:] + " x":      "error",
		line + "view " + sum + " x":   "error",
		"view " + sum + " a\x07b":     "error",
		"view " + sum + " \xff":       "error",
		"view " + sum + " a\u202eb":   "error",
		strings.Repeat("view x\n", 2): "error",
	} {
		list, err := parseTokens([]byte(text))
		got := "error"
		if err == nil && len(list) == 1 {
			got = list[0].role.String() + " " + list[0].who
		}
		if got != want {
			t.Errorf("%q: got %q (%v), want %q", text, got, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "ovn_secret") || strings.Contains(err.Error(), sum)) {
			t.Errorf("%q: the error repeats it: %v", text, err)
		}
	}
	if _, _, err := NewToken(View, strings.Repeat("x", maxComment+1)); err == nil {
		t.Error("a comment that can't be read back was accepted")
	}
}

// replace changes a file at once, as an operator should.
func replace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
