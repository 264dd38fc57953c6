package email

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/envs"
	"overnight/envs/envtest"
	"overnight/internal/param"
	"overnight/internal/rng"
)

var everyContext = []string{"segment", "device", "hour"}

// night is shares of hours: none from six to midnight.
var night = append([]float64{3, 2, 1, 1, 1, 2}, make([]float64, 18)...)

// variety is parameters that between them use every part of the environment.
var variety = []object{
	{"horizon": 700},
	{"horizon": 700, "rates": []float64{.9, .8}},
	{"horizon": 700, "rates_from": "study", "batch": 13, "world": "abrupt"},
	{"horizon": 700, "world": "abrupt", "abrupt": object{"at": []int{5, 300}, "change": "rotate"}, "contexts": []string{"segment"}},
	{"horizon": 700, "world": "random_walk", "random_walk": object{"sd": .1}, "delay": "geometric"},
	{"horizon": 700, "world": "seasonal", "contexts": everyContext, "link": "linear", "delay": "fixed", "delay_mean": []float64{1, 2, 3, 4, 500}, "window": 20},
	{"horizon": 700, "world": "fatigue", "anonymous": true, "delay": "geometric", "batch": 3},
	{"horizon": 700, "contexts": everyContext, "revenue": "lognormal", "veto": []string{"lapsed/Free Gift Waiting", "Last Chance to Save"}},
	{"horizon": 700, "contexts": []string{"device"}, "revenue": "poisson", "subjects": []string{"a", "b", "c"}, "effect": 1.0, "segments": object{"draw": "independent"}},
	{"horizon": 700, "contexts": []string{"segment"}, "segments": object{"draw": "independent", "shares": []float64{1, 2, 3}}, "world": "random_walk", "veto": []string{"Limited Time Offer!"}},
	{"horizon": 700, "recipients": object{"number": 30, "cap": 2, "within": 100}, "contexts": everyContext, "veto": []string{"Last Chance to Save"}, "delay": "fixed", "delay_mean": 9.0, "window": 8},
	{"horizon": 700, "recipients": object{"number": 1, "recovery": 1.0}, "world": "fatigue", "revenue": "poisson", "batch": 10},
	{"horizon": 700, "rates": []float64{.1, .2, .3, .4, .5, .6, .7}, "world": "seasonal", "window": 4, "delay": "geometric", "delay_mean": 3.0},
	{"horizon": 700, "contexts": everyContext, "exposure": object{"floor": .1, "within": 100}, "devices": object{"shares": []float64{0, 1, 3}}, "hours": object{"shares": night}},
	{"horizon": 700, "exposure": object{"floor": .2, "within": 50}, "recipients": object{"number": 30, "cap": 2, "within": 100}},
}

var suite = envtest.Suite{Factory: Factory{}, Variety: variety}

// TestContract: what every environment promises.
func TestContract(t *testing.T) { envtest.Run(t, suite) }

// TestGolden pins all bits of the environment.
func TestGolden(t *testing.T) {
	t.Parallel()
	envtest.Golden(t, suite, "8e5fd2a613adfb1b692ae9daaf852a959ed6f8e69504bb5606a90aaef7699b20")
}

// TestTrace: the columns are what they say.
func TestTrace(t *testing.T) {
	t.Parallel()
	e := build(t, object{"horizon": 200, "contexts": []string{"segment"}, "revenue": "poisson", "rates": []float64{.2, .6}})
	want := []string{"send", "segment", "u", "converted", "caused", "delay", "best", "gap", "rate.Limited Time Offer!", "rate.You Won't Believe This..."}
	if diff := cmp.Diff(want, e.Spec().Trace); diff != "" {
		t.Fatal(diff)
	}
	row := make([]float64, len(want))
	play(e, key(1), constant(0), func(s step) {
		e.Trace(row)
		rates := row[8:]
		converted := oneIf(row[2] < rates[0])
		best := oneIf(rates[1] > rates[0])
		wanted := []float64{float64(s.before.T), s.before.Obs[0], row[2], converted, s.after.Reward, converted - 1, best, 50*max(rates[0], rates[1]) - 50*rates[0]}
		if diff := cmp.Diff(wanted, row[:8]); diff != "" {
			t.Fatalf("send %d (-want +got):\n%s", s.before.T, diff)
		}
	})
}

// TestRefusals: what does not fit is refused with what to write instead.
func TestRefusals(t *testing.T) {
	t.Parallel()
	segment := []string{"segment"}
	for _, c := range []struct {
		p    object
		want string
	}{
		{object{"subjects": []string{"a", "b"}, "rates": []float64{.1}}, "rates has 1 number for 2 subject lines; write 2 rates, or as many subjects as rates"},
		{object{"subjects": []string{"a", "b", "a"}}, `subjects[2] is "a", as is subjects[0]; name each subject line once`},
		{object{"subjects": []string{"a", "no mail"}, "recipients": object{"number": 3}}, `subjects[1] is "no mail", as is the arm that recipients add; give the subject line another name`},
		{object{"recipients": object{"number": 100000, "cap": 500}}, "recipients.cap is 500 for 100000 recipients, more mails than are remembered; write a cap of at most 100, or fewer recipients"},
		{object{"subjects": []string{"a", ""}}, "subjects[1] is empty; give each subject line a name"},
		{object{"rates": []float64{.1, 1.2}}, "rates[1] is 1.2, above its maximum 1"},
		{object{"rate_range": []float64{.6, .1}}, "rate_range is [0.6, 0.1], which falls; write the lower rate first, such as [0.1, 0.6]"},
		{object{"delay": "geometric", "delay_mean": []float64{1, 2}}, "delay_mean has 2 numbers for 5 subject lines; write one number for all, or a list of 5"},
		{object{"delay": "fixed", "delay_mean": 1.5}, "delay_mean is 1.5 under delay: fixed; write a whole number of sends, or delay: geometric"},
		{object{"revenue_mean": []float64{1, 2}}, "revenue_mean has 2 numbers for 5 subject lines; write one number for all, or a list of 5"},
		{object{"world": "abrupt", "horizon": 100, "abrupt": object{"at": []int{100}}}, "abrupt.at[0] is 100, and the run ends after 100 sends; write a number from 1 to 99, or a longer horizon"},
		{object{"world": "abrupt", "abrupt": object{"at": []int{9, 9}}}, "abrupt.at[1] is 9, after 9; write change points in rising order"},
		{object{"seasonal": object{"phase": []float64{.5}}}, "seasonal.phase has 1 number for 5 subject lines; write 5 phases, or null to spread them evenly"},
		{object{"world": "weekly"}, `world is "weekly"`},
		{object{"contexts": []string{"segment", "segment"}}, `contexts[1] is "segment", as is contexts[0]; name each context once`},
		{object{"segments": object{"shares": []float64{1}}}, "segments.shares has 1 number for 3 segments; write 3 shares, or null for equal ones"},
		{object{"segments": object{"rates": [][]float64{{.1}}}}, "segments.rates has 1 row for 3 segments; write one row of rates for each segment"},
		{object{"segments": object{"names": []string{"a", "b"}, "rates": [][]float64{{.1}, {.2}}}}, "segments.rates[0] has 1 number for 5 subject lines; write 5 rates in each row"},
		{object{"contexts": segment, "rates": []float64{.1, .2}, "segments": object{"draw": "independent"}}, "segments.draw is independent, but rates are given for all segments; write segments.rates, a row for each segment, or leave rates out"},
		{object{"veto": []string{"Free Gift"}}, `veto[0] is "Free Gift", which is not a subject line; write one of Limited Time Offer!, You Won't Believe This..., Exclusive Deal Inside, Last Chance to Save, Free Gift Waiting`},
		{object{"veto": []string{"new/Free Gift Waiting"}}, `veto[0] is for segment "new", but there are no segments; write contexts: [segment], or the subject line alone`},
		{object{"contexts": segment, "veto": []string{"old/Free Gift Waiting"}}, `veto[0] is for "old", which is not a segment; write one of new, active, lapsed`},
		{object{"subjects": []string{"a"}, "veto": []string{"a"}}, "veto leaves nothing to send; leave at least one subject line to each segment"},
	} {
		env, err := try(c.p, nil)
		var e *param.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.want) || env != nil {
			t.Errorf("%v: got %v\nwant %s", c.p, err, c.want)
		}
	}
}

// BenchmarkStep is what one send costs; the policy is a constant.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name string
		p    object
	}{
		{"stationary", object{}},
		{"exposure", object{"exposure": object{"floor": .1}}},
		{"batch", object{"batch": 100}},
		{"delay", object{"delay": "geometric"}},
		{"window", object{"delay": "geometric", "window": 100}},
		{"abrupt", object{"world": "abrupt"}},
		{"random_walk", object{"world": "random_walk"}},
		{"seasonal", object{"world": "seasonal"}},
		{"fatigue", object{"world": "fatigue"}},
		{"contexts", object{"contexts": everyContext}},
		{"contexts exposure", object{"contexts": everyContext, "exposure": object{"floor": .1}}},
		{"recipients", object{"recipients": object{"number": 1000, "cap": 3}}},
		{"lognormal", object{"revenue": "lognormal"}},
		{"poisson", object{"revenue": "poisson"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := build(b, c.p)
			k := rng.Root(1, "benchmark")
			var out envs.Step
			e.Reset(k, &out)
			var a envs.Action
			b.ReportAllocs()
			for b.Loop() {
				a.Index = 1
				if out.Allowed != nil && !out.Allowed[1] {
					a.Index = len(out.Allowed) - 1
				}
				e.Step(&a, &out)
				if out.Done {
					e.Reset(k, &out)
				}
			}
		})
	}
}
