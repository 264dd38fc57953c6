package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// state is what can be seen of a figure.
type state struct {
	Tip   string `json:"tip"`
	Said  string `json:"said"`
	Reset bool   `json:"reset"`
	Cells int    `json:"cells"`
	Count string `json:"count"`
}

func (b *tab) figure(id string) state {
	return eval[state](b, fmt.Sprintf(`(() => {
		const f = document.getElementById(%s);
		const tip = f.querySelector(".figure-tip");
		const reset = [...f.querySelectorAll(".figure-actions button")].find((e) => e.textContent === "Reset zoom");
		return { tip: tip && !tip.hidden ? tip.innerText : "", said: f.querySelector("[role=status].hidden-text").textContent, reset: !reset.hidden,
			cells: f.querySelectorAll(".figure-data tbody tr").length, count: f.querySelector(".figure-count")?.textContent || "" };
	})()`, quote(id)))
}

// plot brings a figure's plot onto the screen and returns where it is.
func (b *tab) plot(id string) (x, y, width, height float64) {
	box := eval[[]float64](b, fmt.Sprintf(`(async () => {
		document.documentElement.style.scrollBehavior = "auto";
		const e = document.querySelector("#" + %s + " .figure-plot");
		e.scrollIntoView({ block: "center" });
		await new Promise((r) => requestAnimationFrame(() => setTimeout(r, 30)));
		const { x, y, width, height } = e.getBoundingClientRect();
		return [x, y, width, height];
	})()`, quote(id)))
	return box[0], box[1], box[2], box[3]
}

// Each kind of figure answers the pointer and the keys; the sample has them all.
func TestFigures(t *testing.T) {
	p := pages[0]
	b := show(t, p, address(t, p), 1280, 900, false)
	b.scroll()
	for _, c := range []struct {
		id     string
		zoomed bool
		tip    string // what the first arrow key must show
	}{
		{"figure-sample-lines", true, "training episodes 40"},
		{"figure-sample-areas", true, "day 0"},
		{"figure-sample-bars", true, "volatility_scale"},
		{"figure-many-panels", true, "random"},
		{"figure-sample-scatter", true, "point "},
		{"figure-sample-heat", false, "volatility_scale 0, delay none"},
		{"figure-sample-contour", true, "optimality"},
		{"figure-sample-stacks", true, "Limited Time Offer!"},
		{"figure-sample-replay", true, "send 10"},
	} {
		t.Run(c.id, func(t *testing.T) {
			b.t = t
			x, y, width, height := b.plot(c.id)
			run(b, fmt.Sprintf(`document.querySelector("#%s .figure-plot").focus()`, c.id))
			b.do(chromedp.KeyEvent(kb.ArrowRight))
			s := b.figure(c.id)
			if len(s.Tip) < len(c.tip) || s.Tip[:len(c.tip)] != c.tip || s.Said == "" {
				t.Errorf("the arrow key shows %q and says %q, want it to begin with %q", s.Tip, s.Said, c.tip)
			}
			b.do(chromedp.KeyEvent(kb.ArrowRight))
			if again := b.figure(c.id); again.Tip == s.Tip || again.Tip == "" {
				t.Errorf("a second arrow key shows %q again", again.Tip)
			}
			b.do(chromedp.KeyEvent(kb.Escape))
			if s := b.figure(c.id); s.Tip != "" {
				t.Errorf("Escape leaves %q", s.Tip)
			}
			b.do(chromedp.KeyEvent("+"))
			if s := b.figure(c.id); s.Reset != c.zoomed {
				t.Errorf("after +: zoomed %v, want %v", s.Reset, c.zoomed)
			}
			b.do(chromedp.KeyEvent("0"))
			if b.figure(c.id).Reset {
				t.Error("0 does not show all")
			}
			// A drag over a good part of the plot zooms, a double click shows all.
			from, to := [2]float64{x + .45*width, y + .35*height}, [2]float64{x + .85*width, y + .65*height}
			b.do(mouse(input.DispatchMouseEventTypeMouseMoved, from, input.MouseButtonNone), mouse(input.DispatchMouseEventTypeMousePressed, from, input.MouseButtonLeft), mouse(input.DispatchMouseEventTypeMouseMoved, to, input.MouseButtonLeft), mouse(input.DispatchMouseEventTypeMouseReleased, to, input.MouseButtonLeft))
			if s := b.figure(c.id); s.Reset != c.zoomed {
				t.Errorf("after a drag: zoomed %v, want %v", s.Reset, c.zoomed)
			}
			b.do(chromedp.MouseClickXY(from[0], from[1], chromedp.ClickCount(2)))
			if b.figure(c.id).Reset {
				t.Error("a double click does not show all")
			}
			// Some place of the plot has something to tell.
			told := false
			for i := 0; i < 60 && !told; i++ {
				at := [2]float64{x + width*(.3+.01*float64(i)), y + height*(.25+.009*float64(i))}
				b.do(mouse(input.DispatchMouseEventTypeMouseMoved, at, input.MouseButtonNone))
				told = b.figure(c.id).Tip != ""
			}
			if !told {
				t.Error("the pointer finds nothing on its way through the plot")
			}
			b.do(mouse(input.DispatchMouseEventTypeMouseMoved, [2]float64{1, 1}, input.MouseButtonNone))
			if s := b.figure(c.id); s.Tip != "" {
				t.Errorf("the pointer is gone and the tip %q stays", s.Tip)
			}
		})
	}
	b.t = t
}

// Brushing an axis of parallel coordinates chooses rows: with the mouse, and with
// the fields; the table holds the chosen ones.
func TestBrush(t *testing.T) {
	p, id := pages[0], "figure-sample-parallel"
	b := show(t, p, address(t, p), 1280, 900, false)
	b.scroll()
	run(b, fmt.Sprintf(`document.querySelector("#%s .figure-actions button[aria-expanded]").click()`, id))
	if s := b.figure(id); s.Cells != 200 {
		t.Fatalf("%d rows, want 200", s.Cells)
	}
	x, y, width, height := b.plot(id)
	// The last axis stands 60 pixels before the right end.
	from, to := [2]float64{x + width - 60, y + 55}, [2]float64{x + width - 60, y + .4*height}
	half := [2]float64{from[0], (from[1] + to[1]) / 2}
	b.do(mouse(input.DispatchMouseEventTypeMouseMoved, from, input.MouseButtonNone), mouse(input.DispatchMouseEventTypeMousePressed, from, input.MouseButtonLeft), mouse(input.DispatchMouseEventTypeMouseMoved, half, input.MouseButtonLeft), mouse(input.DispatchMouseEventTypeMouseMoved, to, input.MouseButtonLeft), mouse(input.DispatchMouseEventTypeMouseReleased, to, input.MouseButtonLeft))
	s := b.figure(id)
	if s.Cells == 0 || s.Cells >= 200 {
		t.Errorf("brushing leaves %d rows: %s", s.Cells, s.Count)
	}
	run(b, fmt.Sprintf(`(() => { const s = document.querySelector("#%s .figure-filters select"); s.value = "3"; s.dispatchEvent(new Event("change")); })()`, id))
	if after := b.figure(id); after.Cells == 0 || after.Cells > s.Cells {
		t.Errorf("choosing an arm as well leaves %d rows after %d", after.Cells, s.Cells)
	}
	run(b, fmt.Sprintf(`document.querySelector("#%s .figure-filters button").click()`, id))
	if s := b.figure(id); s.Cells != 200 {
		t.Errorf("choosing all leaves %d rows, want 200", s.Cells)
	}
}

// Live data: update keeps the panel, the toggles and the zoom.
func TestUpdate(t *testing.T) {
	p := pages[0]
	b := show(t, p, address(t, p), 1280, 900, false)
	got := eval[map[string]any](b, `(() => {
		const figure = structuredClone(JSON.parse(document.getElementById("document").textContent).sections[0].figures[0]);
		const e = document.createElement("div");
		document.querySelector("main").prepend(e);
		Overnight.update(e, figure);
		const button = (text) => [...e.querySelectorAll("button")].find((b) => b.textContent === text);
		button("jumps").click();
		button("equal").click();
		const legend = button("equal");
		legend.focus();
		const picture = e.querySelector("canvas").toDataURL();
		for (const panel of figure.panels) for (const s of panel.series) s.y = s.y.map((v) => v && v * 0.9);
		figure.caption = "New.";
		Overnight.update(e, figure);
		const found = {
			panel: button("jumps").getAttribute("aria-pressed"), toggle: button("equal").getAttribute("aria-pressed"), focus: document.activeElement === button("equal") && button("equal") === legend,
			caption: e.querySelector(".figure-caption").textContent, drawn: e.querySelector("canvas").toDataURL() !== picture,
		};
		Overnight.dispose(e);
		found.left = e.children.length;
		e.remove();
		return found;
	})()`)
	want := map[string]any{"panel": "true", "toggle": "false", "focus": true, "caption": "New.", "drawn": true, "left": 0.0}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %v, want %v", k, got[k], v)
		}
	}
}

func mouse(kind input.DispatchMouseEventType, at [2]float64, button input.MouseButton) chromedp.Action[chromedp.Void] {
	return chromedp.MouseEvent(kind, at[0], at[1], func(p *input.DispatchMouseEventParams) {
		p.Button, p.PointerType = button, input.DispatchMouseEventPointerTypeMouse
		if button == input.MouseButtonLeft {
			p.Buttons, p.ClickCount = 1, 1
		}
	})
}
