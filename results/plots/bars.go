package plots

import (
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

// drawCategories draws bars and intervals, the first category at the top, and
// returns the height they ask for.
func (pic *picture) drawCategories() vg.Length {
	p := pic.p
	n := len(p.X.Categories)
	values := newExtent()
	if p.Kind == figure.Bars && !p.Y.Log {
		values.see(false, 0)
	}
	lanes := lanes(p)
	for c, in := range lanes {
		for _, l := range in {
			values.see(p.Y.Log, l.end(p, c))
		}
	}
	for i := range p.Series {
		if s := &p.Series[i]; !s.Hidden {
			if s.Stack == "" {
				values.see(p.Y.Log, s.Y...)
			}
			values.see(p.Y.Log, s.Low...)
			values.see(p.Y.Log, s.High...)
		}
	}
	for _, m := range p.Marks {
		values.see(p.Y.Log, m.At)
	}
	scale(&pic.plot.X, &p.Y, values, 0.04)
	y := &pic.plot.Y
	y.Min, y.Max = -0.5, float64(n)-0.5
	y.Label.Text = p.X.Label
	y.Tick.Length = 0
	var ticks plot.ConstantTicks
	tall := 0
	for i, name := range p.X.Categories {
		lines := wrap(y.Tick.Label, name, pic.width*0.3, 3)
		tall = max(tall, len(lines))
		ticks = append(ticks, plot.Tick{Value: float64(n - 1 - i), Label: strings.Join(lines, "\n")})
	}
	y.Tick.Marker = ticks
	pic.plot.Add(gridlines(true, false), stripes(n), rows(p, lanes), pic.marks())
	most := 1
	for _, l := range lanes {
		most = max(most, len(l))
	}
	each := max(vg.Length(tall)*13, vg.Length(most)*11) + 10
	return max(each*vg.Length(n)+50, 1.5*vg.Inch)
}

// A lane holds the series that lie end to end: one, or those of one stack.
type lane []int

// end is where the last of them ends in category c.
func (l lane) end(p *figure.Panel, c int) figure.Num {
	sum := figure.Num(0)
	for _, i := range l {
		sum += p.Series[i].Y[c]
	}
	return sum
}

// lanes returns by category what stands beside each other in it: series with a
// value there, or stacks of them. Of intervals, series without any interval stand
// in the middle instead.
func lanes(p *figure.Panel) [][]lane {
	all := make([][]lane, len(p.X.Categories))
	for c := range all {
		stacks := map[string]int{}
		for i := range p.Series {
			s := &p.Series[i]
			if s.Hidden || !finite(s.Y[c]) || p.Kind != figure.Bars && s.Low == nil {
				continue
			}
			k, ok := stacks[s.Stack]
			if !ok || s.Stack == "" {
				k = len(all[c])
				stacks[s.Stack] = k
				all[c] = append(all[c], nil)
			}
			all[c][k] = append(all[c][k], i)
		}
	}
	return all
}

// stripes shade every second category.
func stripes(n int) painter {
	return func(c draw.Canvas, p *plot.Plot) {
		_, ty := p.Transforms(&c)
		for i := 1; i < n; i += 2 {
			at := float64(n - 1 - i)
			low, high := ty(at-0.5), ty(at+0.5)
			c.FillPolygon(fade(hex(ink), 0.035), []vg.Point{{X: c.Min.X, Y: low}, {X: c.Max.X, Y: low}, {X: c.Max.X, Y: high}, {X: c.Min.X, Y: high}})
		}
	}
}

// filling is the colour of a bar.
func filling(s *figure.Series, clr color.NRGBA) color.NRGBA {
	if s.Faint {
		return fade(clr, 0.22)
	}
	return fade(clr, 0.85)
}

// rows draws the bars and intervals of every category.
func rows(p *figure.Panel, lanes [][]lane) painter {
	return func(c draw.Canvas, pl *plot.Plot) {
		_, ty := pl.Transforms(&c)
		n := len(lanes)
		for k, in := range lanes {
			for i := range p.Series {
				if s := &p.Series[i]; p.Kind == figure.Intervals && s.Low == nil && !s.Hidden {
					value(c, pl, p, s, k, 0, ty(float64(n-1-k)), 0)
				}
			}
			for l, series := range in {
				thick := 0.76 / float64(len(in))
				at := float64(n-1-k) + 0.38 - (float64(l)+0.5)*thick
				from := figure.Num(0)
				for _, i := range series {
					value(c, pl, p, &p.Series[i], k, from, ty(at), min(ty(thick)-ty(0), 18)*0.9)
					from += p.Series[i].Y[k]
				}
			}
		}
	}
}

// value draws one value with its interval at height y, as a bar from where the one
// before it in its stack ends.
func value(c draw.Canvas, pl *plot.Plot, p *figure.Panel, s *figure.Series, k int, begin figure.Num, y, thick vg.Length) {
	if !finite(s.Y[k]) {
		return
	}
	tx, _ := pl.Transforms(&c)
	x := func(v figure.Num) vg.Length { return tx(min(max(float64(v), pl.X.Min), pl.X.Max)) }
	clr := colorOf(s.Color)
	at, width := x(begin+s.Y[k]), vg.Points(1.8)
	if p.Kind == figure.Bars {
		from := x(begin)
		if p.Y.Log {
			from = c.Min.X
		}
		box := []vg.Point{{X: from, Y: y - thick/2}, {X: at, Y: y - thick/2}, {X: at, Y: y + thick/2}, {X: from, Y: y + thick/2}}
		c.FillPolygon(hex(white), box) // no gridline shows through
		c.FillPolygon(filling(s, clr), box)
		if s.Faint {
			c.StrokeLines(draw.LineStyle{Color: clr, Width: vg.Points(0.7)}, append(box, box[0]))
		}
		clr, width = hex(ink), vg.Points(1)
	}
	if s.Low != nil && finite(s.Low[k]) && finite(s.High[k]) {
		style, cap := draw.LineStyle{Color: clr, Width: width}, vg.Length(3)
		low, high := x(s.Low[k]), x(s.High[k])
		c.StrokeLine2(style, low, y, high, y)
		c.StrokeLine2(style, low, y-cap, low, y+cap)
		c.StrokeLine2(style, high, y-cap, high, y+cap)
	}
	if p.Kind == figure.Intervals {
		dot(c, clr, vg.Point{X: at, Y: y}, 3.5, s.Low == nil)
	}
}
