package figure

import (
	"math"
	"strings"
	"testing"
)

// TestCheck: what can't be drawn is refused, and the reason names it.
func TestCheck(t *testing.T) {
	t.Parallel()
	if err := Check(samples()); err != nil {
		t.Fatal(err)
	}
	nan := Num(math.NaN())
	const lines, areas, bars, intervals, scatter, heat, contour, parallel = 0, 1, 2, 3, 4, 5, 6, 7
	for name, c := range map[string]struct {
		figure int
		spoil  func(*Figure)
		want   string
	}{
		"id":           {lines, func(f *Figure) { f.ID = "Lines" }, "ID"},
		"caption":      {lines, func(f *Figure) { f.Caption = "" }, "caption"},
		"no panel":     {lines, func(f *Figure) { f.Panels = nil }, "no panel"},
		"panel names":  {lines, func(f *Figure) { f.Panels[1].Name = f.Panels[0].Name }, "taken"},
		"kind":         {lines, func(f *Figure) { f.Panels[0].Kind = "pie" }, "pie"},
		"y":            {lines, func(f *Figure) { f.Panels[0].Series[0].Y = nil }, "values"},
		"band":         {lines, func(f *Figure) { f.Panels[0].Series[0].Low = nil }, "bounds"},
		"order":        {lines, func(f *Figure) { f.Panels[0].Series[0].X[3] = 0 }, "ascend"},
		"log":          {lines, func(f *Figure) { f.Panels[1].Series[0].X[0] = -1 }, "logarithmic"},
		"mark":         {lines, func(f *Figure) { f.Panels[0].Marks[0].At = nan }, "mark"},
		"series":       {lines, func(f *Figure) { f.Panels[0].Series[1].Name = f.Panels[0].Series[0].Name }, "taken"},
		"areas":        {areas, func(f *Figure) { f.Panels[0].Series[1].X = f.Panels[0].Series[1].X[1:] }, "places"},
		"categories":   {bars, func(f *Figure) { f.Panels[0].X.Categories = f.Panels[0].X.Categories[1:] }, "categories"},
		"bounds":       {bars, func(f *Figure) { f.Panels[0].Series[0].Low[0] = 2 }, "between"},
		"mark on y":    {intervals, func(f *Figure) { f.Panels[0].Marks[0].Axis = "y" }, "axis"},
		"text":         {scatter, func(f *Figure) { f.Panels[0].Series[0].Text = []string{"a"} }, "texts"},
		"grid":         {heat, func(f *Figure) { f.Panels[0].Grid[1] = nil }, "row 1"},
		"better":       {heat, func(f *Figure) { f.Panels[0].Better = "best" }, "best"},
		"contour":      {contour, func(f *Figure) { f.Panels[0].GridX[1] = f.Panels[0].GridX[0] }, "ascend"},
		"isoline":      {contour, func(f *Figure) { f.Panels[0].Isolines[0].X = nil }, "isoline"},
		"row":          {parallel, func(f *Figure) { f.Panels[0].Rows[7] = nil }, "row 7"},
		"category":     {parallel, func(f *Figure) { f.Panels[0].Rows[7][0] = 4 }, "no category"},
		"part of it":   {parallel, func(f *Figure) { f.Panels[0].Rows[7][1] = .5 }, "no category"},
		"log parallel": {parallel, func(f *Figure) { f.Panels[0].Rows[7][2] = -1 }, "logarithmic"},
	} {
		f := samples()[c.figure]
		c.spoil(&f)
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
	twice := append(samples(), samples()[0])
	if err := Check(twice); err == nil || !strings.Contains(err.Error(), "sample-lines") {
		t.Errorf("an ID that comes twice: %v", err)
	}
}
