package plots

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"overnight/results/figure"
)

// extent is the range of the numbers it has seen.
type extent struct{ low, high float64 }

func newExtent() extent { return extent{math.Inf(1), math.Inf(-1)} }

// see takes in numbers; on a logarithmic axis those above 0 only.
func (e *extent) see(log bool, v ...figure.Num) {
	for _, n := range v {
		if finite(n) && (!log || n > 0) {
			e.low, e.high = min(e.low, float64(n)), max(e.high, float64(n))
		}
	}
}

// scale sets an axis to a range with a little room around it, or to the bounds
// that the figure asks for.
func scale(to *plot.Axis, from *figure.Axis, e extent, room float64) {
	if math.IsInf(e.low, 0) {
		e = extent{0, 1}
		if from.Log {
			e = extent{1, 10}
		}
	}
	if from.Log {
		to.Scale = plot.LogScale{}
		a, b := math.Log(e.low), math.Log(e.high)
		pad := max((b-a)*room, 1e-3)
		e = extent{math.Exp(a - pad), math.Exp(b + pad)}
	} else {
		pad := (e.high - e.low) * room
		if e.high == e.low {
			pad = around(e.low)
		}
		e = extent{e.low - pad, e.high + pad}
	}
	to.Min, to.Max = e.low, e.high
	if (from.Low != 0 || from.High != 0) && (!from.Log || from.Low > 0) && from.Low < from.High {
		to.Min, to.Max = from.Low, from.High
	}
	to.Label.Text = from.Label
	to.Tick.Marker = ticker{from.Log}
}

// around is the room on both sides of a value that stands alone.
func around(v float64) float64 { return max(math.Abs(v)*0.05, 1e-6) }

// ticker marks round numbers.
type ticker struct{ log bool }

// Ticks returns about six marks.
func (t ticker) Ticks(low, high float64) []plot.Tick {
	if t.log && low > 0 && high/low > 5 {
		return logTicks(low, high)
	}
	step := niceStep(low, high, 6)
	var out []plot.Tick
	from := math.Ceil(low/step - 1e-9)
	for i := range 20 { // never more, also where steps are lost in rounding
		v := (from + float64(i)) * step
		if !(v <= high+1e-9*step) {
			break
		}
		out = append(out, plot.Tick{Value: v, Label: short(v, step)})
	}
	return out
}

// logTicks marks powers of ten, and where there are few of them 2 and 5 times
// those, or where there are many every second or third.
func logTicks(low, high float64) []plot.Tick {
	from, to := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	every := math.Ceil((to - from) / 8)
	var out []plot.Tick
	for e := from; e <= to; e++ {
		for _, k := range []float64{1, 2, 5} {
			v := k * math.Pow(10, e)
			if v < low*(1-1e-9) || v > high*(1+1e-9) {
				continue
			}
			label := ""
			if k == 1 && math.Mod(e-from, every) == 0 || k > 1 && to-from <= 2 {
				label = short(v, v)
			}
			out = append(out, plot.Tick{Value: v, Label: label})
		}
	}
	return out
}

// niceStep returns a step of 1, 2 or 5 times a power of ten that cuts a range into
// about n parts.
func niceStep(low, high float64, n int) float64 {
	rough := (high - low) / float64(n)
	if !(rough > 0) || math.IsInf(rough, 0) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, k := range []float64{1, 2, 5} {
		if k*unit >= rough*0.999 {
			return k * unit
		}
	}
	return 10 * unit
}

// short writes a mark with the digits that its step asks for.
func short(v, step float64) string {
	if a := math.Abs(v); v != 0 && (a >= 1e6 || math.Abs(step) < 1e-4) {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	places := max(0, -int(math.Floor(math.Log10(math.Abs(step))+1e-9)))
	s := strconv.FormatFloat(v, 'f', places, 64)
	if v == 0 || s == "-0" {
		return "0"
	}
	return s
}

// gridlines draws faint lines at the labelled marks of the axes asked for.
func gridlines(x, y bool) painter {
	return func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		style := draw.LineStyle{Color: hex(rule), Width: vg.Points(0.6)}
		if x {
			for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
				if t.Label != "" && t.Value >= p.X.Min && t.Value <= p.X.Max {
					c.StrokeLine2(style, tx(t.Value), c.Min.Y, tx(t.Value), c.Max.Y)
				}
			}
		}
		if y {
			for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
				if t.Label != "" && t.Value >= p.Y.Min && t.Value <= p.Y.Max {
					c.StrokeLine2(style, c.Min.X, ty(t.Value), c.Max.X, ty(t.Value))
				}
			}
		}
	}
}

// marks draws reference lines with their names: those across from top to bottom
// have theirs above the axes.
func (pic *picture) marks() painter {
	return func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		style := draw.LineStyle{Color: hex(figure.Grey), Width: vg.Points(1.2), Dashes: []vg.Length{vg.Points(2), vg.Points(2)}}
		name := pic.small
		var taken []vg.Rectangle
		for _, m := range pic.p.Marks {
			at, from, step := float64(m.At), vg.Point{}, lineHeight(name)
			if m.Axis == "x" {
				if at < p.X.Min || at > p.X.Max {
					continue
				}
				c.StrokeLine2(style, tx(at), c.Min.Y, tx(at), c.Max.Y+3)
				name.XAlign, name.YAlign = draw.XCenter, draw.YBottom
				half := name.Width(m.Name) / 2
				from = vg.Point{X: min(max(tx(at), c.Min.X+half), c.Max.X-half), Y: c.Max.Y + 3}
			} else {
				if at < p.Y.Min || at > p.Y.Max {
					continue
				}
				c.StrokeLine2(style, c.Min.X, ty(at), c.Max.X, ty(at))
				name.XAlign, name.YAlign = draw.XRight, draw.YBottom
				from = vg.Point{X: c.Max.X - 2, Y: ty(at) + 1}
				if from.Y+lineHeight(name) > c.Max.Y {
					name.YAlign, from.Y = draw.YTop, ty(at)-1
				}
				step = -step
			}
			box := name.Rectangle(m.Name).Add(from)
			for moved := 0; overlaps(box, taken) && moved < 4; moved++ {
				from.Y += step
				box = name.Rectangle(m.Name).Add(from)
			}
			taken = append(taken, box)
			if m.Axis == "y" {
				c.SetColor(fade(hex(white), 0.7))
				c.Fill(box.Path())
			}
			c.FillText(name, from, m.Name)
		}
	}
}

// markRoom is the height that the names of marks above the axes take: a line
// more for each that may have to stand above another.
func (pic *picture) markRoom() vg.Length {
	n := 0
	for _, m := range pic.p.Marks {
		if m.Axis == "x" {
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return lineHeight(pic.small)*vg.Length(min(n, 3)) + 3
}

func overlaps(b vg.Rectangle, others []vg.Rectangle) bool {
	for _, o := range others {
		if b.Min.X < o.Max.X && o.Min.X < b.Max.X && b.Min.Y < o.Max.Y && o.Min.Y < b.Max.Y {
			return true
		}
	}
	return false
}
