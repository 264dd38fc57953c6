package marketing

import (
	"math"
	"slices"

	"overnight/envs"
)

// unspentName names the action entry of the share that stays unspent.
const unspentName = "unspent"

// description is what a Spec is made of beside names; equal descriptions with
// equal names give equal Specs.
type description struct {
	entries, days, pending, hold int
	effectiveness, capped        bool
	reward                       reward
	low                          float64
	optimum                      envs.Optimum
}

// describe lays out observation, action, metrics and trace. It keeps the Spec
// where nothing that it says has changed.
func (e *Env) describe() {
	p := &e.p
	e.meanSpend = p.Observe.Spend == "mean"
	e.blurred = len(e.errors) > 0 || len(e.past) > 0
	e.pendingFrom, e.pendingLen = 0, len(p.Delay)-1
	if !p.Observe.Tomorrow {
		e.pendingFrom = 1
	}
	lists := 1
	switch p.Observe.Pending {
	case "none":
		e.pendingLen = 0
	case "channels":
		lists = e.k
	}
	low := math.Inf(1)
	for i := range e.ch {
		low = min(low, e.ch[i].base)
	}
	low = min(low, p.EffFloor) * e.perBase
	if len(e.errors) > 0 {
		low = 0
	}
	d := description{
		entries: e.entries, days: p.Horizon, pending: lists * e.pendingLen, hold: p.Hold,
		effectiveness: p.Observe.Effectiveness, capped: e.bounded, reward: e.reward,
		low: low, optimum: e.optimum(),
	}
	if d == e.desc && slices.Equal(e.names, p.Channels) {
		return
	}
	e.desc = d
	e.names = slices.Clone(p.Channels) // the Spec must outlive the next Decode
	e.spec = e.newSpec(d)
	e.size = e.spec.Size()
}

func (e *Env) newSpec(d description) envs.Spec {
	inf := math.Inf(1)
	s := envs.Spec{
		Action:      envs.Actions{Kind: envs.Simplex, N: d.entries, Names: slices.Clone(e.names)},
		Horizon:     d.days,
		Optimum:     d.optimum,
		NonNegative: d.reward == revenue || d.reward == ltv,
	}
	if d.entries > e.k {
		s.Action.Names = append(s.Action.Names, unspentName)
	}

	field := func(name string, n int, low, high float64) {
		if n > 0 {
			s.Observation = append(s.Observation, envs.Field{Name: name, Len: n, Low: low, High: high})
		}
	}
	field("day", 1, 0, 1)
	if d.effectiveness {
		field("effectiveness", e.k, d.low, inf)
	}
	field("spend", e.k, 0, 1)
	field("pending", d.pending, 0, inf)
	if d.hold > 1 {
		field("hold", 1, 0, 1)
	}
	if d.reward == ltv {
		field("customers", 1, 0, inf)
	}

	s.Metrics = append(s.Metrics,
		envs.Metric{Name: "revenue", Unit: "money", Doc: "revenue that landed"},
		envs.Metric{Name: "spend", Unit: "money", Doc: "what was spent"},
		envs.Metric{Name: "profit", Unit: "money", Doc: "margin x revenue - spend"},
		envs.Metric{Name: "roi", Doc: "profit / spend; 0 where nothing was spent"},
		envs.Metric{Name: "switching", Doc: "share of the budget moved between channels from one day to the next, mean over days"})
	if d.capped {
		s.Metrics = append(s.Metrics, envs.Metric{Name: "capped", Doc: "share of days on which a cap or a floor changed the action"})
	}
	if d.reward == ltv {
		s.Metrics = append(s.Metrics,
			envs.Metric{Name: "customers", Doc: "customers won"},
			envs.Metric{Name: "ltv", Unit: "money", Doc: "lifetime value of the customers won, discounted to day 0"})
	}

	s.Trace = append(s.Trace, "day")
	for _, what := range []string{"share", "spend", "generated", "effectiveness", "observed"} {
		for _, name := range e.names {
			s.Trace = append(s.Trace, what+"."+name)
		}
	}
	s.Trace = append(s.Trace, "landed")
	return s
}

// Metrics writes the metrics of the episode so far, in the order of
// Spec.Metrics.
func (e *Env) Metrics(into []float64) {
	t := &e.total
	gained := float64(e.p.Margin*t.revenue) - t.spend
	into[0], into[1], into[2], into[3], into[4] = t.revenue, t.spend, gained, 0, 0
	if t.spend > 0 {
		into[3] = gained / t.spend
	}
	if e.day > 1 {
		into[4] = t.switched / float64(e.day-1)
	}
	into = into[5:]
	if e.bounded {
		into[0] = 0
		if e.day > 0 {
			into[0] = float64(t.capped) / float64(e.day)
		}
		into = into[1:]
	}
	if e.reward == ltv {
		into[0], into[1] = t.customers, t.ltv
	}
}

var _ envs.Tracer = (*Env)(nil)

// Trace writes the day just ended: the day's number, then channel by channel
// the share of the budget, spend, revenue generated, and effectiveness as it was
// and as it was shown when the action was taken, then revenue landed and reward.
func (e *Env) Trace(into []float64) {
	k := len(e.ch)
	into[0] = float64(e.last.day)
	rows := into[1:][:5*k]
	for i := range e.ch {
		c := &e.ch[i]
		rows[i], rows[k+i], rows[2*k+i], rows[3*k+i], rows[4*k+i] = c.share, c.spend, c.generated, c.effThen, c.seenThen
		if len(e.raw) > 0 {
			rows[i] = e.raw[i]
		}
		if e.p.Trace.Late {
			rows[3*k+i], rows[4*k+i] = c.eff, c.seen
		}
	}
	into[1+5*k] = e.last.landed
}
