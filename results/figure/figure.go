// Package figure says what the pictures of a study show, independent of how they
// are drawn: package page draws them in a browser, package plots as files. Start
// with Figure.
//
// A figure is data alone. It holds no number that is not finite: what is missing
// is null (Num's NaN). Its JSON form is what the drawing code in the browser
// reads.
package figure

import (
	"encoding/json"
	"math"
	"strconv"
)

// Kind says how a panel is drawn.
type Kind string

// The kinds of panels and which fields of Panel they use.
const (
	Lines     Kind = "lines"     // Series with X, Y; Low and High are a band. X is numeric
	Areas     Kind = "areas"     // Series with X, Y, stacked in order
	Bars      Kind = "bars"      // X.Categories by Series with Y, Low and High; drawn horizontally
	Intervals Kind = "intervals" // X.Categories by Series with Y, Low and High: a dot with its interval, drawn horizontally
	Scatter   Kind = "scatter"   // Series with X, Y, one dot each
	Heatmap   Kind = "heatmap"   // Grid over X.Categories and Y.Categories
	Contour   Kind = "contour"   // Grid over numeric GridX and GridY as colours, Isolines on it, Series as dots
	Parallel  Kind = "parallel"  // Dims and Rows, with brushing; the last dimension gives the colour
	Tiles     Kind = "tiles"     // Tiles: a few large numbers with their words
)

// Num is a number that is null in JSON where it is NaN or infinite.
type Num float64

// MarshalJSON writes seven significant digits: what a picture can show.
func (n Num) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, v, 'g', 7, 64), nil
}

// UnmarshalJSON reads null as NaN.
func (n *Num) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Num(math.NaN())
		return nil
	}
	var v float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*n = Num(v)
	return nil
}

// Nums converts.
func Nums(v []float64) []Num {
	if v == nil {
		return nil
	}
	out := make([]Num, len(v))
	for i, x := range v {
		out[i] = Num(x)
	}
	return out
}

// Axis is one direction of a panel.
type Axis struct {
	Label      string   `json:"label"` // with its unit: "day", "reward per episode", "share of the optimum"
	Log        bool     `json:"log,omitempty"`
	Categories []string `json:"categories,omitempty"`
	// Low and High bound what is drawn at first; both 0: the data do.
	Low  float64 `json:"low,omitempty"`
	High float64 `json:"high,omitempty"`
}

// Series is one line, area, set of bars or set of dots.
type Series struct {
	Name string `json:"name"`
	// Color numbers the palette's colours: one arm has one number in all figures
	// (its index in the study). -1: grey, for luck, baselines and references.
	Color int   `json:"color"`
	X     []Num `json:"x,omitempty"`
	Y     []Num `json:"y"`
	Low   []Num `json:"low,omitempty"` // with High: the interval or band around Y
	High  []Num `json:"high,omitempty"`
	// Text is shown beside a dot or bar under the pointer, one an entry; may be nil.
	Text   []string `json:"text,omitempty"`
	Dashed bool     `json:"dashed,omitempty"`
	Hidden bool     `json:"hidden,omitempty"` // off until toggled on
	// Stack names what a series of Bars is stacked on: those of one name lie end to
	// end in their order, those of another name beside them. Empty: not stacked.
	Stack string `json:"stack,omitempty"`
	// Faint draws a series of Bars paler than its colour: what did not convert.
	Faint bool `json:"faint,omitempty"`
	// Frames and FramesX hold, of Bars and Scatter under a Replay, the Y and X at each
	// of its places; Y and X are those at the last.
	Frames  [][]Num `json:"frames,omitempty"`
	FramesX [][]Num `json:"frames_x,omitempty"`
}

// Replay lets a reader move through time, by a slider that all panels of a page
// with the same Label share: series of Lines end where X passes the place, those
// of Bars and Scatter show their frame. As a file a panel shows the end.
type Replay struct {
	Label string `json:"label"` // "after send"
	At    []Num  `json:"at"`    // ascending
}

// Tile is a number that stands for itself.
type Tile struct {
	Label string `json:"label"`          // "conversions"
	Value string `json:"value"`          // "4,936"
	Note  string `json:"note,omitempty"` // "[4,900, 4,972]; 1,436 more than ab"
	Color int    `json:"color"`          // of the arm it is about; -1: of none
}

// Mark is a reference line across a panel.
type Mark struct {
	Name string `json:"name"`
	At   Num    `json:"at"`
	// Axis is "x" or "y": which axis At is on. Of Bars and Intervals the values are
	// on "x".
	Axis string `json:"axis"`
}

// Dim is an axis of a Parallel panel.
type Dim struct {
	Label      string   `json:"label"`
	Log        bool     `json:"log,omitempty"`
	Categories []string `json:"categories,omitempty"` // values of Rows are then indices
}

// Line is an isoline: straight pieces from point to point.
type Line struct {
	Level Num   `json:"level"`
	X     []Num `json:"x"`
	Y     []Num `json:"y"`
}

// Panel is one set of axes.
type Panel struct {
	// Name tells panels of a figure apart: they are shown one at a time, with a
	// selector. Empty where there is one.
	Name   string   `json:"name,omitempty"`
	Kind   Kind     `json:"kind"`
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Series []Series `json:"series,omitempty"`
	Marks  []Mark   `json:"marks,omitempty"`
	Replay *Replay  `json:"replay,omitempty"`
	Tiles  []Tile   `json:"tiles,omitempty"`

	// Grid holds a value for each y and x: Grid[y][x].
	Grid  [][]Num `json:"grid,omitempty"`
	GridX []Num   `json:"grid_x,omitempty"`
	GridY []Num   `json:"grid_y,omitempty"`
	// GridText is shown under the pointer: Grid's shape, or nil.
	GridText  [][]string `json:"grid_text,omitempty"`
	GridLabel string     `json:"grid_label,omitempty"` // what the colours mean
	// Better is "high" or "low": which end of the colours is good; "" for neither
	// (then 0 stands in the middle of a diverging scale).
	Better   string `json:"better,omitempty"`
	Isolines []Line `json:"isolines,omitempty"`

	Dims []Dim   `json:"dims,omitempty"`
	Rows [][]Num `json:"rows,omitempty"`
}

// Figure is a picture with the words that belong to it.
type Figure struct {
	// ID names the figure in file names and links: lower case, digits and dashes.
	ID    string `json:"id"`
	Title string `json:"title"`
	// Caption says in a sentence or two what is drawn and what can be seen, with
	// numbers: it is also the text that stands for the picture.
	Caption string `json:"caption"`
	// Note says what is left out: a sample, missing cells, an approximation.
	Note   string  `json:"note,omitempty"`
	Panels []Panel `json:"panels"`
}
