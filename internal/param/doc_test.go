package param_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/param"
)

func TestRenderers(t *testing.T) {
	t.Parallel()
	type small struct {
		Budget  float64       `param:"budget" default:"1000" min:"0" unit:"money a day" doc:"What is spent each day, over all channels, whatever the agent does."`
		Reward  string        `param:"reward" default:"revenue" enum:"revenue,profit" doc:"What | is maximised."`
		Base    param.Numbers `param:"base" default:"[1, 2.5]" above:"0" max:"3" len:"2..3" faithful:"2"`
		Observe struct {
			Lag *int `param:"lag"`
		} `param:"observe" doc:"What is seen."`
	}
	schema := param.Of(small{})
	var doc, md bytes.Buffer
	if err := errors.Join(schema.WriteDoc(&doc, 60), schema.WriteMarkdown(&md)); err != nil {
		t.Fatal(err)
	}
	wantDoc := `
NAME         TYPE            DEFAULT   RANGE  UNIT
budget       number          1000      >= 0   money a day
    What is spent each day, over all channels, whatever the
    agent does.
reward       text            revenue   revenue, profit
    What | is maximised.
base         number or list  [1, 2.5]  > 0; <= 3; 2 to 3 elements
    With ` + "`faithful: true`" + ` the default is 2.
observe      group
    What is seen.
observe.lag  integer         null
`
	if diff := cmp.Diff(wantDoc[1:], doc.String()); diff != "" {
		t.Errorf("doc (-want +got):\n%s", diff)
	}
	wantLine := "| `reward` | text | `revenue` | revenue, profit |  | What \\| is maximised. |\n"
	if !strings.Contains(md.String(), wantLine) || strings.Count(md.String(), "\n") != 2+5 {
		t.Errorf("markdown lacks %q:\n%s", wantLine, md.String())
	}

	got, err := json.MarshalIndent(schema.JSONSchema("#/$defs/factor"), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"additionalProperties": false`, `"exclusiveMinimum": 0`, `"minimum": 0`, `"#/$defs/factor"`,
		`"default": "revenue"`, `"maxItems": 3`, `"type": "null"`, `Unit: money a day.`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("JSON Schema lacks %s:\n%s", want, got)
		}
	}
	bare, err := json.Marshal(schema.JSONSchema(""))
	if err != nil || strings.Contains(string(bare), "$ref") || strings.Contains(string(bare), "pattern") {
		t.Errorf("without factors: %s, %v", bare, err)
	}
}

func TestFormatValue(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]param.Value{
		"null": nil, "true": true, "1e-05": 1e-5, "0.0001": 1e-4, "-86400000": -8.64e7, "1e+15": 1e15, "0": 0.0, "3": int64(3), "a_b": "a_b", `"on"`: "on", `"1a"`: "1a", `"a b"`: "a b",
		`""`: "", "[1, [a]]": list(1.0, list("a")), "{a: {b: 1}}": m("a", m("b", 1.0)),
	} {
		if got := param.FormatValue(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
