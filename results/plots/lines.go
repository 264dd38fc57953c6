package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

// drawXY draws lines with bands, stacked areas and dots.
func (pic *picture) drawXY() {
	p := pic.p
	x, y := newExtent(), newExtent()
	tops := stacked(p)
	for i := range p.Series {
		s := &p.Series[i]
		if s.Hidden {
			continue
		}
		x.see(p.X.Log, s.X...)
		if p.Kind == figure.Areas {
			y.see(false, 0)
			y.see(false, tops[i]...)
			continue
		}
		y.see(p.Y.Log, s.Y...)
		y.see(p.Y.Log, s.Low...)
		y.see(p.Y.Log, s.High...)
	}
	for _, m := range p.Marks {
		if m.Axis == "x" {
			x.see(p.X.Log, m.At)
		} else {
			y.see(p.Y.Log, m.At)
		}
	}
	room := 0.02
	if p.Kind == figure.Areas {
		room = 0
	}
	scale(&pic.plot.X, &p.X, x, room)
	scale(&pic.plot.Y, &p.Y, y, 2*room)
	if p.Kind == figure.Areas {
		pic.plot.Add(areas(p, tops), gridlines(false, true))
	} else {
		pic.plot.Add(gridlines(true, true))
	}
	for i := range p.Series {
		s := &p.Series[i]
		switch {
		case s.Hidden:
		case p.Kind == figure.Lines:
			pic.plot.Add(band(s))
		case p.Kind == figure.Scatter:
			pic.plot.Add(dots(s, colorOf(s.Color), 2))
		}
	}
	for i := range p.Series {
		if s := &p.Series[i]; p.Kind == figure.Lines && !s.Hidden {
			pic.plot.Add(line(s))
		}
	}
	pic.plot.Add(pic.marks())
}

// stacked returns the upper edge of each series where they stand on each other.
func stacked(p *figure.Panel) [][]figure.Num {
	if p.Kind != figure.Areas {
		return make([][]figure.Num, len(p.Series))
	}
	tops := make([][]figure.Num, len(p.Series))
	sum := make([]figure.Num, len(p.Series[0].X))
	for i := range p.Series {
		for j, v := range p.Series[i].Y {
			if finite(v) && !p.Series[i].Hidden {
				sum[j] += v
			}
		}
		tops[i] = append([]figure.Num(nil), sum...)
	}
	return tops
}

func areas(p *figure.Panel, tops [][]figure.Num) painter {
	return func(c draw.Canvas, pl *plot.Plot) {
		tx, ty := pl.Transforms(&c)
		for i := range p.Series {
			var shape []vg.Point
			for j, x := range p.Series[i].X {
				shape = append(shape, vg.Point{X: tx(float64(x)), Y: ty(float64(tops[i][j]))})
			}
			for j := len(p.Series[i].X) - 1; j >= 0; j-- {
				base := 0.0
				if i > 0 {
					base = float64(tops[i-1][j])
				}
				shape = append(shape, vg.Point{X: tx(float64(p.Series[i].X[j])), Y: ty(base)})
			}
			c.FillPolygon(fade(colorOf(p.Series[i].Color), 0.85), c.ClipPolygonXY(shape))
			edge := draw.LineStyle{Color: hex(white), Width: vg.Points(0.7)}
			c.StrokeLines(edge, c.ClipLinesXY(shape[:len(shape)/2])...)
		}
	}
}

// pieces returns the stretches of entries for which all of the numbers are known.
func pieces(n int, ok func(int) bool) [][2]int {
	var out [][2]int
	for i := 0; i < n; i++ {
		if !ok(i) {
			continue
		}
		from := i
		for i < n && ok(i) {
			i++
		}
		out = append(out, [2]int{from, i})
	}
	return out
}

func band(s *figure.Series) painter {
	return func(c draw.Canvas, p *plot.Plot) {
		if s.Low == nil {
			return
		}
		tx, ty := p.Transforms(&c)
		y := func(v figure.Num) vg.Length { return ty(max(float64(v), floor(&p.Y))) }
		for _, piece := range pieces(len(s.X), func(i int) bool { return finite(s.Low[i]) && finite(s.High[i]) }) {
			var shape []vg.Point
			for i := piece[0]; i < piece[1]; i++ {
				shape = append(shape, vg.Point{X: tx(float64(s.X[i])), Y: y(s.High[i])})
			}
			for i := piece[1] - 1; i >= piece[0]; i-- {
				shape = append(shape, vg.Point{X: tx(float64(s.X[i])), Y: y(s.Low[i])})
			}
			if shape = c.ClipPolygonXY(shape); len(shape) > 2 {
				c.FillPolygon(fade(colorOf(s.Color), 0.2), shape)
			}
		}
	}
}

// floor is the least value that an axis can show.
func floor(a *plot.Axis) float64 {
	if _, log := a.Scale.(plot.LogScale); log {
		return a.Min
	}
	return math.Inf(-1)
}

func line(s *figure.Series) painter {
	return func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		style := draw.LineStyle{Color: colorOf(s.Color), Width: vg.Points(1.6), Dashes: dashes(s)}
		for _, piece := range pieces(len(s.X), func(i int) bool { return finite(s.Y[i]) }) {
			var points []vg.Point
			for i := piece[0]; i < piece[1]; i++ {
				points = append(points, vg.Point{X: tx(float64(s.X[i])), Y: ty(float64(s.Y[i]))})
			}
			c.StrokeLines(style, c.ClipLinesXY(points)...)
			if len(s.X) <= 12 || len(points) == 1 { // few values: show where they are
				for _, at := range points {
					if c.Contains(at) {
						dot(c, colorOf(s.Color), at, 2.5, false)
					}
				}
			}
		}
	}
}

func dots(s *figure.Series, of color.NRGBA, radius vg.Length) painter {
	return func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		clr := fade(of, 0.55)
		if len(s.X) < 10 { // few: none hides another
			clr, radius = fade(of, 0.85), 2*radius
		}
		for i := range s.X {
			if finite(s.X[i]) && finite(s.Y[i]) {
				if at := (vg.Point{X: tx(float64(s.X[i])), Y: ty(float64(s.Y[i]))}); c.Contains(at) {
					dot(c, clr, at, radius, false)
				}
			}
		}
	}
}
