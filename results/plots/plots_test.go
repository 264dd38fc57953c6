package plots

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"overnight/results/figure"
)

func samples(t testing.TB) []figure.Figure {
	t.Helper()
	b, err := os.ReadFile("../figure/testdata/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	var figs []figure.Figure
	if err := json.Unmarshal(b, &figs); err != nil {
		t.Fatal(err)
	}
	return figs
}

// TestWrite: a PNG and an SVG for each panel, with names that tell them apart.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "figures")
	paths, err := Write(dir, samples(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
		if info, err := os.Stat(p); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", p, err)
		}
	}
	want := []string{"sample-areas.png", "sample-areas.svg", "sample-heat-corrected.png", "sample-heat-difference.svg", "sample-lines-jumps.png", "sample-tiles-drawn.svg", "sample-stacks-epsilon-greedy.png"}
	for _, w := range want {
		if !slices.Contains(names, w) {
			t.Errorf("no file %s among %q", w, names)
		}
	}
	if len(names) != 34 {
		t.Errorf("%d files, want two for each of 17 panels", len(names))
	}
	broken := samples(t)[:1]
	broken[0].Panels[0].Series[0].Y = nil
	if _, err := Write(dir, broken); err == nil {
		t.Error("a broken figure was drawn")
	}
}

// texts returns the words of an SVG, and fails where it is not well-formed.
func texts(t *testing.T, svg []byte) string {
	t.Helper()
	var all strings.Builder
	inside := 0
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all.String()
		}
		if err != nil {
			t.Fatalf("the SVG is not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "text" {
				inside++
			}
		case xml.EndElement:
			if token.Name.Local == "text" {
				inside--
				all.WriteString("\n")
			}
		case xml.CharData:
			if inside > 0 {
				all.Write(token)
			}
		}
	}
}

// TestSVG: every picture has its title, the names that tell its parts apart, its
// axes and its note, in the palette's colours, and equal figures give equal bytes.
func TestSVG(t *testing.T) {
	t.Parallel()
	for _, f := range samples(t) {
		for k, p := range f.Panels {
			var a, b bytes.Buffer
			if err := Draw(&a, &f, k, SVG); err != nil {
				t.Fatal(err)
			}
			if err := Draw(&b, &f, k, SVG); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("%s: drawn twice, the bytes differ", f.ID)
			}
			words := texts(t, a.Bytes())
			if p.Replay != nil && p.Kind != figure.Lines && !strings.Contains(words, ", after send 10000") {
				t.Errorf("%s: the words don't say when it is from", f.ID)
			}
			want := []string{f.Title, p.Name, f.Note, p.X.Label, p.Y.Label, p.GridLabel}
			for _, s := range p.Series {
				if p.Kind == figure.Contour {
					continue
				}
				want = append(want, s.Name)
				if s.Color >= 0 && p.Kind != figure.Scatter && !strings.Contains(a.String(), strings.ToUpper(figure.Colors()[s.Color])) && !strings.Contains(strings.ToUpper(a.String()), figure.Colors()[s.Color]) {
					t.Errorf("%s: no line of the colour of %s", f.ID, s.Name)
				}
			}
			for _, m := range p.Marks {
				want = append(want, m.Name)
			}
			for _, d := range p.Dims {
				want = append(want, append(d.Categories, d.Label)...)
			}
			for _, tile := range p.Tiles {
				want = append(want, tile.Value)
				want = append(want, strings.Fields(tile.Label+" "+tile.Note)...)
			}
			for _, c := range append(slices.Clone(p.X.Categories), p.Y.Categories...) {
				want = append(want, strings.Fields(c)[0]) // long ones are broken into lines
			}
			for _, w := range want {
				if !strings.Contains(words, w) {
					t.Errorf("%s, panel %q: the words lack %q", f.ID, p.Name, w)
				}
			}
		}
	}
}

// TestStrange: figures of values that are unknown, equal, alone or huge can be
// drawn.
func TestStrange(t *testing.T) {
	t.Parallel()
	nan := figure.Num(math.NaN())
	for name, v := range map[string][]figure.Num{"unknown": {nan, nan, nan}, "equal": {4, 4, 4}, "huge": {-1e300, 0, 1e300}, "tiny": {1e-300, 2e-300, 3e-300}, "some": {nan, 1, nan}} {
		x := []figure.Num{1, 2, 3}
		s := []figure.Series{{Name: "s", X: x, Y: v, Low: v, High: v}}
		bars := []figure.Series{{Name: "s", Y: v, Low: v, High: v}, {Name: "other", Color: -1, Y: v}}
		names := figure.Axis{Label: strings.Repeat("long ", 40), Categories: []string{"", strings.Repeat("unbroken", 30), "c"}}
		grid := [][]figure.Num{v, v, v}
		for _, p := range []figure.Panel{
			{Kind: figure.Lines, Series: s}, {Kind: figure.Scatter, Series: s}, {Kind: figure.Areas, Series: s},
			{Kind: figure.Lines, X: figure.Axis{Log: true}, Series: s},
			{Kind: figure.Bars, X: names, Series: bars}, {Kind: figure.Intervals, X: names, Series: bars},
			{Kind: figure.Heatmap, X: names, Y: names, Grid: grid}, {Kind: figure.Heatmap, Better: "high", X: names, Y: names, Grid: grid},
			{Kind: figure.Contour, GridX: x, GridY: x, Grid: grid, Isolines: []figure.Line{{Level: 1, X: x, Y: x}}},
			{Kind: figure.Parallel, Dims: []figure.Dim{{Label: "a"}, {Label: "b"}, {Label: names.Label}}, Rows: grid},
			{Kind: figure.Tiles, Tiles: []figure.Tile{{Label: names.Label, Value: names.Categories[1], Note: names.Label, Color: -1}, {Label: "b", Value: "1", Color: 20}}},
		} {
			f := figure.Figure{ID: "strange", Title: strings.Repeat("title ", 60), Caption: "c", Panels: []figure.Panel{p}}
			if err := f.Check(); err != nil {
				t.Fatalf("%s %s: %v", name, p.Kind, err)
			}
			format := SVG
			if name == "some" {
				format = PNG // slower
			}
			if err := Draw(io.Discard, &f, 0, format); err != nil {
				t.Errorf("%s %s: %v", name, p.Kind, err)
			}
		}
	}
	if err := Draw(io.Discard, &samples(t)[0], 0, "gif"); err == nil {
		t.Error("a gif was drawn")
	}
	if err := Draw(io.Discard, &samples(t)[0], 2, PNG); err == nil {
		t.Error("a panel that is not there was drawn")
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	labels := func(ticks []plot.Tick) string {
		var out []string
		for _, k := range ticks {
			if k.Label != "" {
				out = append(out, k.Label)
			}
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		low, high float64
		log       bool
		want      string
	}{
		{0, 1, false, "0 0.2 0.4 0.6 0.8 1.0"},
		{-.3, .3, false, "-0.3 -0.2 -0.1 0 0.1 0.2 0.3"},
		{0, 2000, false, "0 500 1000 1500 2000"},
		{.993, .995, false, "0.9930 0.9935 0.9940 0.9945 0.9950"},
		{1e-4, .1, true, "0.0001 0.001 0.01 0.1"},
		{.001, .06, true, "0.001 0.002 0.005 0.01 0.02 0.05"},
		{5, 10, true, "5 6 7 8 9 10"},
	} {
		if got := labels((ticker{c.log}).Ticks(c.low, c.high)); got != c.want {
			t.Errorf("from %v to %v: %q, want %q", c.low, c.high, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	s := face(plot.New().TextHandler, 9, false, hex(ink))
	for _, c := range []struct {
		text string
		most int
	}{{"one two three four", 0}, {strings.Repeat("x", 100), 0}, {strings.Repeat("word ", 50), 2}, {"", 0}} {
		lines := wrap(s, c.text, 40, c.most)
		for _, l := range lines {
			if s.Width(l) > 40 {
				t.Errorf("line %q of %q is too wide", l, c.text)
			}
		}
		if c.most > 0 && (len(lines) != c.most || !strings.HasSuffix(lines[c.most-1], "…")) {
			t.Errorf("%q in at most %d lines: %q", c.text, c.most, lines)
		}
		if c.most == 0 && strings.ReplaceAll(strings.Join(lines, ""), " ", "") != strings.ReplaceAll(c.text, " ", "") {
			t.Errorf("%q became %q", c.text, lines)
		}
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	f := figure.Figure{ID: "heat", Panels: []figure.Panel{{Name: "a: b by c"}, {Name: "a-b by c"}, {Name: "../../etc"}, {Name: "été"}, {Name: "λ"}}}
	want := []string{"heat-a-b-by-c", "heat-a-b-by-c-2", "heat-etc", "heat-t", "heat-panel"}
	if got := fileNames(&f); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

// BenchmarkDraw draws the sample's pictures.
func BenchmarkDraw(b *testing.B) {
	figs := samples(b)
	for _, format := range []Format{PNG, SVG} {
		b.Run(string(format), func(b *testing.B) {
			for b.Loop() {
				for i := range figs {
					for k := range figs[i].Panels {
						if err := Draw(io.Discard, &figs[i], k, format); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
	}
}

// TestDashes: lines of one colour differ in their dashes, and none has those of the
// baseline.
func TestDashes(t *testing.T) {
	t.Parallel()
	n := len(figure.Colors())
	seen := map[string]string{}
	for _, s := range []figure.Series{
		{Name: "baseline", Dashed: true}, {Name: "first round"}, {Name: "second", Color: n}, {Name: "third", Color: 2 * n}, {Name: "fourth", Color: 3 * n},
	} {
		key := fmt.Sprint(dashes(&s))
		if other := seen[key]; other != "" {
			t.Errorf("%s and %s both have the dashes %s", other, s.Name, key)
		}
		seen[key] = s.Name
	}
	if d := dashes(&figure.Series{Color: -1}); d != nil {
		t.Errorf("a grey line has the dashes %v", d)
	}
}
