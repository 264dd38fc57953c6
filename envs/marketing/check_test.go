package marketing

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"overnight/internal/param"
)

// TestRefusals: what can't be is refused, with where, what and what instead.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parameters object
		want       string
	}{
		{object{"channels": []string{"a", "", "c"}}, "channels[1] is empty; give the channel a name"},
		{object{"channels": []string{"a", "b", "a"}}, `channels[2] is "a", as is channels[0]; give each channel a name of its own`},
		{object{"channels": []string{"a", "unspent", "c"}, "unspent": true}, "channels[1] is unspent, as is the share that `unspent: true` adds; give the channel another name"},
		{object{"channels": []string{"a", "b"}}, "base_effectiveness has 3 numbers for 2 channels; write one number for all, or a list of 2"},
		{object{"saturation": []float64{300, 500}}, "saturation has 2 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"volatility": []float64{1, 1, 1, 1}}, "volatility has 4 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"delay": []float64{0.5, 0.4}}, "delay sums to 0.9; write shares that sum to 1, such as [0.5, 0.3, 0.2]"},
		{object{"delay": []float64{1 + 1e-8}}, "delay sums to 1.00000001; write shares that sum to 1, such as [0.5, 0.3, 0.2]"},
		{object{"reward": "ltv", "retention": 1.0, "discount": 0.0}, "retention is 1 with discount 0, so a customer is worth infinitely much; write a retention below 1, or a discount above 0"},
		{object{"cap": []float64{0.5, 0.5}}, "cap has 2 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"cap": 0.3}, "cap sums to 0.9 over the channels, so the budget can't be spent; write shares that sum to at least 1, or let the rest stay unspent with unspent: true"},
		{object{"floor": 0.4}, "floor sums to 1.2 over the channels, more than the budget; write shares of the budget that sum to at most 1"},
		{object{"floor": []float64{0.1}, "cap": []float64{1, 0.05, 1}}, `floor is 0.1 for channel "social", above its cap 0.05; write a floor of at most the cap`},
		{object{"floor": []float64{0, 0}}, "floor has 2 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"synergy": [][]float64{{0, 1}, {1, 0}}}, "synergy has 2 rows for 3 channels; write one row for each channel"},
		{object{"synergy": [][]float64{{0, 1, 0}, {1, 0}, {0, 0, 0}}}, "synergy[1] has 2 numbers for 3 channels; write 3 numbers in each row"},
		{object{"synergy": [][]float64{{0, 1, 0}, {1, 0.5, 0}, {0, 0, 0}}}, "synergy[1][1] is 0.5, a synergy of a channel with itself; write 0; a channel's own response is set by response and saturation"},
		{object{"synergy": [][]float64{{0, 1, 0}, {-0.75, 0, -0.5}, {0, 0, 0}}}, "synergy[1] has negative numbers that sum to -1.25, so revenue could be negative; write negative numbers that sum to at least -1 in each row"},
	} {
		_, err := try(c.parameters, nil)
		if err == nil {
			t.Errorf("%v is accepted, want %q", c.parameters, c.want)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("%v: %q, want %q", c.parameters, err, c.want)
		}
		var one *param.Error
		if !errors.As(err, &one) {
			t.Errorf("%v: %v is not a *param.Error", c.parameters, err)
		}
	}
}

// TestSchemaRefusals: every parameter has a range or a type that its schema
// holds. The words are package param's.
func TestSchemaRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parameters object
		path       string
	}{
		{object{"chanels": 3}, "chanels"},
		{object{"lag": 2}, "lag"},
		{object{"channels": []string{}}, "channels"},
		{object{"base_effectiveness": []float64{0.5, 0}}, "base_effectiveness[1]"},
		{object{"saturation": 0.0}, "saturation"},
		{object{"volatility": -0.1}, "volatility"},
		{object{"volatility_scale": -1.0}, "volatility_scale"},
		{object{"delay": []float64{1.5, -0.5}}, "delay[1]"},
		{object{"delay": []float64{}}, "delay"},
		{object{"return_noise": -1.0}, "return_noise"},
		{object{"budget": 0.0}, "budget"},
		{object{"horizon": 0}, "horizon"},
		{object{"horizon": 2.5}, "horizon"},
		{object{"reversion": 1.1}, "reversion"},
		{object{"effectiveness_floor": -0.1}, "effectiveness_floor"},
		{object{"reward": "clicks"}, "reward"},
		{object{"margin": 0.0}, "margin"},
		{object{"purchase": 0.0}, "purchase"},
		{object{"retention": 2.0}, "retention"},
		{object{"discount": -0.1}, "discount"},
		{object{"settle": "yes"}, "settle"},
		{object{"response": "linear"}, "response"},
		{object{"response_shape": 0.5}, "response_shape"},
		{object{"observe": object{"effectiveness": 1}}, "observe.effectiveness"},
		{object{"observe": object{"noise": -1.0}}, "observe.noise"},
		{object{"observe": object{"lag": -1}}, "observe.lag"},
		{object{"observe": object{"spend": "all"}}, "observe.spend"},
		{object{"observe": object{"pending": "some"}}, "observe.pending"},
		{object{"observe": object{"tomorrow": "no"}}, "observe.tomorrow"},
		{object{"cap": 1.5}, "cap"},
		{object{"floor": -0.5}, "floor"},
		{object{"unspent": 0.5}, "unspent"},
		{object{"hold": 0}, "hold"},
		{object{"synergy": []float64{1, 2}}, "synergy[0]"},
		{object{"clip": 1}, "clip"},
		{object{"trace": true}, "trace"},
		{object{"trace": object{"late": 1}}, "trace.late"},
		{object{"trace": object{"raw": 1}}, "trace.raw"},
		{object{"faithful": "very"}, "faithful"},
	} {
		_, err := try(c.parameters, nil)
		var one *param.Error
		if !errors.As(err, &one) {
			t.Errorf("%v: error %v, want a *param.Error", c.parameters, err)
			continue
		}
		if one.Path != c.path || one.What == "" || one.Instead == "" {
			t.Errorf("%v: %q at %q, want what is wrong and what instead at %q", c.parameters, err, one.Path, c.path)
		}
	}
}

// TestAccepted: what lies just inside the limits is taken.
func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, p := range []object{
		{"delay": []float64{1 + 1e-10}}, {"delay": []float64{0.1, 0.2, 0.3, 0.4}}, {"cap": []float64{0.1, 0.2, 0.7}}, {"cap": 0.2, "unspent": true},
		{"floor": []float64{0.1, 0.2, 0.7}}, {"floor": 0.25, "cap": 0.5}, {"base_effectiveness": 0.5, "saturation": 100, "volatility": 0},
		{"channels": []string{"a"}, "base_effectiveness": 1, "saturation": 1, "volatility": 0}, {"channels": []string{"a", "unspent", "c"}},
		{"retention": 1.0, "discount": 0.0}, {"reward": "ltv", "retention": 1.0, "discount": 0.01},
		{"synergy": [][]float64{{0, -0.5, -0.5}, {3, 0, 0}, {0, 0, 0}}}, {"hold": 100}, {"horizon": 1, "observe": object{"lag": 5}},
	} {
		if _, err := try(p, nil); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// TestFaithful: the preset is ordinary parameters.
func TestFaithful(t *testing.T) {
	t.Parallel()
	e := build(t, object{"faithful": true})
	p := &e.p
	if p.Observe.Tomorrow || p.Observe.Spend != "mean" || !p.Clip || !p.Trace.Late || !p.Trace.Raw {
		t.Errorf("faithful presets %+v", p)
	}
	e = build(t, object{"faithful": true, "observe": object{"tomorrow": true}, "clip": false})
	if !p.Faithful || !e.p.Observe.Tomorrow || e.p.Observe.Spend != "mean" || e.p.Clip {
		t.Errorf("what is written does not win over the preset: %+v", e.p)
	}
	e = build(t, nil)
	p = &e.p
	if !p.Observe.Tomorrow || p.Observe.Spend != "last" || p.Clip || p.Trace.Late || p.Trace.Raw || p.Faithful {
		t.Errorf("the default is not the corrected form: %+v", p)
	}
}

// TestDocumented: every parameter says what it is.
func TestDocumented(t *testing.T) {
	t.Parallel()
	var walk func(s param.Schema, prefix string)
	walk = func(s param.Schema, prefix string) {
		for _, f := range s {
			if len(strings.Fields(f.Doc)) < 4 {
				t.Errorf("%s%s is documented as %q", prefix, f.Name, f.Doc)
			}
			walk(f.Fields, prefix+f.Name+".")
		}
	}
	walk(Factory{}.Schema(), "")
	if f := (Factory{}); f.Name() != "marketing" || !strings.Contains(fmt.Sprint(f.Doc()), ". ") {
		t.Errorf("the factory is %q: %q", f.Name(), f.Doc())
	}
}
