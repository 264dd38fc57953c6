package email

import (
	"fmt"
	"math"

	"overnight/internal/param"
)

// exposure counts where a subject line was shown less than a floor asks, over
// windows of each segment's own sends: a floor that holds over the whole
// audience may fail in one segment. It watches and changes nothing.
type exposure struct {
	floor      float64 // 0: not watched
	within     int
	violations int
	sends      []int32 // by segment, of the window under way
	could      []int32 // [segment][arm]: of those, the sends at which the arm was allowed
	got        []int32 // [segment][arm]: and at which it was sent
}

func (x *exposure) prepare(e *Env) {
	*x = exposure{floor: e.p.Exposure.Floor, within: e.p.Exposure.Within, sends: x.sends, could: x.could, got: x.got}
	if x.floor == 0 {
		return
	}
	n := e.grid.segments
	x.sends, x.could, x.got = resize(x.sends, n), resize(x.could, n*e.arms), resize(x.got, n*e.arms)
}

func (x *exposure) reset() {
	x.violations = 0
	if x.floor == 0 {
		return
	}
	clear(x.sends)
	clear(x.could)
	clear(x.got)
}

// watch counts the send just made. A window ends with its last send, so one that
// the run's end cuts short is not counted.
func (e *Env) watch() {
	x, k := &e.totals.exposure, e.arms
	s := e.last.cell / e.grid.perSegment
	could, got := x.could[s*k:][:k], x.got[s*k:][:k]
	mask := e.mask()
	for i := range could {
		if mask == nil || mask[i] {
			could[i]++
		}
	}
	if e.last.arm < k {
		got[e.last.arm]++
	}
	x.sends[s]++
	if int(x.sends[s]) < x.within {
		return
	}
	for i := range could {
		if short(x.floor, could[i], got[i]) {
			x.violations++
		}
	}
	x.sends[s] = 0
	clear(could)
	clear(got)
}

// short tells whether got is fewer than floor times could. The product of a
// floor such as .07 and 100 may be rounded up; that is no violation.
func short(floor float64, could, got int32) bool {
	return float64(got) < float64(float64(floor*float64(could))*(1-1e-12))
}

// servedWorst returns what the worst-served segment got of what it could have
// had, and how far that is from the best-served one.
func (e *Env) servedWorst() (worst, gap float64) {
	worst, best := 1.0, 0.0
	for s := range e.grid.segments {
		served := ratio(e.totals.bySegment[2*s], e.totals.bySegment[2*s+1])
		worst, best = min(worst, served), max(best, served)
	}
	return worst, best - worst
}

// checkExposure checks that the floor can be met, and that each segment is
// expected to have a whole window.
func (p *Params) checkExposure(k int) error {
	x := &p.Exposure
	if x.Floor == 0 {
		return nil
	}
	total := 0.0
	for s := range p.segments() {
		total += share(p.Segments.Shares, s)
	}
	for s := range p.segments() {
		left := k
		for i := range k {
			if p.vetoes(s, i) {
				left--
			}
		}
		if x.Floor*float64(left) > 1+1e-12 {
			return refuse("exposure.floor", "write at most "+param.FormatValue(math.Floor(1e4/float64(left))/1e4), "is %v for each of %s, more than all sends together", x.Floor, plural(left, "subject line"))
		}
		if sends := int(math.Round(float64(p.Horizon) * share(p.Segments.Shares, s) / total)); sends < x.Within {
			of := "the run has"
			if p.has("segment") {
				of = "segment " + p.Segments.Names[s] + " has about"
			}
			instead := fmt.Sprintf("write at most %d, or a longer horizon", sends)
			if sends == 0 {
				instead = "write a longer horizon"
			}
			return refuse("exposure.within", instead, "is %d, and %s %s, not one window", x.Within, of, plural(sends, "send"))
		}
	}
	return nil
}
