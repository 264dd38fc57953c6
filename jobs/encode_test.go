package jobs

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlanGolden pins version 1 of the stored form and its identity: a change
// here makes stored studies unreadable and needs a new PlanSchema.
func TestPlanGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"delay-volatility", "crossed", "list", "data", "groups", "stopping", "lhs", "saltelli", "second", "morris", "oat", "ccd"} {
		src, err := os.ReadFile(filepath.Join("testdata", "good", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(name, src, testCatalog(), testOptions(src))
		if err != nil {
			t.Fatal(err)
		}
		body, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "plan_v1", name+".json"), string(body)+"\n")
		golden(t, filepath.Join("testdata", "plan_v1", name+".identity"), s.Identity()+"\n")
	}
}

// TestDecodeStudyRefuses changes a sound plan in one place each time.
func TestDecodeStudyRefuses(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join("testdata", "plan_v1", "delay-volatility.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeStudy(body, testCatalog()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"not JSON", `{`, `[`, "invalid character"},
		{"something after it", `"roi","spend"]}`, `"roi","spend"]} {}`, "invalid character '{' after"},
		{"other version", `"schema":1`, `"schema":2`, "version 2"},
		{"unknown field", `"schema":1`, `"schema":1,"script":"rm"`, "unknown field"},
		{"no engine", `"engine":1`, `"engine":0`, "engine 0"},
		{"name", `"name":"delay-volatility"`, `"name":"../x"`, "study name"},
		{"negative seed", `"seed":42`, `"seed":-42`, "cannot unmarshal"},
		{"no replications", `"replications":20`, `"replications":0`, "0 replications"},
		{"too many trials", `"replications":20`, `"replications":9007199254740992`, "more than 2^53 trials"},
		{"unknown environment", `"env":"marketing"`, `"env":"casino"`, "no environment"},
		{"unknown agent", `"agent":"random"`, `"agent":"fortune"`, "no agent"},
		{"labels", `"label":"notebook"`, `"label":"random"`, "two entries"},
		{"baseline", `"baseline":"random"`, `"baseline":"nobody"`, "no arm"},
		{"reference beyond the factors", `{"$":2}`, `{"$":20}`, "factor 20"},
		{"negative reference", `{"$":2}`, `{"$":-1}`, "reference"},
		{"reference with company", `{"$":2}`, `{"$":2,"a":1}`, "reference"},
		{"reference in a level", `"name":"none","value":[1]`, `"name":"none","value":[{"$":0}]`, "factor inside a level"},
		{"no levels", `"levels":[{"name":"0","value":0},{"name":"0.5","value":0.5}],`, ``, "no levels"},
		{"key twice", `"faithful":true`, `"faithful":true,"faithful":true`, "twice"},
		{"unknown kind of factor", `"kind":"grid"`, `"kind":"magic"`, "unknown kind"},
		{"range in a grid", `"kind":"grid","levels":[{"name":"0","value":0},{"name":"0.5","value":0.5}]`, `"kind":"uniform","low":0.0,"high":1.0`, "no levels"},
		{"range the wrong way round", `"kind":"grid","levels":[{"name":"0","value":0},{"name":"0.5","value":0.5}]`, `"kind":"uniform","low":1.0,"high":0.0`, "wrong way"},
		{"unknown design", `"design":{"kind":"grid"}`, `"design":{"kind":"niederreiter","points":8}`, "no design"},
		{"no points", `"design":{"kind":"grid"}`, `"design":{"kind":"random"}`, "0 points"},
		{"points of a design that has none", `"design":{"kind":"grid"}`, `"design":{"kind":"oat","points":3}`, "3 points"},
		{"too many points", `"design":{"kind":"grid"}`, `"design":{"kind":"sobol","points":4294967297}`, "1 to 4294967296"},
		{"levels in the wrong kind", `"design":{"kind":"grid"}`, `"design":{"kind":"sobol","points":8,"levels":4}`, "no levels"},
		{"an odd grid", `"design":{"kind":"grid"}`, `"design":{"kind":"morris","points":8,"levels":3}`, "even number"},
		{"second order in the wrong kind", `"design":{"kind":"grid"}`, `"design":{"kind":"sobol","points":8,"second":true}`, "no second order"},
		{"a hypercube that was not looked at", `"design":{"kind":"grid"}`, `"design":{"kind":"lhs","points":8,"start":50}`, "start 50"},
		{"levels in a central composite", `"design":{"kind":"grid"}`, `"design":{"kind":"ccd"}`, "has levels"},
		{"design of an unknown factor", `"design":{"kind":"grid"}`, `"design":{"kind":"grid","of":["x"]}`, "not there"},
		{"list without rows", `"design":{"kind":"grid"}`, `"design":{"kind":"list","of":["lr"]}`, "no rows"},
		{"crossed in crossed", `"design":{"kind":"grid"}`, `"design":{"kind":"crossed","parts":[{"kind":"crossed","parts":[{"kind":"grid"}]}]}`, "inside another"},
		{"two budgets", `"train":{"episodes":1000}`, `"train":{"episodes":1000,"steps":3}`, "budget"},
		{"no evaluation", `"final":1000`, `"final":0`, "evaluation"},
		{"paired", `"paired":"all"`, `"paired":"some"`, "paired"},
		{"objective", `"metric":"optimality"`, `"metric":"fame"`, "objective"},
		{"huge number", `"value":0.5`, `"value":1e999`, "out of range"},
		{"deep", `"value":0.5`, `"value":` + strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested"},
	} {
		changed := bytes.Replace(body, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, body) {
			t.Errorf("%s: %s does not occur", c.name, c.old)
			continue
		}
		s, err := DecodeStudy(changed, testCatalog())
		if s != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: DecodeStudy gave %v, want an error with %q", c.name, err, c.want)
		}
	}
	if _, err := DecodeStudy(make([]byte, MaxPlanBytes+1), testCatalog()); err == nil {
		t.Error("a plan beyond the bound was read")
	}
}

// TestResolveChecksValues decodes plans whose values a schema refuses: the point
// that has them does not resolve, and others do.
func TestResolveChecksValues(t *testing.T) {
	t.Parallel()
	s := parseText(t, "study: s\nenv: {name: function, x1: {grid: [1, 2]}, x2: 5}\nagents: [{name: random}]\n")
	body, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	bad, err := DecodeStudy(bytes.Replace(body, []byte(`"value":2`), []byte(`"value":200`), 1), testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	var p Point
	for _, i := range []uint64{0, 1, 0, 2} {
		err := bad.Resolve(i, &p)
		if (err == nil) != (i == 0) {
			t.Errorf("Resolve(%d) = %v", i, err)
		}
	}
}

func TestSchemaJSON(t *testing.T) {
	t.Parallel()
	b, err := SchemaJSON(testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]any            `json:"properties"`
		Defs       map[string]map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	for _, key := range studyKeys() {
		if schema.Properties[key] == nil {
			t.Errorf("the schema has no key %s", key)
		}
	}
	for key := range schema.Properties {
		if !strings.Contains(strings.Join(studyKeys(), " "), key) {
			t.Errorf("the schema has the key %s, which studies have not", key)
		}
	}
	// Every $ref leads somewhere.
	for _, part := range strings.Split(string(b), `"$ref": "#/$defs/`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); schema.Defs[name] == nil {
			t.Errorf("the schema refers to %s, which it does not define", name)
		}
	}
	if !strings.Contains(string(b), `"base_effectiveness"`) || !strings.Contains(string(b), `"epsilon"`) {
		t.Error("the schema lacks parameters of environments or agents")
	}
}
