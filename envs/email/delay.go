package email

import (
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/rng"
)

// late keeps conversions until they are known. Everything outstanding is of the
// last len(ring) sends, so a ring of slots by send and one of lists by the step
// in which they land are enough.
type late struct {
	on     bool
	arms   int
	fixed  []int     // by arm, under delay: fixed
	perLog []float64 // by arm, under delay: geometric: 1/log of P(D > d | D >= d)
	window int       // -1: none

	stream rng.Stream
	ring   []slot
	first  []int32 // by step: slot+1 of the earliest send that lands then; 0: none
	final  []int32 // the latest
	delay  int     // of the last send; -1: not a conversion
}

// slot is an outstanding send.
type slot struct {
	step, arm int32
	next      int32 // slot+1 of the next that lands in the same step
	open      bool  // no conversion within the window
	reward    float64
}

// prepare sizes the rings. A geometric delay is bounded because its uniform
// number is a multiple of 2**-53.
func (l *late) prepare(p *Params, arms int) {
	*l = late{arms: arms, fixed: l.fixed[:0], perLog: l.perLog[:0], ring: l.ring, first: l.first, final: l.final, window: -1}
	if p.Delay == "none" {
		return
	}
	l.on = true
	longest := 0
	for i := range arms {
		mean := p.DelayMean.At(i)
		if p.Delay == "fixed" {
			l.fixed = append(l.fixed, int(mean))
			longest = max(longest, int(mean))
			continue
		}
		perLog := 0.0
		if mean > 0 {
			perLog = 1 / fp.Log(mean/(1+mean))
		}
		l.perLog = append(l.perLog, perLog)
		longest = max(longest, int(float64(perLog*fp.Log(0x1p-53)))+1)
	}
	if p.Window != nil {
		l.window = *p.Window
		longest = l.window
	}
	n := min(longest, p.Horizon) + 1
	l.ring, l.first, l.final = resize(l.ring, n), resize(l.first, n), resize(l.final, n)
}

func (l *late) reset(key rng.Key) {
	if !l.on {
		return
	}
	l.stream.Seed(key.At(streamDelay))
	clear(l.ring)
	clear(l.first)
}

// draw returns the delay of send t under an arm; each send takes one number.
func (l *late) draw(arm int) int {
	if len(l.fixed) > 0 {
		return l.fixed[arm]
	}
	rest := 1 - float64(l.stream.Float64()) // rounded: see fp.MulAdd
	return int(float64(l.perLog[arm] * fp.LogUnit(rest)))
}

// add keeps a send and returns whether its conversion will be credited if the
// run lasts.
func (l *late) add(t, arm int, converted bool, reward float64, horizon int) bool {
	d := l.draw(min(arm, l.arms-1)) // no mail takes its number too
	l.delay = -1
	if converted {
		l.delay = d
	}
	within := converted && (l.window < 0 || d <= l.window)
	n := len(l.ring)
	i := t % n
	l.ring[i] = slot{step: int32(t), arm: int32(arm), open: !within && arm < l.arms, reward: reward}
	if !within || d >= horizon-t {
		return within
	}
	at := (t + d) % n
	if l.first[at] == 0 {
		l.first[at] = int32(i + 1)
	} else {
		l.ring[l.final[at]-1].next = int32(i + 1)
	}
	l.final[at] = int32(i + 1)
	return true
}

// land appends what becomes known with send t, in the order of sends: a window
// that ends is of the earliest send that can still be outstanding.
func (l *late) land(t int, to []envs.Credit) []envs.Credit {
	n := len(l.ring)
	if l.window >= 0 && t >= l.window {
		if s := &l.ring[(t-l.window)%n]; s.open {
			to = append(to, envs.Credit{Step: s.step, Index: s.arm})
		}
	}
	at := t % n
	for i := l.first[at]; i != 0; i = l.ring[i-1].next {
		s := &l.ring[i-1]
		to = append(to, envs.Credit{Step: s.step, Index: s.arm, Reward: s.reward})
	}
	l.first[at] = 0
	return to
}
