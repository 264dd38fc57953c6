package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/results/figure"
)

// The browser tests (bench/browser) run this package's test with -page to have a
// page with every kind of figure and awkward texts.
var pageFile = flag.String("page", "", "write the sample page to this file")

// sample is a document with every kind of figure, long names, and texts that would
// break a page that does not escape them.
func sample(tb testing.TB) Document {
	tb.Helper()
	b, err := os.ReadFile("../figure/testdata/sample.json")
	if err != nil {
		tb.Fatal(err)
	}
	var figs []figure.Figure
	if err := json.Unmarshal(b, &figs); err != nil {
		tb.Fatal(err)
	}
	by := map[string]figure.Figure{}
	for _, f := range figs {
		by[strings.TrimPrefix(f.ID, "sample-")] = f
	}
	runs := Table{ID: "runs", Caption: "Arms against the baseline", Columns: []Column{{Name: "arm"}, {Name: "optimality", Number: true}, {Name: "difference from random", Number: true}, {Name: "collapsed runs", Number: true}},
		Rows: [][]string{
			{"random", "0.550 [0.541, 0.559]", "–", "0 of 240: up to 1.5 %"}, {"equal", "0.710 [0.704, 0.716]", "+0.160 [0.149, 0.171]", "0 of 240: up to 1.5 %"},
			{"notebook", "0.640 [0.628, 0.652]", "+0.090 [0.075, 0.105]", "12 of 240: up to 8.6 %"}, {"corrected", "0.994 [0.993, 0.995]", "+0.444 [0.435, 0.453]", "0 of 240: up to 1.5 %"},
		}, Notes: []string{"Differences are paired by seed; intervals are 95 % by bootstrap over replications."}}
	points := Table{ID: "points", Caption: "All points", Columns: []Column{{Name: "point", Number: true}, {Name: "arm"}, {Name: "delay"}, {Name: "volatility_scale", Number: true}, {Name: "learning_rate", Number: true}, {Name: "optimality", Number: true}, {Name: "failed", Number: true}}}
	for i := range 48 {
		points.Rows = append(points.Rows, []string{fmt.Sprint(i), []string{"random", "equal", "notebook", "corrected"}[i%4], []string{"none", "notebook", "late"}[i/4%3], fmt.Sprint(float64(i/12) * .5), "0.0030", fmt.Sprintf("%.3f", .5+.01*float64((i*29)%48)), fmt.Sprint(i % 3)})
	}
	many := by["intervals"]
	many.ID, many.Title = "many-panels", "Each factor's effect"
	one := many.Panels[0]
	many.Panels = nil
	for _, name := range []string{"volatility_scale", "delay", "learning_rate", "batch_size", "entropy bonus at the beginning of training", "baseline"} {
		one.Name = name
		many.Panels = append(many.Panels, one)
	}
	hostile := `</script><script>document.title = "broken"</script><!-- <img src=x onerror=alert(1)> & "quoted" 'single'`
	return Document{
		Study: "delay-volatility", Question: "How do delay and volatility change what REINFORCE learns, and is it better than doing nothing clever?",
		Answer: []string{
			"Corrected REINFORCE reaches 0.994 [0.993, 0.995] of the optimum and beats the best simple policy (equal shares, 0.710) in 240 of 240 paired runs; the notebook's version does not (0.640 [0.628, 0.652]).",
			"Volatility explains 61 % [52, 69] of the variance between settings and delay 3 % [0, 8], which can't be told from luck.",
			"12 of 240 runs of the notebook's agent collapsed; none of the corrected agent's did (0 of 240: up to 1.5 %).",
		},
		Lead: []figure.Figure{by["intervals"]},
		Facts: []Fact{
			{Name: "Trials", Value: "960 of 960 done, 0 failed"}, {Name: "Arms", Value: "4"}, {Name: "Points", Value: "48"}, {Name: "Replications", Value: "20"}, {Name: "Seed", Value: "7"}, {Name: "Engine", Value: "embedded, 4 workers"},
			{Name: "Digest", Value: "sha256:5b1b1d3c0f6f2b9a66c9c3d6c0a5b1e6f98a4d2a1f7c7f0f8d2e1c5a9b3d7e60", Mono: true},
		},
		Sections: []Section{
			{ID: "arms", Title: "Which agent is better", Text: []string{"Every arm ran on the same 240 settings and seeds, so that differences are paired."}, Figures: []figure.Figure{by["lines"], many}, Tables: []Table{runs}},
			{ID: "factors", Title: "What matters, and how much is luck", Figures: []figure.Figure{by["bars"], by["heat"], by["scatter"], by["contour"], by["parallel"]}},
			{ID: "time", Title: "On the way", Figures: []figure.Figure{by["tiles"], by["replay"], by["stacks"], by["frames"]}},
			{ID: "days", Title: "Day by day", Text: []string{"The best point of each arm, replayed. " + hostile}, Figures: []figure.Figure{by["areas"]}},
			{ID: "points", Title: "Points", Tables: []Table{points}},
		},
		Source: "study: delay-volatility\nquestion: >\n  How do delay and volatility change what REINFORCE learns?\nseed: 7\nreplications: 20\n# " + hostile + "\n" + strings.Repeat("factors:\n  delay: [none, notebook, late]\n", 6),
		Made:   "Made by overnight v0.4.0 on 22 November, 04:00 UTC",
	}
}

func write(tb testing.TB, d Document) string {
	tb.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// between returns the only text between two others.
func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s, from)
	if !ok {
		t.Fatalf("no %q in the page", from)
	}
	inner, _, ok := strings.Cut(rest, to)
	if !ok {
		t.Fatalf("no %q after %q", to, from)
	}
	return inner
}

func TestWriteIsSelfContainedAndSmall(t *testing.T) {
	t.Parallel()
	got := write(t, sample(t))
	if *pageFile != "" {
		if err := os.WriteFile(*pageFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) > 2<<20 {
		t.Errorf("the page has %d bytes, want at most 2 MiB", len(got))
	}
	t.Logf("page of %d bytes", len(got))
	// Whatever loads something: an address in src, href, url() or @import.
	head, _, _ := strings.Cut(got, `<script type="application/json"`)
	for _, m := range regexp.MustCompile(`(?i)(?:src|srcset|href|action)\s*=\s*"([^"]*)"|url\(([^)]*)\)|@import`).FindAllStringSubmatch(head, -1) {
		if a := m[1] + m[2]; !strings.HasPrefix(a, "#") && a != "data:," {
			t.Errorf("the page refers to %q", m[0])
		}
	}
	if again := write(t, sample(t)); again != got {
		t.Error("the same document gives other bytes")
	}
}

func TestWriteEscapes(t *testing.T) {
	t.Parallel()
	d := sample(t)
	d.Study, d.Question = `<tt>&"study"`, "</title></script><script>alert(1)</script>"
	d.Answer = []string{`<img src=x onerror="alert(1)">`}
	d.Facts = []Fact{{Name: "<i>", Value: `"><script>`, Mono: true}}
	d.Sections[0].Tables[0].Rows[0][0] = "<u>cell</u>"
	d.Lead[0].Title, d.Lead[0].Caption = "<s>title</s>", "{{.Study}} </figure>"
	got := write(t, d)
	if n := strings.Count(got, "<script"); n != 4 {
		// ECharts and charts.js hold no such text.
		t.Errorf("%d script elements, want 4", n)
	}
	if n := strings.Count(got, "</script>"); n != 4 {
		t.Errorf("%d ends of scripts, want 4", n)
	}
	head, _, _ := strings.Cut(got, `<script type="application/json"`)
	for _, bad := range []string{"<tt>", "<img", "<i>", "<u>", "<s>", "</figure> "} {
		if strings.Contains(head, bad) {
			t.Errorf("%q stands unescaped in the page", bad)
		}
	}
	if h1 := between(t, got, `<h1 id="question">`, "</h1>"); html.UnescapeString(h1) != d.Question {
		t.Errorf("the question reads %q", h1)
	}
}

// The embedded document is what was given, whatever its texts are.
func TestWriteEmbedsTheDocument(t *testing.T) {
	t.Parallel()
	want := sample(t)
	text := between(t, write(t, want), `<script type="application/json" id="document">`, "</script>")
	var got Document
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b figure.Num) bool {
		x, y := float64(a), float64(b)
		return math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-6*(1+math.Abs(y))
	})
	if d := cmp.Diff(want, got, same); d != "" {
		t.Errorf("the document changed (-want +got):\n%s", d)
	}
}

// The policy names exactly the scripts that stand in the page.
func TestWritePolicyHoldsItsScripts(t *testing.T) {
	t.Parallel()
	got := write(t, sample(t))
	policy := html.UnescapeString(between(t, got, `http-equiv="Content-Security-Policy" content="`, `"`))
	named := regexp.MustCompile(`'sha256-[^']*'`).FindAllString(policy, -1)
	var want []string
	for _, m := range regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(got, -1) {
		sum := sha256.Sum256([]byte(m[1]))
		want = append(want, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	if d := cmp.Diff(want, named); d != "" || len(want) != 3 {
		t.Errorf("hashes of the policy (-scripts +policy):\n%s", d)
	}
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "connect-src") || strings.Contains(policy, "unsafe-eval") {
		t.Errorf("policy %q", policy)
	}
}

// Headings go down by one level at most, and what is referred to by an ID is there.
func TestWriteOutline(t *testing.T) {
	t.Parallel()
	got, _, _ := strings.Cut(write(t, sample(t)), `<script type="application/json"`)
	level := 0
	for _, m := range regexp.MustCompile(`<h([1-6])[ >]`).FindAllStringSubmatch(got, -1) {
		l := int(m[1][0] - '0')
		if l > level+1 {
			t.Errorf("a heading of level %d after one of level %d", l, level)
		}
		level = l
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(got, -1) {
		if seen[m[1]] {
			t.Errorf("two elements have the ID %q", m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?:href="#|aria-labelledby="|data-copy=")([^"]*)"`).FindAllStringSubmatch(got, -1) {
		if !seen[m[1]] {
			t.Errorf("no element has the ID %q", m[1])
		}
	}
}

// Tiles are words of the page, without its scripts too: those of all panels, with
// the colours of their arms.
func TestWriteTiles(t *testing.T) {
	t.Parallel()
	got, _, _ := strings.Cut(write(t, sample(t)), `<script type="application/json"`)
	for _, want := range []string{
		`<div class="figure-tile"><dt>sends a run</dt><dd class="figure-tile-value">10,000</dd><dd class="figure-tile-note">1,000 replications</dd></div>`,
		`<div class="figure-tile" style="border-left-color: ` + figure.Colors()[0] + `"><dt>conversions, ab</dt><dd class="figure-tile-value">3,500</dd></div>`,
		`<p class="figure-panel-name">close</p>`, `<dt>stopped at</dt><dd class="figure-tile-value">never</dd>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// A document with nothing but a name is a page too.
func TestWriteEmpty(t *testing.T) {
	t.Parallel()
	got := write(t, Document{Study: "nothing yet"})
	for _, want := range []string{"<h1 id=\"question\">nothing yet</h1>", `"sections":[]`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if strings.Contains(got, `id="again"`) {
		t.Error("tells how to repeat a study without a file")
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"delay-volatility": "delay-volatility", "a b/../c;rm": "a-b-..-c-rm", "../..": "study", "": "study", "Ünter": "nter"} {
		if got := fileName(in); got != want {
			t.Errorf("fileName(%q) = %q, want %q", in, got, want)
		}
	}
}
