package param_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/param"
)

func TestComplete(t *testing.T) {
	t.Parallel()
	schema := param.Of(sample{scratch: nil})
	for name, c := range map[string]struct{ in, want *param.Map }{
		"nil":               {nil, defaults()},
		"empty":             {m(), defaults()},
		"order":             {m("size", int64(4), "budget", int64(5)), with("budget", 5.0, "size", int64(4))},
		"whole float":       {m("size", 4.0), with("size", int64(4))},
		"minus zero":        {m("budget", math.Copysign(0, -1)), with("budget", 0.0)},
		"ints in a list":    {m("delay", list(int64(1), 0.5)), with("delay", list(1.0, 0.5))},
		"null":              {m("k", nil, "x", nil), with("k", nil)},
		"matrix":            {m("synergy", list(list(int64(1)), list())), with("synergy", list(list(1.0), list()))},
		"numbers, number":   {m("base", int64(2)), with("base", 2.0)},
		"numbers, list":     {m("base", list(int64(2), 3.0)), with("base", list(2.0, 3.0))},
		"numbers, one":      {m("base", list(int64(2))), with("base", 2.0)},
		"group":             {m("observe", m("noise", 0.5)), with("observe", m("noise", 0.5, "lag", int64(1)))},
		"faithful":          {m("faithful", true), with("faithful", true, "delay", list(1.0), "flag", true, "observe", m("noise", 0.1, "lag", int64(1)))},
		"faithful, written": {m("faithful", true, "delay", list(0.5), "flag", nil, "observe", m("lag", int64(2))), with("faithful", true, "delay", list(0.5), "observe", m("noise", 0.1, "lag", int64(2)))},
	} {
		got, err := schema.Complete(c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if bits := math.Float64bits(got.Entries[0].Value.(float64)); bits == 1<<63 {
			t.Errorf("%s: budget is -0", name)
		}
		again, err := schema.Complete(got)
		if err != nil || !cmp.Equal(got, again) {
			t.Errorf("%s: completing again gives %v, %v", name, again, err)
		}
	}
}

func TestCompleteRefuses(t *testing.T) {
	t.Parallel()
	schema := param.Of(&sample{})
	all := "the parameters are budget, size, on, reward, note, delay, hidden, names, synergy, base, x, k, flag, observe, faithful"
	for _, c := range []struct {
		in   *param.Map
		want string
	}{
		{m("budget", int64(-3)), "budget is -3, below its minimum 0; write a number from 0 up"},
		{m("budget", math.NaN()), "budget is NaN, not a finite number; write a number from 0 up"},
		{m("budget", math.Inf(1)), "budget is +Inf, not a finite number; write a number from 0 up"},
		{m("budget", nil), "budget is null; write a number from 0 up, or leave it out"},
		{m("budget", "much"), `budget is the text "much", not a number; write a number from 0 up`},
		{m("budget", list(1.0)), "budget is a list, not a number; write a number from 0 up"},
		{m("budget", 3), "budget is a Go value of type int, not a number; write a number from 0 up"},
		{m("size", 1.5), "size is 1.5, not a whole number; write 1 or 2"},
		{m("size", -1.5), "size is -1.5, not a whole number; write -2 or -1"},
		{m("size", 1e300), "size is 1e+300, more than a whole number can hold exactly; write digits alone, without point or exponent"},
		{m("size", math.Inf(-1)), "size is -Inf, not a finite number; write a whole number above 0 and up to 10"},
		{m("size", int64(0)), "size is 0, not above 0; write a whole number above 0 and up to 10"},
		{m("size", int64(11)), "size is 11, above its maximum 10; write a whole number above 0 and up to 10"},
		{m("size", true), "size is true, not an integer; write a whole number above 0 and up to 10"},
		{m("on", "yes"), `on is the text "yes", not true or false; write true or false`},
		{m("reward", "profits"), `reward is "profits", which is not known; did you mean profit? It is one of revenue, profit, roi`},
		{m("reward", "x"), `reward is "x", which is not known; write one of revenue, profit, roi`},
		{m("reward", int64(1)), "reward is 1, not text; write one of revenue, profit, roi"},
		{m("delay", list(1.0, 0.5, int64(2))), "delay[2] is 2, not below 2; write a number from 0 to below 2"},
		{m("delay", list(1.0, "a")), `delay[1] is the text "a", not a number; write a number from 0 to below 2`},
		{m("delay", list()), "delay has 0 elements; write 1 to 4 numbers"},
		{m("delay", list(1.0, 1.0, 1.0, 1.0, 1.0)), "delay has 5 elements; write 1 to 4 numbers"},
		{m("delay", 1.0), "delay is 1, not a list of numbers; write 1 to 4 numbers in brackets"},
		{m("hidden", list(1.5)), "hidden[0] is 1.5, not a whole number; write 1 or 2"},
		{m("hidden", list(nil)), "hidden[0] is null, not an integer; write a whole number from 1 up"},
		{m("names", list(int64(1))), "names[0] is 1, not text; write a text"},
		{m("synergy", list(1.0)), "synergy[0] is 1, not a list of numbers; write a row of numbers, such as [1, 2]"},
		{m("synergy", list(list(1.0, true))), "synergy[0][1] is true, not a number; write a number"},
		{m("base", list()), "base has 0 elements; write at least 2 numbers"},
		{m("base", "a"), `base is the text "a", not a number or list; write a number from 0 up, or a list`},
		{m("base", list(int64(-1))), "base[0] is -1, below its minimum 0; write a number from 0 up"},
		{m("base", list(false)), "base[0] is false, not a number; write a number from 0 up"},
		{m("x", int64(2)), "x is 2, above its maximum 1; write a number from -1 to 1"},
		{m("observe", nil), "observe is null, not a group of parameters; write observe: {noise: ..., lag: ...}, or leave it out"},
		{m("observe", m("noise", -1.0)), "observe.noise is -1, below its minimum 0; write a number from 0 up"},
		{m("observe", m("niose", 1.0)), "observe.niose is not a parameter; did you mean observe.noise?"},
		{m("bugdet", 1.0), "bugdet is not a parameter; did you mean budget?"},
		{m("lag", int64(1)), "lag is not a parameter; did you mean observe.lag?"},
		{m("zzzzzz", int64(1)), "zzzzzz is not a parameter; " + all},
		{m("", int64(1)), `"" is not a parameter; ` + all},
		{m("k", int64(1), "k", int64(2)), "k is written twice; leave one of the two out"},
		{m("faithful", int64(1)), "faithful is 1, not true or false; write true or false"},
		{
			m("budget", "a", "wat", nil, "size", int64(99)),
			"budget is the text \"a\", not a number; write a number from 0 up\n" +
				"size is 99, above its maximum 10; write a whole number above 0 and up to 10\n" +
				"wat is not a parameter; " + all,
		},
	} {
		got, err := schema.Complete(c.in)
		if err == nil {
			t.Errorf("%v is accepted, want %q", param.FormatValue(c.in), c.want)
			continue
		}
		if err.Error() != c.want || got != nil {
			t.Errorf("got  %s\nwant %s", err, c.want)
		}
		var all param.Errors
		var one *param.Error
		if !errors.As(err, &all) || !errors.As(err, &one) || all[0] != one {
			t.Errorf("%T holds no *Error", err)
		}
	}
}

// FuzzComplete feeds trees made from bytes: Complete either refuses them or
// returns what Decode takes, and never panics.
func FuzzComplete(f *testing.F) {
	f.Add([]byte("\x06\x01\x02\x03"))
	f.Add([]byte{7, 9, 3, 0, 1, 5, 2, 2, 2, 6, 13, 7, 7, 7})
	f.Add(bytes.Repeat([]byte{7, 3, 6, 2}, 20))
	schema := param.Of(sample{})
	names := []string{"", "nosie", "noise", "lag", "observe.noise", "é"}
	for _, field := range schema {
		names = append(names, field.Name)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		next := func() byte {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return b
		}
		var value func(depth int) param.Value
		mapping := func(depth int) *param.Map {
			out := &param.Map{}
			for range next() % 6 {
				out.Entries = append(out.Entries, param.Entry{Key: names[int(next())%len(names)], Value: value(depth + 1)})
			}
			return out
		}
		value = func(depth int) param.Value {
			switch k := next(); {
			case depth > 4 || k%10 == 0:
				return nil
			case k%10 == 1:
				return k > 127
			case k%10 == 2:
				return int64(int8(next()))
			case k%10 == 3:
				return float64(int8(next())) / 8
			case k%10 == 4:
				return math.Float64frombits(uint64(next())<<56 | uint64(next())<<48)
			case k%10 == 5:
				return names[int(next())%len(names)]
			case k%10 == 6:
				l := list()
				for range next() % 5 {
					l = append(l, value(depth+1))
				}
				return l
			case k%10 == 7:
				return mapping(depth)
			case k%10 == 8:
				return int(k) // no Value
			}
			return (*param.Map)(nil)
		}
		full, err := schema.Complete(mapping(0))
		if err != nil {
			if err.Error() == "" {
				t.Error("an error says nothing")
			}
			return
		}
		var into sample
		param.Decode(full, &into)
		again, err := schema.Complete(full)
		if err != nil || !bytes.Equal(param.AppendCanonical(nil, full), param.AppendCanonical(nil, again)) {
			t.Errorf("%s completes to %s, %v", param.FormatValue(full), param.FormatValue(again), err)
		}
	})
}

func BenchmarkComplete(b *testing.B) {
	schema := param.Of(sample{})
	in := m("budget", int64(5), "delay", list(1.0), "observe", m("lag", int64(3)))
	for b.Loop() {
		if _, err := schema.Complete(in); err != nil {
			b.Fatal(err)
		}
	}
}
