package plots

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"overnight/results/figure"
)

func picturePNG(t *testing.T, f *figure.Figure) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := Draw(&b, f, 0, PNG); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != 8*dpi {
		t.Errorf("%s is %d pixels wide, want %d", f.ID, img.Bounds().Dx(), 8*dpi)
	}
	return img
}

// like tells whether a pixel has about a colour.
func like(c color.Color, want color.NRGBA) bool {
	r, g, b, _ := c.RGBA()
	far := func(x uint32, y uint8) bool { return math.Abs(float64(x>>8)-float64(y)) > 3 }
	return !far(r, want.R) && !far(g, want.G) && !far(b, want.B)
}

// over is a colour on white at an opacity.
func over(c color.NRGBA, alpha float64) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(math.Round(float64(v)*alpha + 255*(1-alpha))) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// TestBarsInPixels: bars of 2, 1 and -1 have pixels in these proportions, the first
// category at the top.
func TestBarsInPixels(t *testing.T) {
	t.Parallel()
	f := figure.Figure{ID: "bars", Title: "t", Caption: "c", Panels: []figure.Panel{{Kind: figure.Bars,
		X:      figure.Axis{Categories: []string{"a", "b", "c"}},
		Series: []figure.Series{{Name: "s", Color: 0, Y: []figure.Num{2, 1, -1}}}}}}
	img := picturePNG(t, &f)
	want := over(colorOf(0), .85)
	longest := []int{} // of each run of rows with the colour, below the legend
	inBar := false
	for y := img.Bounds().Min.Y + 120; y < img.Bounds().Max.Y; y++ {
		n := 0
		for x := range img.Bounds().Dx() {
			if like(img.At(x, y), want) {
				n++
			}
		}
		if n > 20 && !inBar {
			longest = append(longest, 0)
		}
		if inBar = n > 20; inBar {
			k := len(longest) - 1
			longest[k] = max(longest[k], n)
		}
	}
	if len(longest) != 3 {
		t.Fatalf("%d bars %v, want three", len(longest), longest)
	}
	for k, ratio := range []float64{1, .5, .5} {
		if got := float64(longest[k]) / float64(longest[0]); math.Abs(got-ratio) > .02 {
			t.Errorf("bar %d has %v of the first one's length, want %v", k, got, ratio)
		}
	}
}

// TestStacksInPixels: what is stacked lies end to end, the faint part paler, and
// another stack beside it.
func TestStacksInPixels(t *testing.T) {
	t.Parallel()
	f := figure.Figure{ID: "stacks", Title: "t", Caption: "c", Panels: []figure.Panel{{Kind: figure.Bars,
		X: figure.Axis{Categories: []string{"only"}},
		Series: []figure.Series{
			{Name: "a yes", Color: 0, Stack: "a", Y: []figure.Num{1}}, {Name: "b yes", Color: 1, Stack: "b", Y: []figure.Num{2}},
			{Name: "a no", Color: 0, Stack: "a", Faint: true, Y: []figure.Num{3}},
		}}}}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	img := picturePNG(t, &f)
	// extent finds the longest run of a colour: where it begins and ends, and its height.
	extent := func(want color.NRGBA) (from, to, at int) {
		for y := img.Bounds().Min.Y + 120; y < img.Bounds().Max.Y; y++ {
			first := -1
			for x := range img.Bounds().Dx() {
				if !like(img.At(x, y), want) {
					first = -1
				} else if first < 0 {
					first = x
				} else if x-first > to-from {
					from, to, at = first, x, y
				}
			}
		}
		return from, to, at
	}
	a0, a1, rowA := extent(over(colorOf(0), .85))
	f0, f1, rowF := extent(over(colorOf(0), .22))
	b0, b1, rowB := extent(over(colorOf(1), .85))
	unit := float64(a1 - a0)
	if r := float64(b1-b0) / unit; math.Abs(r-2) > .05 {
		t.Errorf("2 is %v times as long as 1", r)
	}
	if r := float64(f1-f0) / unit; math.Abs(r-3) > .08 {
		t.Errorf("the faint 3 is %v times as long as 1", r)
	}
	if math.Abs(float64(f0-a1)) > 4 || math.Abs(float64(b0-a0)) > 2 {
		t.Errorf("a runs from %d to %d, its faint part from %d, b from %d", a0, a1, f0, b0)
	}
	if rowB <= rowA || rowF >= rowB {
		t.Errorf("a is at height %d, its faint part at %d, b at %d", rowA, rowF, rowB)
	}
}

// TestHeatInPixels: the best and the worst cell have the ends of the colours, the
// first row is at the top, and an unknown cell is grey.
func TestHeatInPixels(t *testing.T) {
	t.Parallel()
	nan := figure.Num(math.NaN())
	f := figure.Figure{ID: "heat", Title: "t", Caption: "c", Panels: []figure.Panel{{Kind: figure.Heatmap, Better: "low",
		X: figure.Axis{Categories: []string{"a", "b"}}, Y: figure.Axis{Categories: []string{"top", "bottom"}},
		Grid: [][]figure.Num{{1, 2}, {3, nan}}}}}
	img := picturePNG(t, &f)
	colors := figure.Sequential()
	first := func(want color.NRGBA) (at image.Point) {
		for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
			for x := range 900 { // left of the colour bar
				if like(img.At(x, y), want) && like(img.At(x+20, y+20), want) {
					return image.Pt(x, y)
				}
			}
		}
		t.Fatalf("no cell of the colour %v", want)
		return at
	}
	// Less is better: 1 has the last colour, 3 the first.
	best, worst, missing := first(hex(colors[9])), first(hex(colors[0])), first(hex(figure.Missing))
	if !(best.Y < worst.Y && missing.X > worst.X && missing.Y >= worst.Y-2) {
		t.Errorf("best at %v, worst at %v, missing at %v", best, worst, missing)
	}
}
