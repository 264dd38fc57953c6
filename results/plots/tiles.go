package plots

import (
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

// tileColumns is how many tiles stand beside each other at most.
const tileColumns = 4

// written is a tile's texts, broken into lines.
type written struct {
	tile               *figure.Tile
	label, value, note []string
}

// drawTiles draws large numbers with their words, in rows from the left, and
// returns the height they ask for.
func (pic *picture) drawTiles() vg.Length {
	const gap, inset = vg.Length(8), vg.Length(9)
	deep := max(1, (len(pic.p.Tiles)+tileColumns-1)/tileColumns)
	columns := max(1, (len(pic.p.Tiles)+deep-1)/deep)
	wide := (pic.width - 2*margin - gap*vg.Length(columns-1)) / vg.Length(columns)
	large := face(pic.plot.TextHandler, 19, true, hex(ink))
	var rows [][]written
	var talls []vg.Length
	for i := range pic.p.Tiles {
		t := &pic.p.Tiles[i]
		room := wide - 2*inset
		w := written{t, wrap(pic.small, t.Label, room, 3), wrap(large, t.Value, room, 2), nil}
		if t.Note != "" {
			w.note = wrap(pic.small, t.Note, room, 5)
		}
		if i%columns == 0 {
			rows, talls = append(rows, nil), append(talls, 0)
		}
		k := len(rows) - 1
		rows[k] = append(rows[k], w)
		tall := lineHeight(pic.small)*vg.Length(len(w.label)+len(w.note)) + lineHeight(large)*vg.Length(len(w.value)) + 2*inset
		talls[k] = max(talls[k], tall)
	}
	pic.body = func(c draw.Canvas) {
		top := c.Max.Y
		for k, row := range rows {
			for j, w := range row {
				x := c.Min.X + vg.Length(j)*(wide+gap)
				box := vg.Rectangle{Min: vg.Point{X: x, Y: top - talls[k]}, Max: vg.Point{X: x + wide, Y: top}}
				c.SetColor(hex(tileFill))
				c.Fill(box.Path())
				box.Max.X = x + 4
				c.SetColor(colorOf(w.tile.Color))
				c.Fill(box.Path())
				at := vg.Point{X: x + inset, Y: top - inset}
				at = below(c, pic.small, at, w.label)
				at = below(c, large, at, w.value)
				below(c, pic.small, at, w.note)
			}
			top -= talls[k] + gap
		}
	}
	sum := gap * vg.Length(max(0, len(rows)-1))
	for _, tall := range talls {
		sum += tall
	}
	return sum + spacing // what draw leaves between the words and the body
}

// tileFill is the paper of a tile.
const tileFill = "#F6F7F8"

// below writes lines from a place downwards and returns where the next may stand.
func below(c draw.Canvas, s text.Style, at vg.Point, lines []string) vg.Point {
	for _, line := range lines {
		c.FillText(s, at, line)
		at.Y -= lineHeight(s)
	}
	return at
}
