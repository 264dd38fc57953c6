package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// A control is what the page's next control is and where.
type control struct {
	What    string   `json:"what"`
	Kind    string   `json:"kind"` // button, select, number, text, check, summary or link
	X       float64  `json:"x"`
	Y       float64  `json:"y"`
	Covered string   `json:"covered"`
	Options []string `json:"options"`
}

// next finds the first visible control that has not been tried, in the order of
// the document, and brings it onto the screen. before remembers how its
// surroundings look. A panel that is shown is tried once another has been.
const next = `(async (leave) => {
	window.tried ??= new WeakSet();
	document.documentElement.style.scrollBehavior = "auto";
	const all = document.querySelectorAll("button, select, input, summary, a[href^='#']");
	const e = [...all].find((e) => !tried.has(e) && !e.disabled && !(leave && e.matches(leave)) && !e.matches(".figure-tabs [aria-pressed=true]") && e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length);
	if (!e) return null;
	tried.add(e);
	e.scrollIntoView({ block: "center" });
	await new Promise((r) => requestAnimationFrame(() => setTimeout(r, 30)));
	const box = e.getClientRects()[0];
	const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
	const top = document.elementFromPoint(x, y);
	const covered = e.classList.contains("skip") || (top && (e.contains(top) || top.contains(e) || e.labels?.length && [...e.labels].some((l) => l.contains(top)))) ? "" : top ? top.outerHTML.slice(0, 120) : "nothing: it is off the screen";
	window.current = e;
	window.before = look(e);
	const kind = e.tagName === "INPUT" ? (["checkbox", "radio"].includes(e.type) ? "check" : e.type) : { BUTTON: "button", SELECT: "select", SUMMARY: "summary", A: "link" }[e.tagName];
	const figure = e.closest(".figure")?.querySelector(".figure-title")?.textContent || "";
	return { what: [figure, e.tagName.toLowerCase(), e.getAttribute("aria-label") || e.closest("label")?.textContent || e.textContent || e.placeholder].filter(Boolean).join(" / ").slice(0, 100), kind, x, y, covered, options: [...(e.options || [])].map((o) => o.value) };
})`

// look is a print of what a control can change: the page's elements, fields, place
// and the pictures of its figure.
const look = `window.look = (e) => {
	const figure = e.closest(".figure");
	const pictures = figure ? [...figure.querySelectorAll("canvas")].map((c) => c.toDataURL()).join() : "";
	const fields = [...document.querySelectorAll("select, input")].map((f) => f.value + f.checked).join();
	return [document.documentElement.outerHTML, fields, location.hash, scrollY, prints, String(getSelection()).length, pictures].join("|");
}`

// changed waits until the control has changed something.
const changed = `(async () => {
	for (let i = 0; i < 40; i++) {
		await new Promise((r) => requestAnimationFrame(() => setTimeout(r, i < 5 ? 0 : 25)));
		if (look(current) !== before) return true;
	}
	return false;
})()`

// Every control of every page is tried, those that come up on the way too, and
// changes something.
func TestControls(t *testing.T) {
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			b := show(t, p, address(t, p), 1280, 900, false)
			b.scroll()
			kinds := []string{"button"}
			if p.leave == "" {
				kinds = append(kinds, "link")
			}
			b.tryAll(kinds...)
		})
	}
}

// tryAll tries every control; there must be some of each of the kinds.
func (b *tab) tryAll(kinds ...string) {
	b.t.Helper()
	run(b, look)
	count := map[string]int{}
	for n := 0; ; n++ {
		if n == 2000 {
			b.t.Fatalf("%s: 2000 controls and no end", b.page.name)
		}
		c := eval[*control](b, next+"("+quote(b.page.leave)+")")
		if c == nil {
			break
		}
		count[c.Kind]++
		b.try(c)
		b.tell()
	}
	b.t.Logf("%s: tried %v", b.page.name, count)
	for _, kind := range kinds {
		if count[kind] == 0 {
			b.t.Errorf("%s: no %s at all", b.page.name, kind)
		}
	}
}

func (b *tab) try(c *control) {
	b.t.Helper()
	if c.Covered != "" {
		b.t.Errorf("%s: %s is covered by %s", b.page.name, c.What, c.Covered)
		return
	}
	switch c.Kind {
	case "select":
		// Each option in turn, and the first again.
		for _, o := range append(c.Options[1:], c.Options[0]) {
			run(b, fmt.Sprintf(`before = look(current); current.value = %s; current.dispatchEvent(new Event("change", { bubbles: true }))`, quote(o)))
			if !eval[bool](b, changed) {
				b.t.Errorf("%s: %s: option %q changes nothing", b.page.name, c.What, o)
			}
		}
		return
	case "number", "text", "search":
		run(b, `current.focus(); current.select()`)
		b.do(chromedp.KeyEvent("1"), chromedp.KeyEvent("\t"))
	default:
		b.do(chromedp.MouseClickXY(c.X, c.Y))
	}
	if !eval[bool](b, changed) && c.Kind != "link" {
		b.t.Errorf("%s: %s changes nothing", b.page.name, c.What)
	}
}

// A control that does nothing, and one that is covered, are found.
func TestControlsFindsDead(t *testing.T) {
	p := pages[0]
	b := show(t, p, address(t, p), 1280, 900, false)
	b.scroll()
	run(b, look)
	run(b, `document.querySelectorAll("button, select, input, summary, a").forEach((e) => e.remove());
		const dead = document.createElement("button");
		dead.textContent = "dead";
		document.querySelector("main").prepend(dead)`)
	c := eval[*control](b, next+`("")`)
	if c == nil || c.Kind != "button" || c.Covered != "" {
		t.Fatalf("the only control is %+v", c)
	}
	b.do(chromedp.MouseClickXY(c.X, c.Y))
	if eval[bool](b, changed) {
		t.Error("a button that does nothing is said to change something")
	}
	run(b, `tried = new WeakSet();
		const cover = document.createElement("div");
		Object.assign(cover.style, { position: "fixed", inset: "0", zIndex: "99" });
		document.body.append(cover)`)
	if c := eval[*control](b, next+`("")`); c == nil || c.Covered == "" {
		t.Errorf("a covered button is said to be free: %+v", c)
	}
}
