package email

import (
	"slices"

	"overnight/envs"
	"overnight/internal/rng"
)

// prepare computes what the parameters determine.
func (e *Env) prepare() {
	p := &e.p
	e.arms = p.count()
	e.actions = e.arms
	if p.Recipients.Number > 0 {
		e.actions++
	}
	e.linear = p.Link == "linear"
	e.world = [...]world{stationary, abrupt, randomWalk, seasonal, fatigue}[slices.Index(worlds[:], p.World)]
	if p.RatesFrom == "study" {
		e.ratesKey = rng.Root(uint64(p.RatesSeed), "email/rates")
	}
	e.grid.prepare(p)
	e.value = resize(e.value, e.arms)
	for i := range e.value {
		e.value[i] = 1
		if p.Revenue != "none" {
			e.value[i] = p.RevenueMean.At(i)
		}
	}
	e.pay.prepare(p, e.value)
	e.prepareMasks()
	e.rates.prepare(e.arms, &e.grid, e.world)
	e.late.prepare(p, e.arms)
	e.list.prepare(p, e.arms)
	for i := range e.spare {
		e.spare[i] = resize(e.spare[i], e.arms)
	}
	if n := min(p.Batch, p.Horizon); n > 1 || p.Delay != "none" {
		// All that can become known in a batch.
		if n += len(e.late.ring); cap(e.pending) < n {
			e.pending = make([]envs.Credit, 0, n)
		}
	}
	e.totals.prepare(e)
	e.describe()
}

var worlds = [...]string{"stationary", "abrupt", "random_walk", "seasonal", "fatigue"}

func (e *Env) prepareMasks() {
	n := 0
	if len(e.p.Veto) > 0 {
		n = e.grid.segments
	}
	e.masks = resize(e.masks, n)
	for s := range e.masks {
		e.masks[s] = resize(e.masks[s], e.actions)
		for i := range e.masks[s] {
			e.masks[s][i] = !e.p.vetoes(s, i)
		}
	}
}

// resize returns s with n elements, in its own memory where that is enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return append(s[:cap(s)], make([]T, n-cap(s))...)
	}
	return s[:n]
}

// description is what a Spec is made of beside the arms' names.
type description struct {
	arms, horizon, segments, devices, hours int
	recipients                              int
	ratio, money, watched                   bool
	optimum                                 envs.Optimum
}

// describe declares observation, action, metrics and trace. It keeps the Spec
// where nothing that it says has changed.
func (e *Env) describe() {
	d := description{
		arms: e.arms, horizon: e.p.Horizon, segments: e.grid.segments, devices: e.grid.devices, hours: e.grid.hours,
		recipients: e.list.number, ratio: e.world != fatigue && e.list.number == 0, money: e.p.Revenue != "none", watched: e.p.Exposure.Floor > 0, optimum: e.optimum(),
	}
	same := d == e.desc && e.unnamed == (e.p.Subjects == nil) && (e.unnamed || slices.Equal(e.names, e.p.Subjects))
	if same {
		return
	}
	e.desc = d
	e.unnamed = e.p.Subjects == nil
	e.names = make([]string, e.arms)
	for i := range e.names {
		e.names[i] = e.p.subject(i)
	}
	e.spec = e.newSpec(d)
}

// optimum says what Best is worth. It maximises what the next send causes, which
// is all there is to maximise but under fatigue; where arms have delays of their
// own, or miss a window, what is credited is another matter.
func (e *Env) optimum() envs.Optimum {
	p := &e.p
	uneven := false
	if p.Delay != "none" {
		for i := range e.arms {
			uneven = uneven || p.DelayMean.At(i) != p.DelayMean.At(0)
		}
	}
	effects := (e.grid.devices > 1 || e.grid.hours > 1) && p.Effect > 0
	given := p.Rates != nil || e.grid.segments > 1 && p.Segments.Rates != nil
	switch {
	case e.world == fatigue || e.list.number > 0 || uneven:
		return envs.Reference
	case e.world == abrupt || e.world == randomWalk:
		return envs.UpperBound
	case p.RatesFrom == "replication" && (!given || effects):
		return envs.UpperBound
	}
	return envs.Exact
}

func (e *Env) newSpec(d description) envs.Spec {
	s := envs.Spec{
		Action:      envs.Actions{Kind: envs.Discrete, N: d.arms, Names: slices.Clone(e.names)},
		Horizon:     d.horizon,
		Online:      true,
		Credited:    true,
		NonNegative: true,
		Optimum:     d.optimum,
		Metrics:     metrics(d),
		Trace:       []string{"send"},
	}
	if d.recipients > 0 {
		s.Action.N++
		s.Action.Names = append(s.Action.Names, noMail)
	}
	features := 1
	for _, c := range [...]struct {
		name               string
		levels, of, number int
	}{{"segment", d.segments, d.segments, d.segments - 1}, {"device", d.devices, d.devices, d.devices - 1}, {"hour", d.hours, d.hours, 2}} {
		if c.levels == 1 {
			continue
		}
		s.Observation = append(s.Observation, envs.Field{Name: c.name, Len: 1, Levels: c.of, High: float64(c.of - 1)})
		s.Trace = append(s.Trace, c.name)
		features += c.number
	}
	if len(s.Observation) > 0 {
		s.Observation = append(s.Observation, envs.Field{Name: "context", Len: features, Low: -1, High: 1})
	}
	if d.recipients > 0 {
		s.Observation = append(s.Observation, envs.Field{Name: "recipient", Len: 1, Levels: d.recipients, High: float64(d.recipients - 1)},
			envs.Field{Name: "mails", Len: 1, High: float64(d.horizon)})
		s.Trace = append(s.Trace, "recipient")
	}
	s.Trace = append(s.Trace, "u", "converted", "caused", "delay", "best", "gap")
	for _, name := range e.names {
		s.Trace = append(s.Trace, "rate."+name)
	}
	return s
}
