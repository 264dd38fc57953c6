package jobs

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
)

// measuring is an agent that measures something of its own where it holds back a
// share.
type measuring struct{ fakeAgent[measuringParams] }

type measuringParams struct {
	Share  float64 `param:"share" default:"0.1" min:"0" max:"1"`
	Metric string  `param:"metric" default:"uplift" enum:"uplift, conversions, roi"`
}

func (measuring) Traits(m *param.Map) agents.Traits {
	var p measuringParams
	param.Decode(m, &p)
	if p.Share == 0 {
		return agents.Traits{}
	}
	return agents.Traits{Metrics: []envs.Metric{{Name: p.Metric}, {Name: "share_held"}}}
}

func parseMeasuring(text string) (*Study, error) {
	cat := testCatalog()
	cat.Agents = append(cat.Agents, measuring{fakeAgent[measuringParams]{name: "measuring"}})
	return Parse("study.yaml", []byte(text), cat, ParseOptions{ReadFile: fakeFiles})
}

// TestAgentMetrics checks where the metrics that agents measure themselves stand
// among those of a study, and that objectives of them are measured everywhere.
func TestAgentMetrics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string // metrics
		err  string   // what the only problem says
	}{
		"beside the environment's": {
			text: "env: {name: email}\nagents: [{name: random}, {name: measuring}]\n",
			want: []string{"return", "regret", "conversions", "uplift", "share_held"},
		},
		"of the first arm, before those of a later environment": {
			text: "envs: [{as: a, name: function}, {as: b, name: email}]\nevaluate: {final: 5}\nagents: [{name: measuring}, {name: random}]\n",
			want: []string{"return", "uplift", "share_held", "regret", "conversions"},
		},
		"at some levels": {
			text: "env: {name: email}\nagents: [{name: random}, {name: measuring, share: {grid: [0, 0.2]}}]\n",
			want: []string{"return", "regret", "conversions", "uplift", "share_held"},
		},
		"nowhere": {
			text: "env: {name: email}\nagents: [{name: measuring, share: 0}]\n",
			want: []string{"return", "regret", "conversions"},
		},
		"the objective of all arms": {
			text: "env: {name: email}\nobjective: {metric: uplift}\nagents: [{name: measuring}, {as: more, name: measuring, share: {grid: [0.2, 0.3]}}]\n",
			want: []string{"return", "regret", "conversions", "uplift", "share_held"},
		},
		"the objective of one arm": {
			text: "env: {name: email}\nobjective: {metric: uplift}\nagents: [{name: random}, {name: measuring}]\n",
			err:  "3:21: uplift is measured by arm measuring only; choose a metric that every arm has, such as return",
		},
		"the objective of two arms": {
			text: "env: {name: email}\nobjective: {metric: uplift}\nagents: [{name: random}, {as: x, name: measuring}, {as: y, name: measuring}]\n",
			err:  "3:21: uplift is measured by arms x, y only; choose",
		},
		"the objective of some points": {
			text: "env: {name: email}\nobjective: {metric: uplift}\nagents: [{as: x, name: measuring, share: {grid: [0.2, 0]}}]\n",
			err:  "3:21: uplift is measured by arm x only, and not at all points (with x.share = 0); choose",
		},
		"the objective of one arm, and of some points of another": {
			text: "env: {name: email}\nobjective: {metric: uplift}\nagents: [{as: x, name: measuring, share: {grid: [0.2, 0]}}, {as: y, name: measuring}]\n",
			err:  "3:21: uplift is measured by arm y, and by x at some points only; choose",
		},
		"the objective of an environment": {
			text: "envs: [{name: email}, {name: function}]\nevaluate: {final: 5}\nobjective: {metric: conversions}\nagents: [{name: measuring}]\n",
			err:  "4:21: conversions is not measured on environment function",
		},
		"unknown": {
			text: "env: {name: email}\nobjective: {metric: uplft}\nagents: [{name: random}, {name: measuring}]\n",
			err:  "3:21: there is no metric uplft; did you mean uplift?",
		},
		"a name of the environment's": {
			text: "env: {name: email}\nagents: [{name: random}, {as: x, name: measuring, metric: conversions}]\n",
			err:  "3:40: agent measuring measures conversions, which is a metric of environment email as well; choose",
		},
		"a name of another environment's": {
			text: "envs: [{name: email}, {name: marketing}]\ntrain: {episodes: 1}\nevaluate: {final: 5}\nagents: [{name: random}, {as: x, name: measuring, metric: roi, 'on': email}]\n",
			err:  "5:40: agent measuring measures roi, which is a metric of environment marketing as well; choose",
		},
		"the name of a shared factor": {
			text: "factors: {uplift: {grid: [0.1, 0.2]}}\nenv: {name: email}\nagents: [{name: measuring, share: $uplift}]\n",
			err:  "2:19: the factor uplift has the name of a metric; choose another name",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := parseMeasuring("study: s\n" + c.text)
			if c.err != "" {
				var list Problems
				if !errors.As(err, &list) || len(list) != 1 || !strings.HasPrefix(list[0].Error(), "study.yaml:"+c.err) {
					t.Fatalf("Parse: %v\nwant one problem that begins %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, s.Metrics); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}
