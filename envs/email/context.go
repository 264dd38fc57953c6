package email

import (
	"overnight/internal/fp"
	"overnight/internal/rng"
)

var devices = [...]string{"mobile", "desktop", "tablet"}

// deviceEnds are the ends of the default shares of devices: .55, .35, .1.
var deviceEnds = [...]float64{.55, .9, 1}

const hours = 24

// grid numbers the cells of all contexts: (segment x devices + device) x hours + hour.
// What is not a context has one level.
type grid struct {
	segments, devices, hours int
	cells, size              int // size of the observation
	perSegment               int
	ends                     []float64 // of the segments' shares
	deviceEnds               []float64
	hourEnds                 []float64 // empty: equal shares
	waves                    []float64 // [hour][sine, cosine]
	obs                      []float64 // [cell][size]
}

// prepare lays out the cells and writes what is observed in each: the numbers of
// its levels, then the features.
func (g *grid) prepare(p *Params) {
	*g = grid{segments: 1, devices: 1, hours: 1, ends: g.ends[:0], deviceEnds: g.deviceEnds[:0], hourEnds: g.hourEnds[:0], waves: g.waves[:0], obs: g.obs[:0]}
	if p.has("segment") {
		g.segments = len(p.Segments.Names)
		g.ends = appendEnds(g.ends, g.segments, p.Segments.Shares)
	}
	if p.has("device") {
		g.devices = len(devices)
		if p.Devices.Shares == nil {
			g.deviceEnds = append(g.deviceEnds, deviceEnds[:]...)
		} else {
			g.deviceEnds = appendEnds(g.deviceEnds, len(devices), p.Devices.Shares)
		}
	}
	if p.has("hour") {
		g.hours = hours
		if p.Hours.Shares != nil {
			g.hourEnds = appendEnds(g.hourEnds, hours, p.Hours.Shares)
		}
		for h := range hours {
			sin, cos := fp.SinCosTurn(float64(h) / hours)
			g.waves = append(g.waves, sin, cos)
		}
	}
	g.perSegment = g.devices * g.hours
	g.cells = g.segments * g.perSegment
	if g.cells == 1 {
		return
	}
	for cell := range g.cells {
		segment, device, hour := g.levels(cell)
		for _, c := range [...]struct{ level, of int }{{segment, g.segments}, {device, g.devices}, {hour, g.hours}} {
			if c.of > 1 {
				g.obs = append(g.obs, float64(c.level))
			}
		}
		g.obs = append(g.obs, 1)
		g.obs = dummies(g.obs, segment, g.segments)
		g.obs = dummies(g.obs, device, g.devices)
		if g.hours > 1 {
			g.obs = append(g.obs, g.waves[2*hour:2*hour+2]...)
		}
	}
	g.size = len(g.obs) / g.cells
}

// appendEnds appends the ends of n stretches of [0, 1] in proportion to shares;
// nil: equal ones.
func appendEnds(to []float64, n int, shares []float64) []float64 {
	total, sum := 0.0, 0.0
	for i := range n {
		total += share(shares, i)
	}
	for i := range n {
		sum += share(shares, i)
		to = append(to, sum/total)
	}
	return to
}

func share(shares []float64, i int) float64 {
	if shares == nil {
		return 1
	}
	return shares[i]
}

func dummies(to []float64, level, of int) []float64 {
	for i := 1; i < of; i++ {
		to = append(to, oneIf(i == level))
	}
	return to
}

// oneIf is written so that it compiles without a branch.
func oneIf(yes bool) float64 {
	n := 0
	if yes {
		n = 1
	}
	return float64(n)
}

func (g *grid) levels(cell int) (segment, device, hour int) {
	return cell / g.perSegment, cell / g.hours % g.devices, cell % g.hours
}

// context draws who comes next. Each context has a stream with one number a
// send, so adding one leaves the others as they are.
type context struct {
	segment, device, hour rng.Stream
	cell                  int
}

func (c *context) reset(key rng.Key, g *grid) {
	c.cell = 0
	if g.segments > 1 {
		c.segment.Seed(key.At(streamSegment))
	}
	if g.devices > 1 {
		c.device.Seed(key.At(streamDevice))
	}
	if g.hours > 1 {
		c.hour.Seed(key.At(streamHour))
	}
}

func (c *context) next(g *grid, l *recipients) {
	if l.number > 0 {
		l.next()
	}
	if g.cells == 1 {
		return
	}
	cell := 0
	if l.number > 0 {
		cell = int(l.who[l.now])
		if g.hours > 1 {
			cell = cell*g.hours + c.nextHour(g)
		}
		c.cell = cell
		return
	}
	if g.segments > 1 {
		cell = pick(c.segment.Float64(), g.ends)
	}
	if g.devices > 1 {
		cell = cell*g.devices + pick(c.device.Float64(), g.deviceEnds)
	}
	if g.hours > 1 {
		cell = cell*g.hours + c.nextHour(g)
	}
	c.cell = cell
}

func (c *context) nextHour(g *grid) int {
	if len(g.hourEnds) > 0 {
		return pick(c.hour.Float64(), g.hourEnds)
	}
	return c.hour.IntN(g.hours)
}

// pick returns the first stretch that ends above u; the last one where rounding
// leaves none.
func pick(u float64, ends []float64) int {
	i := 0
	for i < len(ends)-1 && u >= ends[i] {
		i++
	}
	return i
}
