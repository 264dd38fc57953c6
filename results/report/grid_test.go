package report

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct {
		value, half float64
		v           float64
		want        string
	}{
		{.96123, .0021, .96123, "0.9612"},
		{.96123, .0999, .96123, "0.96"},
		{.96123, .21, .96123, "0.96"},
		{6431.93, 120, 6431.93, "6432"},
		{6431.93, 1.2, 6431.93, "6431.9"},
		{6431.93, 0, 6431.93, "6432"},
		{98765.4, nan, 98765.4, "98765"},
		{3, nan, 3, "3"},
		{.5, nan, .5, "0.5"},
		{.123456, nan, .123456, "0.1235"},
		{0, nan, 0, "0"},
		{-.00001, .1, -.00001, "0.00"},
		{1.5e-9, nan, 1.5e-9, "1.500e-09"},
		{1.5e-9, 2e-11, 1.5e-9, "1.500e-09"},
		{2.5e12, 3e10, 2.5e12, "2.500e+12"},
		{1e-300, 1e-301, 1e-300, "1.00e-300"},
		{1, 1e-30, 1, "1.000000000"},
		{1, math.Inf(1), 1, "1"},
		{.5, .1, -1e300, "-1.000e+300"},
		{math.Inf(1), nan, 5e299, "5.000e+299"},
		{1, .1, nan, "-"},
		{1, .1, math.Inf(-1), "-Inf"},
	} {
		if got := formatFor(c.value, c.half).text(c.v); got != c.want {
			t.Errorf("%v with half-width %v is written %q, want %q", c.v, c.half, got, c.want)
		}
	}
	f := formatFor(1, .1)
	if got := f.signed(.3) + f.signed(-.3) + f.signed(0) + f.signed(.0001); got != "+0.30-0.300.000.00" {
		t.Errorf("signed: %q", got)
	}
	for share, want := range map[float64]string{.714: "71 %", .001: "<1 %", -.2: "0 %", 0: "0 %", 1: "100 %", .996: "100 %"} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) = %q, want %q", share, got, want)
		}
	}
	for share, want := range map[float64]string{.2588655: "26 %", .0124046: "1.3 %", 1: "100 %", .5: "50 %", .00021: "0.021 %"} {
		if got := percentUp(share); got != want {
			t.Errorf("percentUp(%v) = %q, want %q", share, got, want)
		}
	}
}

func TestAlignment(t *testing.T) {
	t.Parallel()
	g := &grid{
		cols: []column{{head: "name"}, {head: "x", parts: []string{"", ""}}, {head: "interval", parts: []string{"[", ", ", "]"}}},
		rows: []([]text){
			{{"a"}, {"1.25"}, {"-1", "100.5"}},
			{{"bcd"}, {"300"}, {"0.25", "7"}},
			{{"e"}, {"-"}, {"-"}},
		},
	}
	got, _ := g.lines(0)
	want := []string{
		"name  x       interval",
		"a       1.25  [-1,    100.5]",
		"bcd   300     [ 0.25,   7]",
		"e          -  -",
	}
	want[0] = "name       x  interval"
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s             string
		width, indent int
		want          string
	}{
		{"one two three", 0, 2, "one two three"},
		{"one two three", 7, 2, "one two|  three"},
		{"  one two", 6, 4, "  one|   two"},
		{"abcdefgh", 3, 0, "abc|def|gh"},
		{"a" + nbsp + "b c", 3, 0, "a" + nbsp + "b|c"},
		{"", 5, 2, ""},
	} {
		if got := strings.Join(wrap(c.s, c.width, c.indent), "|"); got != c.want {
			t.Errorf("wrap(%q, %d, %d) = %q, want %q", c.s, c.width, c.indent, got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	if got := clean("a\x1b[31mb\nc\xffd\u202ee é"); got != "a?[31mb c?d?e é" {
		t.Errorf("got %q", got)
	}
}

// FuzzGrid lays out tables of any content: every line fits the width, no row is
// lost, and no cell breaks a line.
func FuzzGrid(f *testing.F) {
	f.Add("arm\tmean\tnote", "a\t1.5\tx\nb\t-20\ty", 20, uint8(3))
	f.Add("π\t\t", "\x1b[2J\t.\t1e9\n", 1, uint8(7))
	f.Fuzz(func(t *testing.T, heads, body string, width int, kinds uint8) {
		if width < 0 || width > 300 || strings.Count(heads, "\t") > 30 || strings.Count(body, "\n") > 30 {
			return
		}
		g := &grid{keys: int(kinds>>6) % 2}
		for i, h := range strings.Split(heads, "\t") {
			c := column{head: clean(h), short: clean(h[:len(h)/2]), drop: i * int(kinds>>4&3)}
			if kinds>>(i%4)&1 == 1 && i >= g.keys {
				c.parts = [][]string{{"", ""}, {"[", ", ", "]"}}[i%2]
			}
			g.cols = append(g.cols, c)
		}
		for _, line := range strings.Split(body, "\n") {
			cells := strings.Split(line, "\t")
			row := make([]text, len(g.cols))
			for i := range row {
				cell := clean(cells[i%len(cells)])
				row[i] = text{cell}
				if len(g.cols[i].parts) == 3 && len(cell) > 2 {
					row[i] = text{cell, cell}
				}
			}
			g.rows = append(g.rows, row)
		}
		lines, left := g.lines(width)
		if len(lines) < len(g.rows)+1 {
			t.Errorf("%d lines of %d rows", len(lines), len(g.rows))
		}
		if len(left) >= len(g.cols) {
			t.Errorf("all %d columns were left out", len(g.cols))
		}
		for _, l := range lines {
			if n := utf8.RuneCountInString(l); width > 0 && n > width {
				t.Errorf("%d characters, where %d fit: %q", n, width, l)
			}
			if strings.ContainsAny(l, "\n\r\x1b") {
				t.Errorf("control characters in %q", l)
			}
		}
		for _, l := range wrap(clean(body), width, 4) {
			if n := utf8.RuneCountInString(l); width > 0 && n > width {
				t.Errorf("wrapped to %d characters, where %d fit: %q", n, width, l)
			}
		}
	})
}
