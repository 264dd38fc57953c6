package plots

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

// shades turns a grid's values into colours.
type shades struct {
	low, high float64
	colors    []string
}

// shadesOf chooses the colours of values: from worse to better, or around 0
// where neither end is.
func shadesOf(better string, values ...[]figure.Num) shades {
	e := newExtent()
	for _, row := range values {
		e.see(false, row...)
	}
	if math.IsInf(e.low, 0) {
		e = extent{0, 1}
	}
	s := shades{e.low, e.high, figure.Sequential()}
	switch better {
	case "low":
		for i, j := 0, len(s.colors)-1; i < j; i, j = i+1, j-1 {
			s.colors[i], s.colors[j] = s.colors[j], s.colors[i]
		}
	case "":
		far := max(math.Abs(e.low), math.Abs(e.high))
		s = shades{-far, far, figure.Diverging()}
	}
	if s.high <= s.low {
		s.low, s.high = s.low-around(s.low), s.high+around(s.low)
	}
	return s
}

func (s *shades) share(v float64) float64 { return (v - s.low) / (s.high - s.low) }

// colorBar shows what the colours mean.
type colorBar struct {
	shades
	label string
	pic   *picture
}

func (b *colorBar) width() vg.Length { return 64 }

func (b *colorBar) draw(c draw.Canvas) {
	const thick, steps = 12, 64
	tall := (c.Max.Y - c.Min.Y) / steps
	for i := range steps {
		y := c.Min.Y + vg.Length(i)*tall
		c.FillPolygon(between(b.colors, (float64(i)+0.5)/steps), []vg.Point{{X: c.Min.X, Y: y}, {X: c.Min.X + thick, Y: y}, {X: c.Min.X + thick, Y: y + tall + 0.3}, {X: c.Min.X, Y: y + tall + 0.3}})
	}
	name := b.pic.small
	name.Color, name.YAlign = hex(ink), draw.YCenter
	for _, t := range (ticker{}).Ticks(b.low, b.high) {
		y := c.Min.Y + vg.Length(b.share(t.Value))*(c.Max.Y-c.Min.Y)
		if y >= c.Min.Y-0.01 && y <= c.Max.Y+0.01 {
			c.StrokeLine2(draw.LineStyle{Color: hex(faint), Width: vg.Points(0.5)}, c.Min.X+thick, y, c.Min.X+thick+3, y)
			c.FillText(name, vg.Point{X: c.Min.X + thick + 5, Y: y}, t.Label)
		}
	}
	name.Rotation, name.XAlign, name.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	c.FillText(name, vg.Point{X: c.Max.X - 6, Y: (c.Min.Y + c.Max.Y) / 2}, b.label)
}

// drawHeatmap draws cells with their values, the first row at the top, and
// returns the height they ask for. A cell without a value is grey with a cross.
func (pic *picture) drawHeatmap() vg.Length {
	p := pic.p
	x, y := &pic.plot.X, &pic.plot.Y
	columns, rows := len(p.X.Categories), len(p.Y.Categories)
	x.Min, x.Max, y.Min, y.Max = -0.5, float64(columns)-0.5, -0.5, float64(rows)-0.5
	x.Label.Text, y.Label.Text = p.X.Label, p.Y.Label
	x.Tick.Length, y.Tick.Length = 0, 0
	var tx, ty plot.ConstantTicks
	room := (pic.width - 200) / vg.Length(columns)
	for i, name := range p.X.Categories {
		tx = append(tx, plot.Tick{Value: float64(i), Label: strings.Join(wrap(x.Tick.Label, name, max(room-4, 24), 3), "\n")})
	}
	for i, name := range p.Y.Categories {
		ty = append(ty, plot.Tick{Value: float64(rows - 1 - i), Label: strings.Join(wrap(y.Tick.Label, name, 120, 2), "\n")})
	}
	x.Tick.Marker, y.Tick.Marker = tx, ty
	colors := shadesOf(p.Better, p.Grid...)
	pic.bar = &colorBar{colors, p.GridLabel, pic}
	pic.plot.Add(painter(func(c draw.Canvas, pl *plot.Plot) {
		px, py := pl.Transforms(&c)
		for i, row := range p.Grid {
			for j, v := range row {
				at := vg.Rectangle{Min: vg.Point{X: px(float64(j) - 0.5), Y: py(float64(rows-1-i) - 0.5)}, Max: vg.Point{X: px(float64(j) + 0.5), Y: py(float64(rows-1-i) + 0.5)}}
				pic.cell(c, at, v, colors)
			}
		}
	}))
	return max(vg.Length(rows)*min(48, 400/vg.Length(rows)+8), 1.6*vg.Inch) + 60
}

// cell draws one cell of a heat map.
func (pic *picture) cell(c draw.Canvas, at vg.Rectangle, v figure.Num, colors shades) {
	corners := []vg.Point{at.Min, {X: at.Max.X, Y: at.Min.Y}, at.Max, {X: at.Min.X, Y: at.Max.Y}}
	line := draw.LineStyle{Color: hex(white), Width: vg.Points(0.8)}
	if !finite(v) {
		c.FillPolygon(hex(figure.Missing), corners)
		c.StrokeLine2(line, at.Min.X, at.Min.Y, at.Max.X, at.Max.Y)
		c.StrokeLine2(line, at.Min.X, at.Max.Y, at.Max.X, at.Min.Y)
	} else {
		c.FillPolygon(between(colors.colors, colors.share(float64(v))), corners)
	}
	c.StrokeLines(line, append(corners, corners[0]))
	if !finite(v) {
		return
	}
	text := pic.small
	text.XAlign, text.YAlign, text.Color = draw.XCenter, draw.YCenter, hex(ink)
	if dark(between(colors.colors, colors.share(float64(v)))) {
		text.Color = hex(white)
	}
	label := fmt.Sprintf("%.3g", float64(v))
	if text.Width(label) < at.Max.X-at.Min.X-4 && lineHeight(text) < at.Max.Y-at.Min.Y {
		c.FillText(text, vg.Point{X: (at.Min.X + at.Max.X) / 2, Y: (at.Min.Y + at.Max.Y) / 2}, label)
	}
}

// drawContour draws a surface in colours with isolines and dots.
func (pic *picture) drawContour() {
	p := pic.p
	x, y := newExtent(), newExtent()
	x.see(p.X.Log, p.GridX...)
	y.see(p.Y.Log, p.GridY...)
	scale(&pic.plot.X, &p.X, x, 0)
	scale(&pic.plot.Y, &p.Y, y, 0)
	colors := shadesOf(p.Better, p.Grid...)
	pic.bar = &colorBar{colors, p.GridLabel, pic}
	pic.plot.Add(painter(func(c draw.Canvas, pl *plot.Plot) {
		tx, ty := pl.Transforms(&c)
		ex, ey := edges(p.GridX, tx), edges(p.GridY, ty)
		for i, row := range p.Grid {
			for j, v := range row {
				if !finite(v) {
					continue
				}
				// A little overlap hides the seams of antialiasing.
				shape := []vg.Point{{X: ex[j] - 0.2, Y: ey[i] - 0.2}, {X: ex[j+1] + 0.2, Y: ey[i] - 0.2}, {X: ex[j+1] + 0.2, Y: ey[i+1] + 0.2}, {X: ex[j] - 0.2, Y: ey[i+1] + 0.2}}
				c.FillPolygon(between(colors.colors, colors.share(float64(v))), c.ClipPolygonXY(shape))
			}
		}
	}))
	for i := range p.Series {
		pic.plot.Add(dots(&p.Series[i], hex(ink), 1.2))
	}
	pic.plot.Add(pic.isolines(colors), pic.marks())
}

// edges returns where the cells around places begin and end.
func edges(at []figure.Num, to func(float64) vg.Length) []vg.Length {
	out := make([]vg.Length, len(at)+1)
	for i := 1; i < len(at); i++ {
		out[i] = (to(float64(at[i-1])) + to(float64(at[i]))) / 2
	}
	out[0] = to(float64(at[0]))
	out[len(at)] = to(float64(at[len(at)-1]))
	return out
}

// isolines draws lines with their level in the middle of the longer ones.
func (pic *picture) isolines(colors shades) painter {
	return func(c draw.Canvas, pl *plot.Plot) {
		tx, ty := pl.Transforms(&c)
		var taken []vg.Rectangle
		text := pic.small
		text.XAlign, text.YAlign = draw.XCenter, draw.YCenter
		for _, l := range pic.p.Isolines {
			clr := hex(ink)
			if dark(between(colors.colors, colors.share(float64(l.Level)))) {
				clr = hex(white)
			}
			points := make([]vg.Point, len(l.X))
			long := 0.0
			for i := range l.X {
				points[i] = vg.Point{X: tx(float64(l.X[i])), Y: ty(float64(l.Y[i]))}
				if i > 0 {
					long += math.Hypot(float64(points[i].X-points[i-1].X), float64(points[i].Y-points[i-1].Y))
				}
			}
			c.StrokeLines(draw.LineStyle{Color: fade(clr, 0.9), Width: vg.Points(0.9)}, c.ClipLinesXY(points)...)
			label := fmt.Sprintf("%.4g", float64(l.Level))
			mid := points[len(points)/2]
			box := text.Rectangle(label).Add(mid)
			inside := box.Min.X > c.Min.X && box.Max.X < c.Max.X && box.Min.Y > c.Min.Y && box.Max.Y < c.Max.Y
			if long < 60 || !inside || overlaps(box, taken) {
				continue
			}
			taken = append(taken, box)
			c.SetColor(between(colors.colors, colors.share(float64(l.Level))))
			c.Fill(box.Path())
			text.Color = clr
			c.FillText(text, mid, label)
		}
	}
}
