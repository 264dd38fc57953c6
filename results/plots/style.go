package plots

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

const (
	ink   = "#222222"
	faint = "#555555"
	rule  = "#E4E4E4"
	white = "#FFFFFF"
)

// hex reads "#RRGGBB".
func hex(s string) color.NRGBA {
	n, _ := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	return color.NRGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 0xff}
}

// colorOf returns the colour of a series.
func colorOf(n int) color.NRGBA {
	if n < 0 {
		return hex(figure.Grey)
	}
	all := figure.Colors()
	return hex(all[n%len(all)])
}

// fade makes a colour see-through.
func fade(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = uint8(math.Round(alpha * 255))
	return c
}

// between returns the colour at t in [0, 1] of evenly spaced ones.
func between(colors []string, t float64) color.NRGBA {
	t = min(max(t, 0), 1) * float64(len(colors)-1)
	i := min(int(t), len(colors)-2)
	a, b := hex(colors[i]), hex(colors[i+1])
	mix := func(x, y uint8) uint8 {
		return uint8(math.Round(float64(x) + (t-float64(i))*(float64(y)-float64(x))))
	}
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 0xff}
}

// dark tells whether white text is easier to read on a colour than black (relative
// luminance, WCAG 2).
func dark(c color.NRGBA) bool {
	linear := func(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
	return 0.2126*linear(c.R)+0.7152*linear(c.G)+0.0722*linear(c.B) < 0.2
}

// face returns a text style.
func face(h text.Handler, size vg.Length, bold bool, c color.Color) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if bold {
		f.Weight = 3 // WeightBold of golang.org/x/image/font
	}
	return text.Style{Color: c, Font: font.From(f, size), XAlign: draw.XLeft, YAlign: draw.YTop, Handler: h}
}

// wrap breaks text into lines of at most width, cut with an ellipsis after most
// lines; 0 for any number.
func wrap(s text.Style, txt string, width vg.Length, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(txt) {
		for {
			with := strings.TrimSpace(line + " " + word)
			if s.Width(with) <= width {
				line = with
				break
			}
			if line != "" {
				lines, line = append(lines, line), ""
				continue
			}
			n := fitting(s, word, width)
			lines, word = append(lines, string([]rune(word)[:n])), string([]rune(word)[n:])
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	if most > 0 && len(lines) > most {
		last := []rune(lines[most-1])
		for len(last) > 0 && s.Width(string(last)+"…") > width {
			last = last[:len(last)-1]
		}
		lines = append(lines[:most-1], string(last)+"…")
	}
	return lines
}

// fitting returns how many runes of a word fit, at least one.
func fitting(s text.Style, word string, width vg.Length) int {
	r := []rune(word)
	n := 1
	for n < len(r) && s.Width(string(r[:n+1])) <= width {
		n++
	}
	return n
}

// dashes returns those of a line: of its own, or those that tell arms of one colour
// apart, a pattern for each round of the palette.
func dashes(s *figure.Series) []vg.Length {
	if s.Dashed {
		return []vg.Length{vg.Points(5), vg.Points(3)}
	}
	patterns := [][]vg.Length{nil, {vg.Points(8), vg.Points(2.5)}, {vg.Points(1.6), vg.Points(1.6)}, {vg.Points(8), vg.Points(2.5), vg.Points(1.6), vg.Points(2.5)}}
	return patterns[max(0, s.Color)/len(figure.Colors())%len(patterns)]
}

func finite(n figure.Num) bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }
