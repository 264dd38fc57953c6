package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axe-core finds nothing, with tables and details open.
func TestAccessible(t *testing.T) {
	source := axe(t)
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			url := address(t, p)
			for _, c := range []struct {
				name          string
				width, height int64
				dark          bool
			}{{"light", 1400, 900, false}, {"dark", 1400, 900, true}, {"narrow", 360, 740, false}} {
				t.Run(c.name, func(t *testing.T) {
					b := show(t, p, url, c.width, c.height, c.dark)
					b.scroll()
					run(b, `document.querySelectorAll(".figure-actions button[aria-expanded=false]").forEach((e) => e.click());
						document.querySelectorAll("details").forEach((d) => (d.open = true))`)
					run(b, source)
					type violation struct {
						ID    string   `json:"id"`
						Help  string   `json:"help"`
						Nodes []string `json:"nodes"`
					}
					got := eval[struct {
						Passes     int         `json:"passes"`
						Violations []violation `json:"violations"`
					}](b, `axe.run(document, { resultTypes: ["violations"] }).then((r) => ({ passes: r.passes.length,
						violations: r.violations.map((v) => ({ id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message || n.all[0]?.message || "")) })) }))`)
					if got.Passes < 15 {
						t.Errorf("axe-core passed %d rules only: was the page there?", got.Passes)
					}
					for _, v := range got.Violations {
						t.Errorf("%s: %s\n\t%s", v.ID, v.Help, strings.Join(v.Nodes, "\n\t"))
					}
					t.Logf("axe-core: %d rules pass, %d are violated", got.Passes, len(got.Violations))
				})
			}
		})
	}
}

// A screen of 360 pixels needs no scrolling sideways, with everything open.
func TestNarrow(t *testing.T) {
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			b := show(t, p, address(t, p), 360, 740, false)
			b.scroll()
			run(b, `document.querySelectorAll(".figure-actions button[aria-expanded=false]").forEach((e) => e.click());
				document.querySelectorAll("details").forEach((d) => (d.open = true))`)
			wide := eval[[]string](b, `(() => {
				const cut = [...document.querySelectorAll("caption")].filter((e) => e.getBoundingClientRect().right > 361);
				if (cut.length) return cut.map((e) => "the caption of a table is cut: " + e.textContent);
				if (document.documentElement.scrollWidth <= 360) return [];
				return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > 361 && !e.parentElement.closest(".table-frame, pre, svg"))
					.slice(0, 6).map((e) => e.outerHTML.slice(0, 120) + " ends at " + e.getBoundingClientRect().right).concat("the page is " + document.documentElement.scrollWidth + " wide");
			})()`)
			for _, w := range wide {
				t.Errorf("%s: %s", p.name, w)
			}
		})
	}
}

// Tab goes through every control in the order of the document, and shows where it
// is.
func TestTab(t *testing.T) {
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			b := show(t, p, address(t, p), 1280, 900, false)
			b.scroll()
			want := eval[int](b, `(() => {
				window.stops = [...document.querySelectorAll("a[href], button, select, input, summary, [tabindex='0']")].filter((e) => !e.disabled && e.checkVisibility({ visibilityProperty: true }));
				window.reached = [];
				document.addEventListener("focusin", (e) => {
					const style = getComputedStyle(e.target);
					reached.push({ i: stops.indexOf(e.target), shown: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0, html: e.target.outerHTML.slice(0, 100) });
				});
				document.body.focus();
				return stops.length;
			})()`)
			for range want {
				b.do(chromedp.KeyEvent(kb.Tab))
			}
			got := eval[[]struct {
				I     int    `json:"i"`
				Shown bool   `json:"shown"`
				HTML  string `json:"html"`
			}](b, `reached`)
			if len(got) != want {
				t.Errorf("%s: Tab reached %d elements, want %d", p.name, len(got), want)
			}
			for i, g := range got {
				if g.I != i || !g.Shown {
					t.Errorf("%s: after %d times Tab: number %d of the page, outline shown: %v: %s", p.name, i+1, g.I, g.Shown, g.HTML)
					break
				}
			}
		})
	}
}
