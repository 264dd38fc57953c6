package plots

import (
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

// picture is a panel with its words around it: the title, the legend, the axes or
// what stands for them, a colour bar, and the note, so that a file that travels
// alone still says what it leaves out.
type picture struct {
	f             *figure.Figure
	p             *figure.Panel
	width, height vg.Length
	title, small  text.Style
	plot          *plot.Plot
	bar           *colorBar
	body          func(draw.Canvas) // instead of plot
}

const (
	margin  = vg.Length(12)
	spacing = vg.Length(6)
)

func newPicture(f *figure.Figure, p *figure.Panel) *picture {
	pic := &picture{f: f, p: p, width: 8 * vg.Inch, plot: plot.New()}
	h := pic.plot.TextHandler
	pic.title, pic.small = face(h, 13, true, hex(ink)), face(h, 8.5, false, hex(faint))
	pic.plot.BackgroundColor = nil
	for _, a := range []*plot.Axis{&pic.plot.X, &pic.plot.Y} {
		a.Label.TextStyle.Font = face(h, 10, false, hex(ink)).Font
		a.Tick.Label.Font = face(h, 9, false, hex(ink)).Font
		a.Label.TextStyle.Color, a.Tick.Label.Color, a.Color, a.Tick.Color = hex(ink), hex(ink), hex(faint), hex(faint)
		a.Tick.Length, a.Padding = vg.Points(4), 0
		a.Label.Padding = vg.Points(4)
	}
	inner := vg.Length(4 * vg.Inch)
	switch p.Kind {
	case figure.Lines, figure.Areas, figure.Scatter:
		pic.drawXY()
	case figure.Bars, figure.Intervals:
		inner = pic.drawCategories()
	case figure.Heatmap:
		inner = pic.drawHeatmap()
	case figure.Contour:
		pic.drawContour()
	case figure.Parallel:
		pic.drawParallel()
	case figure.Tiles:
		inner = pic.drawTiles()
	}
	pic.height = inner + pic.above() + pic.below() + 2*margin
	return pic
}

// heading is the title with the panel's name, and when its bars or dots are from.
func (pic *picture) heading() []string {
	t := pic.f.Title
	if pic.p.Name != "" {
		t += " - " + pic.p.Name
	}
	if r := pic.p.Replay; r != nil && pic.p.Kind != figure.Lines {
		t += ", " + r.Label + " " + strconv.FormatFloat(float64(r.At[len(r.At)-1]), 'f', -1, 64)
	}
	return wrap(pic.title, t, pic.width-2*margin, 2)
}

func (pic *picture) note() []string {
	if pic.f.Note == "" {
		return nil
	}
	return wrap(pic.small, pic.f.Note, pic.width-2*margin, 6)
}

func lineHeight(s text.Style) vg.Length { return s.FontExtents().Height * 1.15 }

// above is the height of title and legend.
func (pic *picture) above() vg.Length {
	h := lineHeight(pic.title)*vg.Length(len(pic.heading())) + spacing
	if rows := pic.legend(); len(rows) > 0 {
		h += lineHeight(pic.small)*vg.Length(len(rows)) + spacing
	}
	return h + pic.markRoom()
}

// below is the height of the note.
func (pic *picture) below() vg.Length {
	if n := len(pic.note()); n > 0 {
		return lineHeight(pic.small)*vg.Length(n) + spacing
	}
	return 0
}

// draw draws on a canvas.
func (pic *picture) draw(c draw.Canvas) {
	c.SetColor(hex(white))
	c.Fill(c.Rectangle.Path())
	pic.width = c.Max.X - c.Min.X
	x, y := c.Min.X+margin, c.Max.Y-margin
	for _, line := range pic.heading() {
		c.FillText(pic.title, vg.Point{X: x, Y: y}, line)
		y -= lineHeight(pic.title)
	}
	y -= spacing
	for _, row := range pic.legend() {
		at := x
		for _, e := range row {
			e.draw(c, pic.small, at, y)
			at += e.width
		}
		y -= lineHeight(pic.small)
	}
	bottom := c.Min.Y + margin
	note := pic.note()
	for i := range note {
		line := note[len(note)-1-i]
		c.FillText(pic.small, vg.Point{X: x, Y: bottom + lineHeight(pic.small)}, line)
		bottom += lineHeight(pic.small)
	}
	if len(note) > 0 {
		bottom += spacing
	}
	area := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: x, Y: bottom}, Max: vg.Point{X: c.Max.X - margin, Y: y - spacing - pic.markRoom()}}}
	if pic.bar != nil {
		w := pic.bar.width()
		plain := draw.Crop(area, 0, -w-margin, 0, 0)
		pic.plot.Draw(plain)
		data := pic.plot.DataCanvas(plain)
		pic.bar.draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: area.Max.X - w, Y: data.Min.Y}, Max: vg.Point{X: area.Max.X, Y: data.Max.Y}}})
		return
	}
	if pic.body != nil {
		pic.body(area)
		return
	}
	pic.plot.Draw(area)
}

// entry is one name of a legend with its sign.
type entry struct {
	series figure.Series
	kind   figure.Kind
	width  vg.Length
}

// legend returns the rows of the legend; none where there is nothing to tell
// apart.
func (pic *picture) legend() [][]entry {
	var all []entry
	for _, s := range pic.p.Series {
		// A series that stands in the category of its name needs no other sign.
		if !s.Hidden && !slices.Contains(pic.p.X.Categories, s.Name) {
			all = append(all, entry{series: s, kind: pic.p.Kind, width: pic.small.Width(s.Name) + 32})
		}
	}
	if pic.p.Kind == figure.Contour && len(all) == 1 {
		return nil
	}
	var rows [][]entry
	left := vg.Length(0)
	for _, e := range all {
		if e.width > left {
			rows, left = append(rows, nil), pic.width-2*margin
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		left -= e.width
	}
	return rows
}

// draw draws the sign and the name below y.
func (e *entry) draw(c draw.Canvas, s text.Style, x, y vg.Length) {
	clr := colorOf(e.series.Color)
	mid := y - lineHeight(s)*0.42
	switch {
	case e.kind == figure.Scatter || e.kind == figure.Intervals || e.kind == figure.Contour:
		dot(c, clr, vg.Point{X: x + 9, Y: mid}, 3, e.kind == figure.Intervals && e.series.Low == nil)
	case e.kind == figure.Lines:
		c.StrokeLine2(draw.LineStyle{Color: clr, Width: 2, Dashes: dashes(&e.series)}, x, mid, x+18, mid)
	default:
		box := []vg.Point{{X: x + 3, Y: mid - 4}, {X: x + 15, Y: mid - 4}, {X: x + 15, Y: mid + 4}, {X: x + 3, Y: mid + 4}}
		if e.series.Faint {
			c.StrokeLines(draw.LineStyle{Color: clr, Width: vg.Points(0.7)}, append(box, box[0]))
			clr = filling(&e.series, clr)
		}
		c.FillPolygon(clr, box)
	}
	c.FillText(s, vg.Point{X: x + 22, Y: y}, e.series.Name)
}

// dot draws a filled or an open circle.
func dot(c draw.Canvas, clr interface{ RGBA() (r, g, b, a uint32) }, at vg.Point, radius vg.Length, open bool) {
	shape := draw.GlyphDrawer(draw.CircleGlyph{})
	if open {
		shape = draw.RingGlyph{}
	}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: clr, Radius: radius, Shape: shape}, at)
}

// painter is a Plotter made of a function.
type painter func(draw.Canvas, *plot.Plot)

func (f painter) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }
