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
	const tiles, stacks, frames, replay = 8, 9, 10, 11
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

		"no tile":      {tiles, func(f *Figure) { f.Panels[0].Tiles = nil }, "tiles"},
		"empty tile":   {tiles, func(f *Figure) { f.Panels[0].Tiles[1].Value = "" }, "no value"},
		"tile twice":   {tiles, func(f *Figure) { f.Panels[0].Tiles[1] = f.Panels[0].Tiles[0] }, "twice"},
		"tile colour":  {tiles, func(f *Figure) { f.Panels[0].Tiles[1].Color = -2 }, "colour"},
		"tiles beside": {lines, func(f *Figure) { f.Panels[0].Tiles = []Tile{{Label: "a", Value: "1"}} }, "tiles"},
		"tiles move":   {tiles, func(f *Figure) { f.Panels[0].Replay = &Replay{"after", []Num{1, 2}} }, "no replay"},
		"replay order": {replay, func(f *Figure) { f.Panels[0].Replay = &Replay{"after", []Num{1, 3, 3}} }, "ascend at 2"},
		"replay place": {replay, func(f *Figure) { f.Panels[0].Replay = &Replay{"after", []Num{1, nan}} }, "ascend at 1"},
		"replay label": {replay, func(f *Figure) { f.Panels[0].Replay = &Replay{"", []Num{1, 2}} }, "label"},
		"one place":    {replay, func(f *Figure) { f.Panels[0].Replay = &Replay{"after", []Num{1}} }, "1 places"},
		"line frames":  {replay, func(f *Figure) { s := &f.Panels[0].Series[0]; s.Frames = [][]Num{s.Y} }, "kind \"lines\""},
		"no frames": {frames, func(f *Figure) {
			p := &f.Panels[0]
			p.Series = p.Series[:1]
			p.Series[0].Frames, p.Series[0].FramesX = nil, nil
		}, "no series has frames"},
		"no replay":     {stacks, func(f *Figure) { f.Panels[0].Replay = nil }, "0 places"},
		"frames":        {stacks, func(f *Figure) { s := &f.Panels[0].Series[0]; s.Frames = s.Frames[1:] }, "8 frames"},
		"frame":         {stacks, func(f *Figure) { f.Panels[0].Series[0].Frames[1] = nil }, "frame 1"},
		"last frame":    {stacks, func(f *Figure) { f.Panels[0].Series[0].Y = make([]Num, 5) }, "last frame"},
		"frames of X":   {frames, func(f *Figure) { s := &f.Panels[0].Series[0]; s.FramesX = s.FramesX[1:] }, "8 of X"},
		"bars' X":       {stacks, func(f *Figure) { s := &f.Panels[0].Series[0]; s.FramesX = s.Frames }, "frames of X"},
		"stacked lines": {lines, func(f *Figure) { f.Panels[0].Series[0].Stack = "a" }, "stacked"},
		"faint dots":    {frames, func(f *Figure) { f.Panels[0].Series[0].Faint = true }, "faint"},
		"stack bounds":  {bars, func(f *Figure) { f.Panels[0].Series[0].Stack = "a" }, "interval"},
		"stack below 0": {stacks, func(f *Figure) { f.Panels[0].Series[0].Frames[0][1] = -1 }, "below 0"},
		"stack on log":  {stacks, func(f *Figure) { f.Panels[0].Y.Log = true }, "logarithmic"},
		"frames on log": {frames, func(f *Figure) { f.Panels[0].X.Log = true; f.Panels[0].Series[0].FramesX[0][0] = 0 }, "above 0"},
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
