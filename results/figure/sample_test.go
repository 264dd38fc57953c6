package figure

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/rng"
)

var update = flag.Bool("update", false, "write testdata anew")

// samples has a figure of every kind, with missing values, long names, marks and
// several panels: testdata/sample.json is what drawing code is tried on.
func samples() []Figure {
	s := rng.New(rng.Root(1, "figure/sample"))
	nan := Num(math.NaN())
	arms := []string{"random", "equal", "notebook", "corrected"}
	top := []float64{.55, .71, .64, .994}

	lines := Figure{ID: "sample-lines", Title: "Lines with bands", Caption: "Four arms learn; corrected ends at 0.994.", Note: "Synthetic.",
		Panels: []Panel{{Name: "steady", Kind: Lines, X: Axis{Label: "training episodes"}, Y: Axis{Label: "share of the optimum", High: 1.05}, Marks: []Mark{{"oracle", 1, "y"}}}}}
	for a, name := range arms {
		l := Series{Name: name, Color: a, Dashed: a == 0}
		for x := 40; x <= 2000; x += 40 {
			y := .5 + (top[a]-.5)*(1-math.Exp(-float64(x)/300)) + .005*s.Normal()
			half := .12 * math.Exp(-float64(x)/900)
			l.X, l.Y, l.Low, l.High = append(l.X, Num(x)), append(l.Y, Num(y)), append(l.Low, Num(y-half)), append(l.High, Num(y+half))
		}
		if a == 2 {
			l.Y[10], l.Low[10], l.High[10] = nan, nan, nan
		}
		lines.Panels[0].Series = append(lines.Panels[0].Series, l)
	}
	second := lines.Panels[0]
	second.Name, second.X.Log = "jumps", true
	lines.Panels = append(lines.Panels, second)

	areas := Figure{ID: "sample-areas", Title: "Stacked areas", Caption: "The budget moves from search to social.",
		Panels: []Panel{{Kind: Areas, X: Axis{Label: "day"}, Y: Axis{Label: "share of the budget", High: 1}}}}
	for c, name := range []string{"search", "social", "display", "unspent"} {
		a := Series{Name: name, Color: c}
		for day := range 60 {
			a.X = append(a.X, Num(day))
			a.Y = append(a.Y, Num([]float64{.5 - .005*float64(day), .2 + .005*float64(day), .2, .1}[c]))
		}
		areas.Panels[0].Series = append(areas.Panels[0].Series, a)
	}

	factors := []string{"volatility_scale", "delay", "corrected.learning_rate", "a factor with a very long name that does not fit beside a picture", "luck"}
	bars := Figure{ID: "sample-bars", Title: "Bars with intervals", Caption: "Volatility explains 61 % of the variance.",
		Panels: []Panel{{Kind: Bars, X: Axis{Label: "factor", Categories: factors}, Y: Axis{Label: "share of the variance"},
			Marks: []Mark{{"luck", .12, "x"}},
			Series: []Series{
				{Name: "first order", Color: 0, Y: []Num{.61, .03, .2, 0, .12}, Low: []Num{.52, -.02, .11, -.01, nan}, High: []Num{.69, .08, .3, .02, nan}, Text: []string{"", "", "", "not to be told from luck", ""}},
				{Name: "total", Color: 1, Y: []Num{.7, .14, .3, .11, nan}, Low: []Num{.6, .1, .2, .05, nan}, High: []Num{.8, .2, .4, .16, nan}},
			}}}}

	intervals := Figure{ID: "sample-intervals", Title: "Intervals per arm", Caption: "Corrected reaches 0.994 [0.993, 0.995] of the optimum.",
		Panels: []Panel{{Kind: Intervals, X: Axis{Label: "arm", Categories: arms}, Y: Axis{Label: "optimality"},
			Marks: []Mark{{"oracle", 1, "x"}, {"random", .55, "x"}}}}}
	for a, name := range arms {
		v := Series{Name: name, Color: a, Y: []Num{nan, nan, nan, nan}, Low: []Num{nan, nan, nan, nan}, High: []Num{nan, nan, nan, nan}}
		v.Y[a], v.Low[a], v.High[a] = Num(top[a]), Num(top[a]-.02*(1.05-top[a])), Num(top[a]+.02*(1.05-top[a]))
		intervals.Panels[0].Series = append(intervals.Panels[0].Series, v)
	}

	scatter := Figure{ID: "sample-scatter", Title: "Dots", Caption: "The objective falls with volatility.", Note: "A sample of 300 of 24,000 runs.",
		Panels: []Panel{{Kind: Scatter, X: Axis{Label: "learning_rate", Log: true}, Y: Axis{Label: "optimality"}}}}
	for a := 2; a < 4; a++ {
		d := Series{Name: arms[a], Color: a}
		for i := range 150 {
			x := math.Pow(10, -4+3*s.Float64())
			d.X, d.Y = append(d.X, Num(x)), append(d.Y, Num(top[a]+.02*math.Log10(x)+.02*s.Normal()))
			d.Text = append(d.Text, fmt.Sprintf("point %d, learning_rate %.3g", i, x))
		}
		scatter.Panels[0].Series = append(scatter.Panels[0].Series, d)
	}

	heat := Figure{ID: "sample-heat", Title: "Heat map", Caption: "The worst cell is late delay under volatility 2.", Note: "One cell failed."}
	for a := 2; a < 4; a++ {
		p := Panel{Name: arms[a], Kind: Heatmap, X: Axis{Label: "volatility_scale", Categories: []string{"0", "0.5", "1", "2"}},
			Y: Axis{Label: "delay", Categories: []string{"none", "notebook", "late"}}, GridLabel: "optimality", Better: "high"}
		for y := range 3 {
			var row []Num
			var text []string
			for x := range 4 {
				v := top[a] - .02*float64(x) - .03*float64(y)
				row, text = append(row, Num(v)), append(text, fmt.Sprintf("%.3f, 20 runs", v))
			}
			p.Grid, p.GridText = append(p.Grid, row), append(p.GridText, text)
		}
		heat.Panels = append(heat.Panels, p)
	}
	heat.Panels[0].Grid[2][3], heat.Panels[0].GridText[2][3] = nan, "20 failed"
	change := heat.Panels[1]
	change.Name, change.GridLabel, change.Better = "difference", "difference from random", ""
	change.Grid = [][]Num{{.3, .2, .1, 0}, {.2, .1, 0, -.1}, {.1, 0, -.1, nan}}
	heat.Panels = append(heat.Panels, change)

	contour := Figure{ID: "sample-contour", Title: "Contours", Caption: "The best lies near 0.01 and volatility 0.", Note: "Smoothed.",
		Panels: []Panel{{Kind: Contour, X: Axis{Label: "learning_rate", Log: true}, Y: Axis{Label: "volatility_scale"}, GridLabel: "optimality", Better: "high"}}}
	c := &contour.Panels[0]
	for i := range 40 {
		c.GridX = append(c.GridX, Num(math.Pow(10, -4+3*float64(i)/39)))
		c.GridY = append(c.GridY, Num(2*float64(i)/39))
	}
	for _, y := range c.GridY {
		var row []Num
		for _, x := range c.GridX {
			row = append(row, Num(1-.1*math.Pow(math.Log10(float64(x))+2, 2)-.1*float64(y*y)))
		}
		c.Grid = append(c.Grid, row)
	}
	for _, level := range []float64{.6, .7, .8, .9} {
		l := Line{Level: Num(level)}
		r := math.Sqrt((1 - level) / .1)
		for i := range 41 {
			x, y := math.Pow(10, -2-r*math.Cos(math.Pi*float64(i)/40)), r*math.Sin(math.Pi*float64(i)/40)
			if x >= 1e-4 && x <= .1 && y <= 2 {
				l.X, l.Y = append(l.X, Num(x)), append(l.Y, Num(y))
			}
		}
		c.Isolines = append(c.Isolines, l)
	}
	dots := Series{Name: "points", Color: -1}
	for range 60 {
		dots.X, dots.Y = append(dots.X, Num(math.Pow(10, -4+3*s.Float64()))), append(dots.Y, Num(2*s.Float64()))
	}
	c.Series = []Series{dots}

	parallel := Figure{ID: "sample-parallel", Title: "Parallel coordinates", Caption: "High learning rates under volatility lose.", Note: "A sample of 200 of 4,096 points.",
		Panels: []Panel{{Kind: Parallel, Better: "high", Dims: []Dim{{Label: "arm", Categories: arms}, {Label: "delay", Categories: []string{"none", "notebook", "late"}},
			{Label: "learning_rate", Log: true}, {Label: "volatility_scale"}, {Label: "optimality"}}}}}
	for i := range 200 {
		lr, vol := math.Pow(10, -4+3*s.Float64()), 2*s.Float64()
		row := []Num{Num(i % 4), Num(i % 3), Num(lr), Num(vol), Num(top[i%4] - .05*vol + .01*s.Normal())}
		if i%4 < 2 {
			row[2] = nan
		}
		parallel.Panels[0].Rows = append(parallel.Panels[0].Rows, row)
	}
	return append([]Figure{lines, areas, bars, intervals, scatter, heat, contour, parallel}, timeSamples()...)
}

func TestSample(t *testing.T) {
	t.Parallel()
	figs := samples()
	if err := Check(figs); err != nil {
		t.Fatal(err)
	}
	kinds := map[Kind]bool{}
	for _, f := range figs {
		kinds[f.Panels[0].Kind] = true
	}
	if len(kinds) != 9 {
		t.Errorf("kinds %v, want all nine", kinds)
	}
	got, err := json.MarshalIndent(figs, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/sample.json"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var a, b []Figure
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	near := cmp.Comparer(func(x, y Num) bool { // math.Exp differs between architectures in the last bits
		return !finite(x) && !finite(y) || math.Abs(float64(x-y)) <= 1e-5*(1+math.Abs(float64(y)))
	})
	if d := cmp.Diff(b, a, near); d != "" {
		t.Errorf("testdata/sample.json differs (-stored +made), write it anew with -update:\n%s", d)
	}
}
