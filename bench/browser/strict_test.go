package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// strictPolicy is what a page of the dashboard may do at most.
const strictPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// strictPage draws every figure of the sample, under that policy.
const strictPage = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Strict</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"><script src="/echarts.min.js" defer></script><script src="/charts.js" defer></script><script src="/app.js" defer></script></head>
<body><header><button type="button" class="button" id="theme" aria-pressed="false">Dark</button></header><main class="page"><h1>Every figure</h1></main></body></html>`

const strictScript = `(async () => {
	"use strict";
	Overnight.themeButton(document.getElementById("theme"));
	const report = await (await fetch("/document.json")).json();
	for (const figure of report.sections.flatMap((s) => s.figures || [])) {
		const section = document.createElement("section");
		section.id = "figure-" + figure.id;
		section.dataset.figure = "";
		section.dataset.level = "2";
		document.querySelector("main").append(section);
		Overnight.draw(section, figure);
	}
	document.documentElement.classList.add("scripted");
})();`

// The drawing code needs no inline style or script and no evaluation: under the
// policy of the dashboard every figure is drawn, every control works and the page
// goes onto paper and back, without a violation.
func TestStrictPolicy(t *testing.T) {
	sample, err := os.ReadFile(strings.TrimPrefix(address(t, pages[0]), "file://"))
	if err != nil {
		t.Fatal(err)
	}
	part := func(pattern string) []byte {
		m := regexp.MustCompile(`(?s)` + pattern).FindSubmatch(sample)
		if m == nil {
			t.Fatalf("the sample has nothing like %s", pattern)
		}
		return m[1]
	}
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllSubmatch(sample, -1)
	files := map[string]struct {
		kind    string
		content []byte
	}{
		"/":               {"text/html", []byte(strictPage)},
		"/page.css":       {"text/css", part(`<style>(.*?)</style>`)},
		"/echarts.min.js": {"text/javascript", scripts[0][1]},
		"/charts.js":      {"text/javascript", scripts[1][1]},
		"/app.js":         {"text/javascript", []byte(strictScript)},
		"/document.json":  {"application/json", part(`<script type="application/json" id="document">(.*?)</script>`)},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", strictPolicy)
		w.Header().Set("Content-Type", f.kind+"; charset=utf-8")
		if _, err := w.Write(f.content); err != nil {
			t.Log(err) // the browser has gone
		}
	}))
	t.Cleanup(server.Close)

	p := page{name: "strict", ready: drawn, figures: true, requests: func(url string) bool { return strings.HasPrefix(url, server.URL) }}
	b := show(t, p, server.URL+"/", 1280, 900, false)
	b.scroll()
	if n := eval[int](b, `document.querySelectorAll(".figure-plot canvas").length`); n < 8 {
		t.Errorf("%d figures are drawn, want all", n)
	}
	b.tryAll("button", "select", "number")
	for _, medium := range []string{"print", ""} {
		b.media(medium, "light")
		eval[bool](b, fmt.Sprintf(`new Promise((r) => { const wait = () => matchMedia("print").matches === %v ? setTimeout(() => r(true), 50) : setTimeout(wait, 10); wait(); })`, medium == "print"))
	}
	// That violations would be seen: this is one.
	b.tell()
	run(b, `document.querySelector("main").setAttribute("style", "color: red"); new Promise((r) => setTimeout(r, 50))`)
	if n := eval[int](b, `violations.splice(0).length`); n != 1 {
		t.Errorf("%d violations are seen, want the one that was made", n)
	}
	b.mu.Lock()
	b.wrong = nil // the console's word on it
	b.mu.Unlock()
}
