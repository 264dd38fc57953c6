package email

import (
	"fmt"

	"overnight/envs"
	"overnight/internal/rng"
)

var (
	_ envs.Env        = (*Env)(nil)
	_ envs.Oracle     = (*Env)(nil)
	_ envs.Attributor = (*Env)(nil)
	_ envs.Tracer     = (*Env)(nil)
)

// lastSend is what is known of the send just made.
type lastSend struct {
	t, arm, best, cell int
	recipient          int
	u, gap, caused     float64
	credited           float64 // of caused, what the window lets through
	converted          bool
}

// Spec returns what the parameters make of the environment.
func (e *Env) Spec() *envs.Spec { return &e.spec }

// Reset begins the run of a key.
func (e *Env) Reset(episode rng.Key, out *envs.Step) {
	e.key, e.t = episode, 0
	e.u.Seed(episode)
	e.late.reset(episode)
	e.pay.reset(episode)
	e.context.reset(episode, &e.grid)
	e.list.reset(episode, &e.grid)
	e.pending, e.left = e.pending[:0], e.p.Batch
	e.last = lastSend{}
	e.totals.reset()
	e.draw()
	e.meet()
	e.show(out)
	out.Reward, out.Credits = 0, out.Credits[:0]
	if e.plain = e.plainly(); e.plain {
		e.before = e.now
	}
}

// meet draws the next recipient and finds the rates and the best arm.
func (e *Env) meet() {
	e.before = e.now
	e.context.next(&e.grid, &e.list)
	cell := e.context.cell
	if e.world == stationary && e.list.number == 0 {
		e.now, e.best = e.rates.table[cell*e.arms:][:e.arms], e.rates.top[cell]
		return
	}
	e.now = e.spare[e.t&1]
	e.ratesOf(cell, e.now)
	if e.list.number > 0 {
		tired := 1 + e.list.weariness(e.t)
		for i := range e.now {
			e.now[i] /= tired
		}
		if e.list.capped(e.t) {
			e.best = e.arms
			return
		}
	} else if e.world == abrupt {
		e.best = e.rates.top[cell]
		return
	}
	e.best = e.argmax(e.now, cell/e.grid.perSegment)
}

// show writes what is seen of the next recipient.
func (e *Env) show(out *envs.Step) {
	out.Obs = out.Obs[:0]
	if n := e.grid.size; n > 0 {
		out.Obs = append(out.Obs, e.grid.obs[e.context.cell*n:][:n]...)
	}
	if l := &e.list; l.number > 0 {
		out.Obs = append(out.Obs, float64(l.now), float64(l.mails[l.now]))
	}
	out.Allowed = e.mask()
	out.T, out.Done, out.Truncated = e.t, e.t == e.p.Horizon, false
}

// mask returns which arms may be sent to the recipient shown; nil: all.
func (e *Env) mask() []bool {
	switch {
	case e.best == e.arms: // only when the frequency cap leaves nothing else
		return e.list.only
	case len(e.masks) > 0:
		return e.masks[e.context.cell/e.grid.perSegment]
	}
	return nil
}

// worth returns what an arm brings in on average now.
func (e *Env) worth(p []float64, arm int) float64 {
	if arm == e.arms {
		return 0
	}
	return float64(p[arm] * e.value[arm])
}

// Step sends an arm to the recipient shown. It panics where the arm does not
// exist or is vetoed: a mask that an agent did not heed.
func (e *Env) Step(a *envs.Action, out *envs.Step) {
	if e.plain {
		e.stepPlain(a, out)
		return
	}
	arm, cell := a.Index, e.context.cell
	if mask := e.mask(); mask != nil && !mask[arm] {
		panic(fmt.Sprintf("email: %q may not be sent to this recipient, and the agent sent it", e.names[arm]))
	}
	l := &e.last
	*l = lastSend{t: e.t, arm: arm, best: e.best, cell: cell, recipient: e.list.now, u: e.u.Float64()}
	e.pay.next()
	if arm < e.arms {
		l.converted = l.u < e.now[arm]
		if e.list.number > 0 {
			e.list.mail(e.t)
		}
	}
	if l.converted {
		l.caused = e.pay.amount(arm, e.value[arm])
	}
	e.count()

	out.Reward, out.Credits = 0, out.Credits[:0]
	if e.late.on {
		if e.late.add(e.t, arm, l.converted, l.caused, e.p.Horizon) {
			l.credited = l.caused
		}
		if arm == e.arms { // that nothing was sent is known at once
			e.pending = append(e.pending, envs.Credit{Step: int32(e.t), Index: int32(arm)})
		}
		e.pending = e.late.land(e.t, e.pending)
	} else {
		l.credited = l.caused
		e.pending = append(e.pending, envs.Credit{Step: int32(e.t), Index: int32(arm), Reward: l.caused})
	}
	e.t++
	if e.left--; e.left == 0 || e.t == e.p.Horizon {
		e.release(out)
		e.left = e.p.Batch
	}

	e.advance(e.t, arm)
	e.meet()
	e.show(out)
}

// release shows what became known since it was last called.
func (e *Env) release(out *envs.Step) {
	for i := range e.pending {
		out.Reward += e.pending[i].Reward
	}
	if e.p.Anonymous {
		out.Credits = append(out.Credits, envs.Credit{Step: -1, Index: -1, Reward: out.Reward})
	} else if len(e.pending) == 1 {
		out.Credits = append(out.Credits, e.pending[0])
	} else {
		out.Credits = append(out.Credits, e.pending...)
	}
	e.pending = e.pending[:0]
}

// Best chooses the allowed arm whose send now brings in most on average, and
// returns how much. Under fatigue
// and with recipients that is not what is best for the run.
func (e *Env) Best(a *envs.Action) float64 {
	a.Index, a.Prob = e.best, 1
	return e.worth(e.now, e.best)
}

// Generated returns what the send just made will be credited, within its window
// and if the run lasts.
func (e *Env) Generated() float64 { return e.last.credited }

// Trace writes the send just made: its number, the recipient's levels, u,
// whether it converted, what that pays, after how many sends it is known (-1: it
// did not convert), the best arm, the gap in expected reward, and all rates.
func (e *Env) Trace(into []float64) {
	l := &e.last
	n := 0
	put := func(v float64) {
		into[n] = v
		n++
	}
	put(float64(l.t))
	segment, device, hour := e.grid.levels(l.cell)
	if e.grid.segments > 1 {
		put(float64(segment))
	}
	if e.grid.devices > 1 {
		put(float64(device))
	}
	if e.grid.hours > 1 {
		put(float64(hour))
	}
	if e.list.number > 0 {
		put(float64(l.recipient))
	}
	put(l.u)
	put(oneIf(l.converted))
	put(l.caused)
	switch {
	case e.late.on:
		put(float64(e.late.delay))
	default:
		put(oneIf(l.converted) - 1)
	}
	put(float64(l.best))
	put(l.gap)
	copy(into[n:], e.before)
}
