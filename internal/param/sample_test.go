package param_test

import (
	"overnight/internal/param"
)

// sample has a field of every type and tag.
type sample struct {
	Budget  float64       `param:"budget" default:"1000" min:"0" unit:"money a day" doc:"What is spent each day."`
	Size    int           `param:"size" default:"3" above:"0" max:"10"`
	On      bool          `param:"on" default:"true"`
	Reward  string        `param:"reward" default:"revenue" enum:"revenue, profit, roi"`
	Note    string        `param:"note" doc:"Absent by default."`
	Delay   []float64     `param:"delay" default:"[0.5, 0.3, 0.2]" faithful:"[1]" min:"0" below:"2" len:"1..4"`
	Hidden  []int         `param:"hidden" default:"[64, 32]" min:"1"`
	Names   []string      `param:"names" default:"[a, \"b c\"]"`
	Synergy [][]float64   `param:"synergy"`
	Base    param.Numbers `param:"base" default:"1.5" min:"0" len:"2.."`
	X       *float64      `param:"x" min:"-1" max:"1"`
	K       *int          `param:"k" default:"7"`
	Flag    *bool         `param:"flag" faithful:"true"`
	Observe struct {
		Noise float64 `param:"noise" default:"0" faithful:"0.1" min:"0"`
		Lag   int     `param:"lag" default:"1"`
	} `param:"observe" doc:"What is seen."`
	Faithful bool `param:"faithful" default:"false"`

	scratch []float64 // without a tag: not a parameter
}

// list makes a list; m makes a mapping of alternating keys and values.
func list(v ...param.Value) []param.Value { return append([]param.Value{}, v...) }

func m(kv ...any) *param.Map {
	out := &param.Map{}
	for i := 0; i < len(kv); i += 2 {
		out.Entries = append(out.Entries, param.Entry{Key: kv[i].(string), Value: kv[i+1]})
	}
	return out
}

func defaults() *param.Map {
	return m("budget", 1000.0, "size", int64(3), "on", true, "reward", "revenue", "note", nil,
		"delay", list(0.5, 0.3, 0.2), "hidden", list(int64(64), int64(32)), "names", list("a", "b c"),
		"synergy", nil, "base", 1.5, "x", nil, "k", int64(7), "flag", nil,
		"observe", m("noise", 0.0, "lag", int64(1)), "faithful", false)
}

// with returns the defaults with some keys replaced.
func with(kv ...any) *param.Map {
	out := defaults()
	for i := 0; i < len(kv); i += 2 {
		out.Set(kv[i].(string), kv[i+1])
	}
	return out
}
