package browser

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var images = flag.String("images", "", "write screenshots into this folder")

// A tab is a page in Chromium, with what it complained of.
type tab struct {
	context.Context
	t    *testing.T
	page page
	url  string

	mu    sync.Mutex
	wrong []string
}

// watched runs before the page's own scripts: it keeps violations of the policy
// where tell finds them, and stands in for the dialog that printing opens.
const watched = `window.violations = []; window.prints = 0; window.print = () => { window.prints++; };
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.violatedDirective + " " + e.blockedURI + " " + e.sample));`

// show opens a page in a window of its own. The test fails when it ends, if
// anything was wrong.
func show(t *testing.T, p page, url string, width, height int64, dark bool) *tab {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium found: install it with \"apt-get install chromium\", or run \"make browser\", which does")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, enough := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(enough)

	b := &tab{Context: ctx, t: t, page: p, url: url}
	chromedp.ListenTarget(ctx, b.listen)
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do(network.Enable(), log.Enable(),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.EmulateViewport(width, height),
		chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := cdppage.AddScriptToEvaluateOnNewDocument(watched).Do(ctx)
			return err
		}),
		chromedp.Navigate(url), chromedp.Poll(p.ready, nil, chromedp.WithPollingTimeout(20*time.Second)))
	t.Cleanup(func() { b.tell() })
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning || e.Type == runtime.APITypeAssert {
			var text []string
			for _, a := range e.Args {
				text = append(text, string(a.Value)+a.Description)
			}
			b.wrong = append(b.wrong, fmt.Sprintf("console: %s: %s", e.Type, strings.Join(text, " ")))
		}
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, "exception: "+e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			b.wrong = append(b.wrong, fmt.Sprintf("log: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		url := e.Request.URL
		if url != b.url && !strings.HasPrefix(url, "data:") && (b.page.requests == nil || !b.page.requests(url)) {
			b.wrong = append(b.wrong, "request: "+url)
		}
	}
}

// tell reports what went wrong so far.
func (b *tab) tell() {
	b.t.Helper()
	var violations []string
	if err := chromedp.Run(b, chromedp.Evaluate(`window.violations`, &violations)); err == nil {
		for _, v := range violations {
			b.t.Errorf("%s: content security policy: %s", b.page.name, v)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Errorf("%s: %s", b.page.name, w)
	}
	b.wrong = nil
}

// do runs actions and ends the test where one fails.
func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b, actions...); err != nil {
		b.t.Fatalf("%s: %v", b.page.name, err)
	}
}

// eval evaluates JavaScript, and waits where it is a promise.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	var v T
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	if err := chromedp.Run(b, chromedp.Evaluate(script, &v, await)); err != nil {
		b.t.Fatalf("%s: %v in\n%.400s", b.page.name, err, script)
	}
	return v
}

// scroll goes through the whole page, so that every figure is drawn, and back.
func (b *tab) scroll() {
	b.t.Helper()
	left := eval[int](b, `(async () => {
		const frame = () => new Promise((r) => requestAnimationFrame(() => setTimeout(r, 0)));
		document.documentElement.style.scrollBehavior = "auto";
		for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) { scrollTo(0, y); await frame(); await frame(); }
		scrollTo(0, 0); await frame();
		return [...document.querySelectorAll("[data-figure]")].filter((f) => !f.querySelector(".figure-plot canvas")).length;
	})()`)
	if left > 0 {
		b.t.Errorf("%s: %d figures are not drawn", b.page.name, left)
	}
	if n := eval[int](b, `document.querySelectorAll(".figure-plot canvas").length`); b.page.figures && n == 0 {
		b.t.Errorf("%s: no figure at all", b.page.name)
	}
}

// axe returns axe-core, verified.
func axe(t *testing.T) string {
	t.Helper()
	sums, err := os.ReadFile("testdata/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(source); !strings.HasPrefix(string(sums), hex.EncodeToString(sum[:])+"  axe.min.js") {
		t.Fatalf("testdata/axe.min.js has the SHA-256 %x, which is not in SHA256SUMS", sum)
	}
	return string(source)
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string is always written
	return string(b)
}
