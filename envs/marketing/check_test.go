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
		{object{"chanels": 3}, "chanels is not a parameter; did you mean channels?"},
		{object{"channels": []string{}}, "channels has 0 elements; write 1 to 64 texts in brackets"},
		{object{"channels": []string{"a", "", "c"}}, "channels[1] is empty; give the channel a name"},
		{object{"channels": []string{"a", "b", "a"}}, `channels[2] is "a", as is channels[0]; give each channel a name of its own`},
		{object{"channels": []string{"a", "unspent", "c"}, "unspent": true}, "channels[1] is named unspent, as is the share that `unspent: true` adds; give the channel another name"},
		{object{"channels": []string{"a", "b"}}, "base_effectiveness has 3 numbers for 2 channels; write one number for all, or a list of 2"},
		{object{"base_effectiveness": []float64{0.5, 0}}, "base_effectiveness[1] is 0, not above 0; write a number above 0"},
		{object{"saturation": []float64{300, 500}}, "saturation has 2 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"saturation": 0.0}, "saturation is 0, not above 0; write a number above 0, or a list"},
		{object{"volatility": []float64{1, 1, 1, 1}}, "volatility has 4 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"volatility": -0.1}, "volatility is -0.1, below its minimum 0; write a number from 0 up, or a list"},
		{object{"volatility_scale": -1.0}, "volatility_scale is -1, below its minimum 0; write a number from 0 up"},
		{object{"delay": []float64{0.5, 0.4}}, "delay sums to 0.9; write shares that sum to 1, such as [0.5, 0.3, 0.2]"},
		{object{"delay": []float64{1 + 1e-8}}, "delay sums to 1.00000001; write shares that sum to 1, such as [0.5, 0.3, 0.2]"},
		{object{"delay": []float64{1.5, -0.5}}, "delay[1] is -0.5, below its minimum 0; write a number from 0 up"},
		{object{"delay": []float64{}}, "delay has 0 elements; write 1 to 366 numbers in brackets"},
		{object{"return_noise": -1.0}, "return_noise is -1, below its minimum 0; write a number from 0 up"},
		{object{"budget": 0.0}, "budget is 0, not above 0; write a number above 0"},
		{object{"horizon": 0}, "horizon is 0, below its minimum 1; write a whole number from 1 to 10000"},
		{object{"horizon": 2.5}, "horizon is 2.5, not a whole number; write a whole number from 1 to 10000"},
		{object{"reversion": 1.1}, "reversion is 1.1, above its maximum 1; write a number from 0 to 1"},
		{object{"effectiveness_floor": -0.1}, "effectiveness_floor is -0.1, below its minimum 0; write a number from 0 up"},
		{object{"reward": "clicks"}, `reward is the text "clicks", not one of its values; write one of revenue, profit, roi, ltv`},
		{object{"margin": 0.0}, "margin is 0, not above 0; write a number above 0"},
		{object{"purchase": 0.0}, "purchase is 0, not above 0; write a number above 0"},
		{object{"retention": 2.0}, "retention is 2, above its maximum 1; write a number from 0 to 1"},
		{object{"discount": -0.1}, "discount is -0.1, below its minimum 0; write a number from 0 up"},
		{object{"reward": "ltv", "retention": 1.0, "discount": 0.0}, "retention is 1 with discount 0, so a customer is worth infinitely much; write a retention below 1, or a discount above 0"},
		{object{"settle": "yes"}, `settle is the text "yes", not true or false; write true or false`},
		{object{"response": "linear"}, `response is the text "linear", not one of its values; write one of exponential_decay, hill, logistic, saturating`},
		{object{"response_shape": 0.5}, "response_shape is 0.5, below its minimum 1; write a number from 1 to 20"},
		{object{"observe": object{"noise": -1.0}}, "observe.noise is -1, below its minimum 0; write a number from 0 up"},
		{object{"observe": object{"lag": -1}}, "observe.lag is -1, below its minimum 0; write a whole number from 0 to 10000"},
		{object{"observe": object{"spend": "all"}}, `observe.spend is the text "all", not one of its values; write one of last, mean`},
		{object{"observe": object{"pending": "some"}}, `observe.pending is the text "some", not one of its values; write one of none, total, channels`},
		{object{"lag": 2}, "lag is not a parameter; did you mean observe.lag?"},
		{object{"cap": 1.5}, "cap is 1.5, above its maximum 1; write a number above 0 and up to 1, or a list"},
		{object{"cap": []float64{0.5, 0.5}}, "cap has 2 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"cap": 0.3}, "cap sums to 0.9 over the channels, so the budget can't be spent; write shares that sum to at least 1, or let the rest stay unspent with unspent: true"},
		{object{"floor": 0.4}, "floor sums to 1.2 over the channels, more than the budget; write shares of the budget that sum to at most 1"},
		{object{"floor": []float64{0.1}, "cap": []float64{1, 0.05, 1}}, `floor is 0.1 for channel "social", above its cap 0.05; write a floor of at most the cap`},
		{object{"floor": []float64{0, 0}}, "floor has 2 numbers for 3 channels; write one number for all, or a list of 3"},
		{object{"hold": 0}, "hold is 0, below its minimum 1; write a whole number from 1 to 10000"},
		{object{"synergy": [][]float64{{0, 1}, {1, 0}}}, "synergy has 2 rows for 3 channels; write one row for each channel"},
		{object{"synergy": [][]float64{{0, 1, 0}, {1, 0}, {0, 0, 0}}}, "synergy[1] has 2 numbers for 3 channels; write 3 numbers in each row"},
		{object{"synergy": [][]float64{{0, 1, 0}, {1, 0.5, 0}, {0, 0, 0}}}, "synergy[1][1] is 0.5, a synergy of a channel with itself; write 0; a channel's own response is set by response and saturation"},
		{object{"synergy": [][]float64{{0, 1, 0}, {-0.75, 0, -0.5}, {0, 0, 0}}}, "synergy[1] has negative numbers that sum to -1.25, so revenue could be negative; write negative numbers that sum to at least -1 in each row"},
		{object{"clip": 1}, "clip is 1, not true or false; write true or false"},
		{object{"trace": true}, "trace is true, not a group of parameters; write trace: {late: ..., raw: ...}, or leave it out"},
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
		if !errors.As(err, &one) || one.Path == "" || one.Instead == "" {
			t.Errorf("%v: %v is not a *param.Error with a place and a way out", c.parameters, err)
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
