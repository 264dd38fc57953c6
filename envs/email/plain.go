package email

import "overnight/envs"

// plainly tells whether the world is the simplest: rates that stand still and are
// the same for all, outcomes at once, one conversion worth one. There Step takes a
// shorter way to the same bits.
func (e *Env) plainly() bool {
	return e.world == stationary && e.grid.cells == 1 && e.list.number == 0 && len(e.masks) == 0 &&
		!e.late.on && !e.pay.poisson && !e.pay.lognormal && e.p.Batch == 1 && !e.p.Anonymous && e.totals.exposure.floor == 0
}

// stepPlain is Step in the simplest world. Whether a send converts can't be
// foreseen by a processor, so what follows from it is computed without a branch.
func (e *Env) stepPlain(a *envs.Action, out *envs.Step) {
	t, l := &e.totals, &e.last
	arm, best, now, value := a.Index, e.best, e.now, e.value
	u := e.u.Float64()
	converted := u < now[arm]
	won := oneIf(converted)
	is, most := float64(now[arm]*value[arm]), float64(now[best]*value[best])
	gap := most - is
	l.t, l.arm, l.best, l.u, l.gap = e.t, arm, best, u, gap
	l.caused, l.credited, l.converted = won, won, converted

	t.expected += is
	t.most += most
	t.gaps += gap
	t.caused += won
	t.conversions += int(won)
	t.bestOf += oneIf(u < now[best])
	if e.t >= t.lastTenth {
		t.lateSends[arm]++
	}
	e.countRecent(gap == 0)

	e.t++
	out.Reward = won
	out.Credits = append(out.Credits[:0], envs.Credit{Step: int32(l.t), Index: int32(arm), Reward: won})
	out.Obs, out.Allowed = out.Obs[:0], nil
	out.T, out.Done, out.Truncated = e.t, e.t == e.p.Horizon, false
}
