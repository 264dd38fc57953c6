package browser

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestImages takes the pictures of the documentation, into the folder of -images:
// NAME-wide.png, NAME-dark.png, NAME-narrow.png and NAME-print.png. Without the flag it looks at the same screens and writes none.
func TestImages(t *testing.T) {
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			url := address(t, p)
			b := show(t, p, url, 1400, 900, false)
			b.scroll()
			b.save("wide", chromedp.CaptureScreenshot())

			b = show(t, p, url, 1400, 900, true)
			b.scroll()
			b.save("dark", chromedp.CaptureScreenshot())

			b = show(t, p, url, 360, 1500, false)
			b.scroll()
			b.save("narrow", chromedp.CaptureScreenshot())

			// Dark on the screen, light on paper.
			b = show(t, p, url, 794, 1123, true)
			b.media("print", "dark")
			get(b, chromedp.Poll[bool](`!document.querySelector("[data-figure]") || !!document.querySelector(".figure-plot svg")`))
			run(b, `document.body.style.padding = "16mm"`) // the margin of the paper
			b.save("print", chromedp.CaptureScreenshot())
		})
	}
}

// A page printed from a dark screen has every figure, as vectors, and is as it was
// afterwards.
func TestPrint(t *testing.T) {
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			b := show(t, p, address(t, p), 1280, 900, true)
			run(b, `addEventListener("beforeprint", () => { window.printed = {
				figures: document.querySelectorAll("[data-figure]").length, vectors: [...document.querySelectorAll("[data-figure]")].filter((f) => f.querySelector(".figure-plot svg, .figure-panel .figure-tiles")).length,
				theme: Overnight.theme(), closed: document.querySelectorAll("details:not([open])").length }; })`)
			pdf := get(b, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()))
			if !bytes.HasPrefix(pdf, []byte("%PDF")) || len(pdf) < 20_000 {
				t.Errorf("%s: a PDF of %d bytes", p.name, len(pdf))
			}
			got := eval[struct {
				Figures, Vectors, Closed int
				Theme                    string
			}](b, `printed`)
			if got.Vectors != got.Figures || got.Closed > 0 || got.Theme != "light" {
				t.Errorf("%s: on paper %d of %d figures are vectors, %d details are closed, the theme is %s", p.name, got.Vectors, got.Figures, got.Closed, got.Theme)
			}
			if after := eval[string](b, `Overnight.theme() + document.querySelectorAll(".figure-plot svg").length`); after != "dark0" {
				t.Errorf("%s: after printing %q, want %q", p.name, after, "dark0")
			}
		})
	}
}

func (b *tab) save(name string, take chromedp.Action[[]byte]) {
	b.t.Helper()
	png := get(b, take)
	if len(png) < 5_000 {
		b.t.Errorf("%s: the picture %s has %d bytes: it is empty", b.page.name, name, len(png))
	}
	b.keep(name+".png", png)
}

func (b *tab) keep(name string, content []byte) {
	b.t.Helper()
	if *images == "" || b.page.name == "sample" {
		return
	}
	if err := os.MkdirAll(*images, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*images, b.page.name+"-"+name), content, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
