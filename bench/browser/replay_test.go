package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Tiles are words: a list that is the same without the scripts, each with the
// colour of its arm, and no table of the same words.
func TestTiles(t *testing.T) {
	p := pages[0]
	b := show(t, p, address(t, p), 1280, 900, false)
	const words = `[...document.querySelectorAll("#figure-sample-tiles dl > div")].map((e) => [...e.children].map((c) => c.tagName + " " + c.textContent).join("; "))`
	read := func() []string {
		t.Helper()
		return eval[[]string](b, words)
	}
	drawn := []string{
		"DT sends a run; DD 10,000; DD 1,000 replications", "DT conversions, epsilon_greedy; DD 4,936; DD [4,900, 4,972] a run", "DT conversions, ab; DD 3,500",
		"DT conversion rate; DD 49.4 %; DD ab 35.0 %", "DT uplift over ab; DD +41.0 %; DD +1,436 [+1,404, +1,469] conversions a run, paired",
	}
	closer := []string{"DT sends a run; DD 10,000", "DT stopped at; DD never; DD no run of 200"}
	// Before the figure is drawn, the page's own words are there: of all panels.
	if n := eval[int](b, `document.querySelectorAll("#figure-sample-tiles .figure-panel").length`); n == 0 {
		if want, got := slices.Concat(drawn, closer), read(); !slices.Equal(got, want) {
			t.Errorf("without the scripts: %q, want %q", got, want)
		}
	} else {
		t.Error("the tiles are drawn before anybody comes near them")
	}
	b.scroll()
	if want, got := drawn, read(); !slices.Equal(got, want) {
		t.Errorf("the first panel: %q, want %q", got, want)
	}
	edges := eval[[]string](b, `[...document.querySelectorAll("#figure-sample-tiles dl > div")].map((e) => getComputedStyle(e).borderLeftColor)`)
	if edges[1] != "rgb(213, 94, 0)" || edges[2] != "rgb(0, 114, 178)" || edges[3] != edges[1] || edges[0] == edges[1] {
		t.Errorf("edges of the colours %q", edges)
	}
	run(b, `[...document.querySelectorAll("#figure-sample-tiles button")].find((e) => e.textContent === "close").click()`)
	if want, got := closer, read(); !slices.Equal(got, want) {
		t.Errorf("the second panel: %q, want %q", got, want)
	}
	if eval[bool](b, `[...document.querySelectorAll("#figure-sample-tiles button")].find((e) => e.textContent === "Show as table").checkVisibility()`) {
		t.Error("tiles can be shown as a table")
	}
}

// What is stacked is told with its sum; a part that is switched off is in neither.
func TestStacks(t *testing.T) {
	p, id := pages[0], "figure-sample-stacks"
	b := show(t, p, address(t, p), 1280, 900, false)
	b.scroll()
	first := func() string {
		t.Helper()
		run(b, fmt.Sprintf(`document.querySelector("#%s .figure-plot").focus()`, id))
		b.do(chromedp.KeyEvent(kb.Home))
		return b.figure(id).Said
	}
	const want = "Limited Time Offer!; ab, converted 240; ab, not converted 1,760; ab, in all 2,000; epsilon_greedy, converted 9; epsilon_greedy, not converted 68; epsilon_greedy, in all 77"
	if got := first(); got != want {
		t.Errorf("all parts: %q, want %q", got, want)
	}
	picture := fmt.Sprintf(`document.querySelector("#%s canvas").toDataURL()`, id)
	before := eval[string](b, picture)
	toggle := fmt.Sprintf(`[...document.querySelectorAll("#%s .figure-key")].find((e) => e.textContent === "ab, not converted").click()`, id)
	run(b, toggle)
	if got, want := first(), "Limited Time Offer!; ab, converted 240; epsilon_greedy, converted 9; epsilon_greedy, not converted 68; epsilon_greedy, in all 77"; got != want {
		t.Errorf("without a part: %q, want %q", got, want)
	}
	if eval[string](b, picture) == before {
		t.Error("the picture shows the part that is switched off")
	}
	run(b, toggle)
	if eval[string](b, picture) != before {
		t.Error("the picture differs after off and on")
	}
}

// moving are the sample's figures with a slider, all of one label.
var moving = []string{"figure-sample-replay", "figure-sample-stacks", "figure-sample-frames"}

// places is what the sliders say, and their buttons.
func (b *tab) places() (said, buttons []string) {
	b.t.Helper()
	got := eval[[][]string](b, `[...document.querySelectorAll(".figure-replay")].map((e) => [e.querySelector("input").getAttribute("aria-valuetext"), e.querySelector(".figure-place").textContent, e.querySelector("button").textContent])`)
	for _, g := range got {
		if g[0] != g[1] {
			b.t.Errorf("%s: a slider says %q and shows %q", b.page.name, g[0], g[1])
		}
		said, buttons = append(said, g[0]), append(buttons, g[2])
	}
	return said, buttons
}

// axes is a print of what stands left of and below the plots, where no data are.
const axes = `(ids) => ids.map((id) => {
	const c = document.querySelector("#" + id + " canvas");
	const r = c.width / c.clientWidth;
	const copy = Object.assign(document.createElement("canvas"), { width: c.width, height: c.height }).getContext("2d", { willReadFrequently: true });
	copy.drawImage(c, 0, 0);
	const part = (x, y, w, h) => [...new Uint32Array(copy.getImageData(x * r, y * r, w * r, h * r).data.buffer)].reduce((a, v) => (Math.imul(a, 31) + v) | 0, 7);
	return [part(0, 0, 22, c.clientHeight), part(0, c.clientHeight - 30, c.clientWidth, 30)].join(" ");
})`

// All sliders of a label stand at one place: at load at the end, and then where any
// of them is moved with the keys. Pictures follow, and their axes stay.
func TestReplay(t *testing.T) {
	p := pages[0]
	b := show(t, p, address(t, p), 1280, 2400, false) // all are on the screen
	b.scroll()
	run(b, `document.getElementById("figure-sample-stacks").scrollIntoView({ block: "center" })`)
	pictures := func() []string {
		t.Helper()
		return eval[[]string](b, fmt.Sprintf(`%s.map((id) => document.querySelector("#" + id + " canvas").toDataURL())`, quotes(moving)))
	}
	frame := func() []string { t.Helper(); return eval[[]string](b, "("+axes+")("+quotes(moving)+")") }
	all := func(want string) {
		t.Helper()
		if got, _ := b.places(); !slices.Equal(got, []string{want, want, want}) {
			t.Errorf("the sliders say %q, want %q of all", got, want)
		}
	}
	all("after send 10,000")
	end, axesEnd := pictures(), frame()
	run(b, `document.querySelector("#figure-sample-stacks .figure-replay input").focus()`)
	b.do(chromedp.KeyEvent(kb.Home))
	all("after send 20")
	begin := pictures()
	for i := range moving {
		if begin[i] == end[i] {
			t.Errorf("%s: the same picture at the beginning and at the end", moving[i])
		}
	}
	if want, got := axesEnd, frame(); !slices.Equal(got, want) {
		t.Errorf("the axes have moved: %q, want %q", got, want)
	}
	b.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	all("after send 200")

	// What is told is of the place.
	for _, c := range []struct{ id, key, want string }{
		{"figure-sample-stacks", kb.Home, "Limited Time Offer!; ab, converted 5; ab, not converted 35; ab, in all 40; "},
		{"figure-sample-replay", kb.End, "send 190; "},
		{"figure-sample-frames", kb.End, "Exclusive Deal Inside: true rate 50 %; share of sends 0.465; "},
	} {
		run(b, fmt.Sprintf(`document.querySelector("#%s .figure-plot").focus()`, c.id))
		b.do(chromedp.KeyEvent(c.key))
		if got := b.figure(c.id).Said; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s says %q, want it to begin with %q", c.id, got, c.want)
		}
	}
	// Panels of the figure that come up stand there too.
	run(b, `[...document.querySelectorAll("#figure-sample-stacks .figure-tabs button")].find((e) => e.textContent === "epsilon_greedy").click()`)
	all("after send 200")
	run(b, `[...document.querySelectorAll("#figure-sample-stacks .figure-tabs button")].find((e) => e.textContent === "side by side").click()`)
	run(b, `document.querySelector("#figure-sample-replay .figure-replay input").focus()`)
	b.do(chromedp.KeyEvent(kb.End))
	all("after send 10,000")
	run(b, `document.activeElement.blur()`)
	for i, got := range pictures() {
		if got != end[i] {
			t.Errorf("%s: another picture at the end than at first", moving[i])
		}
	}
}

// Play goes from the beginning to the end and stops there; Pause, or a hand on the
// slider, holds it.
func TestPlay(t *testing.T) {
	p := pages[0]
	b := show(t, p, address(t, p), 1280, 2400, false)
	b.scroll()
	until := func(what, script string) {
		t.Helper()
		if !get(b, chromedp.Poll[bool](script, chromedp.WithPollingTimeout(30*time.Second))) {
			t.Fatalf("%s never came", what)
		}
	}
	const input = `document.querySelector("#figure-sample-replay .figure-replay input")`
	run(b, `document.querySelector("#figure-sample-replay .figure-play").focus()`)
	b.do(chromedp.KeyEvent(kb.Enter))
	if _, buttons := b.places(); !slices.Equal(buttons, []string{"Pause", "Pause", "Pause"}) {
		t.Errorf("while it plays the buttons say %q", buttons)
	}
	until("a place on the way", input+`.value === "3"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	said, buttons := b.places()
	if !slices.Equal(buttons, []string{"Play", "Play", "Play"}) || said[0] == "after send 10,000" {
		t.Errorf("held, the sliders say %q and the buttons %q", said, buttons)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	until("the next place", input+`.value === "5"`)
	run(b, input+`.focus()`)
	b.do(chromedp.KeyEvent(kb.ArrowLeft))
	if _, buttons := b.places(); buttons[0] != "Play" {
		t.Errorf("a hand on the slider does not hold it: the button says %q", buttons[0])
	}
	run(b, `document.querySelector("#figure-sample-replay .figure-play").click()`)
	until("the end", input+`.value === "8" && document.querySelector("#figure-sample-replay .figure-play").textContent === "Play"`)
	if said, _ := b.places(); !slices.Equal(said, []string{"after send 10,000", "after send 10,000", "after send 10,000"}) {
		t.Errorf("at the end the sliders say %q", said)
	}
}

// Who wants little motion sees twelve steps.
func TestPlayWithLittleMotion(t *testing.T) {
	p := pages[0]
	b := show(t, p, address(t, p), 1280, 900, false)
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
	got := eval[[]string](b, `new Promise((done) => {
		const x = Array.from({ length: 121 }, (_, i) => i);
		const e = document.createElement("div");
		document.querySelector("main").prepend(e);
		Overnight.draw(e, { id: "many", title: "Many places", caption: "A line.", panels: [{ kind: "lines", x: { label: "step" }, y: { label: "value" }, replay: { label: "at step", at: x }, series: [{ name: "a", color: 0, x, y: x }] }] });
		const seen = [];
		const told = e.querySelector(".figure-place");
		new MutationObserver(() => {
			if (seen.at(-1) !== told.textContent) seen.push(told.textContent);
			if (e.querySelector(".figure-play").textContent === "Play") done(seen);
		}).observe(e.querySelector(".figure-replay"), { childList: true, subtree: true });
		e.querySelector(".figure-play").click();
	})`)
	var want []string
	for i := range 13 {
		want = append(want, fmt.Sprintf("at step %d", 10*i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("places on the way: %q, want %q", got, want)
	}
}

func quotes(all []string) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = quote(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
