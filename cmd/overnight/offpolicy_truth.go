package main

import (
	"slices"
	"strings"

	"overnight/envs"
	"overnight/envs/email"
	"overnight/internal/param"
	"overnight/jobs"
)

// expected knows what each action would bring on average, from the rates of
// email's trace and its parameters.
type expected struct {
	rates  int       // the first of the trace
	caused int       // in the trace: what the send brings, credited or not
	value  []float64 // of a conversion, by subject line
	into   []float64 // by action; no mail brings nothing
	moving bool      // what is sent changes what the next send is worth
	drifts bool      // rates change with time
}

// expectedOf returns nil of environments that don't tell.
func expectedOf(study *jobs.Study, point *jobs.Point, spec *envs.Spec) *expected {
	x := &expected{
		rates:  slices.IndexFunc(spec.Trace, func(name string) bool { return strings.HasPrefix(name, "rate.") }),
		caused: slices.Index(spec.Trace, "caused"),
	}
	if study.Tasks[point.Task].Env != (email.Factory{}).Name() || x.rates < 0 || x.caused < 0 {
		return nil
	}
	var p email.Params
	param.Decode(point.Env, &p)
	for i := range spec.Trace[x.rates:] {
		value := 1.0
		if p.Revenue != "none" {
			value = p.RevenueMean.At(i)
		}
		x.value = append(x.value, value)
	}
	x.into = make([]float64, spec.Action.N)
	x.drifts = p.World != "stationary"
	x.moving = p.World == "fatigue" || p.Recipients.Number > 0
	return x
}

// means returns the expected outcome of each action at a step; valid until the
// next call.
func (x *expected) means(trace []float64) []float64 {
	for i, v := range x.value {
		x.into[i] = trace[x.rates+i] * v
	}
	return x.into
}

// maxStrata bounds the strata of a log: each needs decisions to learn from.
const maxStrata = 64

// strata numbers the combinations of the observation's whole numbers, such as
// segment and device, as many of the first as stay within maxStrata.
type strata struct{ offsets, levels []int }

// of returns how many there are.
func (s *strata) of(spec *envs.Spec) int {
	total, offset := 1, 0
	for _, f := range spec.Observation {
		if f.Len == 1 && f.Levels > 1 && total*f.Levels <= maxStrata {
			total *= f.Levels
			s.offsets, s.levels = append(s.offsets, offset), append(s.levels, f.Levels)
		}
		offset += f.Len
	}
	return total
}

// at returns an observation's stratum.
func (s *strata) at(obs []float64) int {
	n := 0
	for i, at := range s.offsets {
		n = n*s.levels[i] + min(max(int(obs[at]), 0), s.levels[i]-1)
	}
	return n
}
