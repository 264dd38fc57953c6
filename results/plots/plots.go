// Package plots draws figures as PNG and SVG files through gonum/plot, in the
// colours that the report's pages have. Start with Write.
//
// Equal figures give equal bytes on one architecture. Fonts are not embedded in
// SVG files; they ask for Liberation Sans or what stands for it.
package plots

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"overnight/results/figure"
)

// dpi is the resolution of PNG files: 8 inches are 1,200 pixels.
const dpi = 150

// Format is a kind of file.
type Format string

// The formats, by the end of their file names.
const (
	PNG Format = "png"
	SVG Format = "svg"
)

// Write draws every panel of the figures into a folder, which it makes, as
// ID.png and ID.svg, or ID-PANEL.png where a figure has several. It returns the
// paths in order. Files of these names are replaced.
func Write(dir string, figs []figure.Figure) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for figures: %w", err)
	}
	var paths []string
	for i := range figs {
		f := &figs[i]
		if err := f.Check(); err != nil {
			return paths, err
		}
		for k, name := range fileNames(f) {
			for _, format := range []Format{PNG, SVG} {
				var b bytes.Buffer
				if err := Draw(&b, f, k, format); err != nil {
					return paths, err
				}
				path := filepath.Join(dir, name+"."+string(format))
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					return paths, fmt.Errorf("write figure %s: %w", f.ID, err)
				}
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

// Draw writes one panel of a figure, in the size that its content asks for.
func Draw(w io.Writer, f *figure.Figure, panel int, format Format) error {
	if panel < 0 || panel >= len(f.Panels) {
		return fmt.Errorf("figure %s has no panel %d", f.ID, panel)
	}
	p := newPicture(f, &f.Panels[panel])
	switch format {
	case PNG:
		c := vgimg.NewWith(vgimg.UseWH(p.width, p.height), vgimg.UseDPI(dpi))
		p.draw(draw.New(c))
		_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
		return err
	case SVG:
		c := vgsvg.New(p.width, p.height)
		p.draw(draw.New(c))
		_, err := c.WriteTo(w)
		return err
	}
	return fmt.Errorf("no format %q: write png or svg", format)
}

// DrawOn draws one panel on a canvas of any size.
func DrawOn(c vg.CanvasSizer, f *figure.Figure, panel int) {
	newPicture(f, &f.Panels[panel]).draw(draw.New(c))
}

// fileNames returns a name for each panel, without the format: letters, digits
// and dashes only, and no name twice.
func fileNames(f *figure.Figure) []string {
	names := make([]string, len(f.Panels))
	seen := map[string]bool{}
	for i := range f.Panels {
		name := f.ID
		if len(f.Panels) > 1 {
			name += "-" + slug(f.Panels[i].Name)
		}
		unique := name
		for n := 2; seen[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		seen[unique] = true
		names[i] = unique
	}
	return names
}

// slug turns a name into part of a file name.
func slug(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	out := strings.Join(words, "-")
	if len(out) > 80 {
		out = strings.TrimRight(out[:80], "-")
	}
	if out == "" {
		return "panel"
	}
	return out
}
