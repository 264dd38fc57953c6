package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestFiles holds how reports and exports are served.
func TestFiles(t *testing.T) {
	t.Parallel()
	broken := atomic.Bool{}
	b := newBench(t, func(o *Options) {
		o.Export = func(_ context.Context, study, what, _ string, w io.Writer) error {
			if broken.Load() && what == "curves" {
				return fmt.Errorf("curves of %s: %w", study, ErrRefused)
			}
			_, _ = io.WriteString(w, "trial\n")
			if broken.Load() {
				return errAway
			}
			return nil
		}
	})
	b.twoArms(t, "one")
	get := func(path string) (*http.Response, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL+"/api/v1/studies/one/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+b.tokens[View])
		answer, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return &http.Response{}, "", err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return answer, string(text), err
	}
	answer, text, _ := get("report")
	policy := answer.Header.Get("Content-Security-Policy")
	if answer.StatusCode != 200 || !strings.Contains(text, "<title>one") || !strings.HasPrefix(policy, "sandbox ") || strings.Contains(policy, "allow-same-origin") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%d %s %s", answer.StatusCode, policy, text)
	}
	if answer, _, _ := get("report?download=true"); answer.Header.Get("Content-Disposition") != `attachment; filename="one.html"` {
		t.Errorf("%v", answer.Header)
	}
	answer, text, _ = get("export?format=jsonl")
	if answer.StatusCode != 200 || text != "trial\n" || answer.Header.Get("Content-Disposition") != `attachment; filename="one.trials.jsonl"` {
		t.Errorf("%d %v %s", answer.StatusCode, answer.Header, text)
	}
	answer, text, _ = get("source")
	if answer.StatusCode != 200 || !strings.Contains(text, "question: Which is better?") || answer.Header.Get("Content-Type") != "application/yaml; charset=utf-8" {
		t.Errorf("%d %v %s", answer.StatusCode, answer.Header, text)
	}
	broken.Store(true)
	if answer, text, err := get("export"); err == nil {
		t.Errorf("an export that broke off looks whole: %d %s", answer.StatusCode, text)
	}
	if answer, text, _ := get("export?what=curves"); answer.StatusCode != 422 || answer.Header.Get("Content-Disposition") != "" {
		t.Errorf("%d %v %s", answer.StatusCode, answer.Header, text)
	}
}

// TestPages holds what browsers may do with the dashboard's pages, and that they
// hold nothing that those rules forbid.
func TestPages(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Tokens = nil })
	for _, path := range []string{"/", "/studies/one", "/signin"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != 200 {
			t.Errorf("%s: %d %v", path, answer.StatusCode, err)
		}
		h := answer.Header
		for name, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": pagePolicy, "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		for _, bad := range []string{" style=", " onclick", "javascript:", "http://", "https://"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
		for _, script := range strings.Split(string(text), "<script")[1:] {
			if !strings.HasPrefix(script, ` src="/assets/`) || !strings.Contains(script, "></script>") {
				t.Errorf("%s has a script of its own: %.60s", path, script)
			}
		}
		for _, src := range strings.Split(string(text), `"/assets/`)[1:] {
			name, _, _ := strings.Cut(src, `"`)
			if status, _ := b.ask(t, everybody, http.MethodGet, "/assets/"+name, ""); status != 200 {
				t.Errorf("%s names %s: %d", path, name, status)
			}
		}
		req.Header.Set("If-None-Match", h.Get("ETag"))
		again, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		again.Body.Close()
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
	for _, name := range []string{"index.html", "nothing.js", "..%2fui.go"} {
		if status, _ := b.ask(t, everybody, http.MethodGet, "/assets/"+name, ""); status != 404 {
			t.Errorf("%s: %d", name, status)
		}
	}
}
