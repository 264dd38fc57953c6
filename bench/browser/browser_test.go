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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
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
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &tab{Context: ctx, t: t, page: p, url: url}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	limited, enough := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(enough)
	b.Context = limited
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watched})
	b.media("", scheme)
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(url))
	get(b, chromedp.Poll[bool](p.ready, chromedp.WithPollingTimeout(20*time.Second)))
	t.Cleanup(func() { b.tell() })
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var text []string
			for _, a := range e.Args {
				text = append(text, string(a.Value)+a.Description)
			}
			b.wrong = append(b.wrong, fmt.Sprintf("console: %s: %s", e.Type, strings.Join(text, " ")))
		}
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, "exception: "+thrown(e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.wrong = append(b.wrong, fmt.Sprintf("log: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		url := e.Request.URL
		if url != b.url && !strings.HasPrefix(url, "data:") && (b.page.requests == nil || !b.page.requests(url)) {
			b.wrong = append(b.wrong, "request: "+url)
		}
	}
}

func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

// tell reports what went wrong so far.
func (b *tab) tell() {
	b.t.Helper()
	if violations, err := chromedp.Run(b, chromedp.Evaluate[[]string](`window.violations.splice(0)`)); err == nil {
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
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		b.t.Fatalf("%s: %v", b.page.name, err)
	}
}

// get runs an action that returns something.
func get[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b, action)
	if err != nil {
		b.t.Fatalf("%s: %v", b.page.name, err)
	}
	return v
}

// call sends a command of the protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, command, params)
		return chromedp.Void{}, err
	})
}

// eval evaluates JavaScript, and waits where it is a promise.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	return get(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// run evaluates JavaScript for what it does.
func run(b *tab, script string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise))
}

// media emulates a medium ("print", or "" for the screen) and a colour scheme.
func (b *tab) media(medium, scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// scroll goes through the whole page, so that every figure is drawn, and back.
func (b *tab) scroll() {
	b.t.Helper()
	left := eval[int](b, `(async () => {
		const frame = () => new Promise((r) => requestAnimationFrame(() => setTimeout(r, 0)));
		document.documentElement.style.scrollBehavior = "auto";
		for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) { scrollTo(0, y); await frame(); await frame(); }
		scrollTo(0, 0); await frame();
		return [...document.querySelectorAll("[data-figure]")].filter((f) => !f.querySelector(".figure-plot canvas, .figure-panel .figure-tiles")).length;
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
