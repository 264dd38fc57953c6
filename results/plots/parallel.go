package plots

import (
	"math"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

// drawParallel draws a vertical axis for each dimension and a line for each row,
// in the colour of its last value.
func (pic *picture) drawParallel() {
	pic.body = func(c draw.Canvas) {
		p := pic.p
		label, tick := face(pic.plot.TextHandler, 9.5, true, hex(ink)), face(pic.plot.TextHandler, 8.5, false, hex(ink))
		label.XAlign, label.YAlign = draw.XCenter, draw.YBottom
		tick.XAlign, tick.YAlign = draw.XRight, draw.YCenter

		n := len(p.Dims)
		gap := (c.Max.X - c.Min.X - 110) / vg.Length(n-1)
		heads := make([][]string, n)
		tall := 1
		for i, d := range p.Dims {
			heads[i] = wrap(label, d.Label, max(gap-6, 40), 3)
			tall = max(tall, len(heads[i]))
		}
		area := draw.Crop(c, 60, -50, 10, -lineHeight(label)*vg.Length(tall)-8)
		axes := make([]parallelAxis, n)
		for i := range axes {
			axes[i] = newParallelAxis(p, i, area.Min.X+vg.Length(i)*gap, area)
		}
		last := make([]figure.Num, len(p.Rows))
		for i, row := range p.Rows {
			last[i] = row[n-1]
		}
		colors := shadesOf(orSequential(p.Better), last)
		alpha := min(max(40/math.Sqrt(float64(len(p.Rows)+1))/5, 0.25), 0.9)
		for _, row := range p.Rows {
			clr := fade(hex(figure.Missing), alpha)
			if finite(row[n-1]) {
				clr = fade(between(colors.colors, colors.share(float64(row[n-1]))), alpha)
			}
			style := draw.LineStyle{Color: clr, Width: vg.Points(0.8)}
			for _, piece := range pieces(n, func(i int) bool { return finite(row[i]) }) {
				var points []vg.Point
				for i := piece[0]; i < piece[1]; i++ {
					points = append(points, vg.Point{X: axes[i].x, Y: axes[i].at(float64(row[i]))})
				}
				c.StrokeLines(style, points)
			}
		}
		for i := range axes {
			axes[i].draw(c, tick)
			c.FillText(label, vg.Point{X: axes[i].x, Y: area.Max.Y + 6}, strings.Join(heads[i], "\n"))
		}
	}
}

func orSequential(better string) string {
	if better == "" {
		return "high"
	}
	return better
}

// parallelAxis is a vertical axis.
type parallelAxis struct {
	dim         *figure.Dim
	x, low, top vg.Length
	min, max    float64
}

func newParallelAxis(p *figure.Panel, i int, x vg.Length, area draw.Canvas) parallelAxis {
	a := parallelAxis{dim: &p.Dims[i], x: x, low: area.Min.Y, top: area.Max.Y}
	if n := len(a.dim.Categories); n > 0 {
		a.min, a.max = -0.3, float64(n)-0.7
		return a
	}
	e := newExtent()
	for _, row := range p.Rows {
		e.see(a.dim.Log, row[i])
	}
	if math.IsInf(e.low, 0) {
		e = extent{0, 1}
		if a.dim.Log {
			e = extent{1, 10}
		}
	}
	if e.low == e.high && a.dim.Log {
		e = extent{e.low / 2, e.low * 2}
	} else if e.low == e.high {
		e = extent{e.low - around(e.low), e.low + around(e.low)}
	}
	a.min, a.max = e.low, e.high
	return a
}

func (a *parallelAxis) at(v float64) vg.Length {
	t := (v - a.min) / (a.max - a.min)
	if a.dim.Log {
		t = math.Log(v/a.min) / math.Log(a.max/a.min)
	}
	return a.low + vg.Length(t)*(a.top-a.low)
}

// draw draws the axis with its marks to the left, on a veil above the lines.
func (a *parallelAxis) draw(c draw.Canvas, s text.Style) {
	style := draw.LineStyle{Color: hex(ink), Width: vg.Points(1)}
	c.StrokeLine2(style, a.x, a.low, a.x, a.top)
	mark := func(v float64, name string) {
		y := a.at(v)
		if y < a.low-0.5 || y > a.top+0.5 || name == "" {
			return
		}
		c.StrokeLine2(style, a.x-3, y, a.x, y)
		at := vg.Point{X: a.x - 5, Y: y}
		c.SetColor(fade(hex(white), 0.75))
		c.Fill(s.Rectangle(name).Add(at).Path())
		c.FillText(s, at, name)
	}
	if len(a.dim.Categories) > 0 {
		for i, name := range a.dim.Categories {
			mark(float64(i), wrap(s, name, 90, 1)[0])
		}
		return
	}
	for _, t := range (ticker{a.dim.Log}).Ticks(a.min, a.max) {
		mark(t.Value, t.Label)
	}
}
