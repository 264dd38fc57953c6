package trial_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/internal/param"
	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
	"overnight/worker/trial"
)

// tallier sends arms in turn and reports how often it has learned, what it does
// not know, and what can't be.
type tallier struct{}

type tallierParams struct {
	First int `param:"first" default:"0" min:"0" doc:"The first action."`
}

func (tallier) Name() string         { return "tallier" }
func (tallier) Doc() string          { return "Acts in turn and counts." }
func (tallier) Schema() param.Schema { return param.Of(tallierParams{}) }

func (tallier) Traits(*param.Map) agents.Traits {
	return agents.Traits{Learns: true, Metrics: []envs.Metric{{Name: "learned"}, {Name: "unknown"}, {Name: "endless"}}}
}

func (tallier) Fits(_ *param.Map, s *envs.Spec) error {
	if s.Action.Kind != envs.Discrete {
		return &param.Error{What: "chooses discrete actions", Instead: "choose another agent"}
	}
	return nil
}

func (tallier) New(m *param.Map, s *envs.Spec, _ rng.Key, _ agents.Agent) (agents.Agent, error) {
	var p tallierParams
	param.Decode(m, &p)
	return &turns{arms: s.Action.N, first: p.First}, nil
}

type turns struct {
	arms, first int
	learned     uint64
}

var _ agents.Reporter = (*turns)(nil)

func (t *turns) Begin(rng.Key, agents.Mode) {}

func (t *turns) Act(_ *envs.Step, a *envs.Action) {
	a.Index, a.Prob = (t.first+int(t.learned))%t.arms, 1
}

func (t *turns) Learn(*envs.Step, *envs.Action, *envs.Step) { t.learned++ }

func (t *turns) Report(into []float64) {
	into[0], into[1], into[2] = float64(t.learned), math.NaN(), math.Inf(1)
}

func (t *turns) AppendBinary(b []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(b, t.learned), nil
}

func (t *turns) UnmarshalBinary(b []byte) error {
	if len(b) != 8 {
		return errors.New("not a state")
	}
	t.learned = binary.LittleEndian.Uint64(b)
	return nil
}

// TestAgentMetrics: what an agent measures of its own stands in its records and
// is missing in those of others; what is not a number stays missing; trained and
// online runs report what was played to learn.
func TestAgentMetrics(t *testing.T) {
	t.Parallel()
	cat := catalog.New()
	cat.Agents = append(cat.Agents, tallier{})
	for name, c := range map[string]struct {
		text    string
		learned float64
	}{
		"online":  {"env: {name: email, horizon: 300}\nagents: [{name: uniform}, {name: tallier, first: {grid: [0, 1]}}]\n", 300},
		"trained": {"env: {name: function, function: noop}\ntrain: {episodes: 7}\nevaluate: {final: 5}\nagents: [{name: random}, {name: tallier, first: {grid: [0, 1]}}]\n", 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := jobs.Parse("test.yaml", []byte("study: tallies\nreplications: 2\n"+c.text), cat, jobs.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			at := slices.Index(s.Metrics, "learned")
			if at < 0 || !slices.Equal(s.Metrics[at:], []string{"learned", "unknown", "endless"}) {
				t.Fatalf("metrics %v, want those of the agent at the end", s.Metrics)
			}
			up, down := trial.New(s, cat, trial.Options{}), trial.New(s, cat, trial.Options{})
			seen := map[string]int{}
			for i := range s.Trials() {
				n := s.Trials() - 1 - i
				rec := run(t, up, n)
				point, _ := s.Split(n)
				p, err := s.Point(point)
				if err != nil {
					t.Fatal(err)
				}
				label := s.Arms[p.Arm].Label
				seen[label]++
				want := []float64{math.NaN(), math.NaN(), math.NaN()}
				if label == "tallier" {
					want[0] = c.learned
				}
				if !slices.EqualFunc(rec.Metrics[at:], want, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }) {
					t.Errorf("trial %d of %s: %v, want %v", n, label, rec.Metrics[at:], want)
				}
				if _, equal, err := down.Compare(t.Context(), &rec); err != nil || !equal {
					t.Errorf("trial %d gives other bytes the second time (%v)", n, err)
				}
			}
			if diff := cmp.Diff(map[string]int{"tallier": 4, s.Arms[0].Label: 2}, seen); diff != "" {
				t.Errorf("trials by arm (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAgentMetricsDigest: what a study's digest hashes holds what agents measure,
// and is the same from run to run; a missing value has one form.
func TestAgentMetricsDigest(t *testing.T) {
	t.Parallel()
	cat := catalog.New()
	cat.Agents = append(cat.Agents, tallier{})
	s, err := jobs.Parse("test.yaml", []byte("study: tallies\nreplications: 3\nenv: {name: email, horizon: 50}\nagents: [{name: uniform}, {name: tallier}]\n"), cat, jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(s.Metrics, "learned")
	encoded := func(change func(*results.Record)) (all []byte) {
		r := trial.New(s, cat, trial.Options{})
		for n := range s.Trials() {
			rec := run(t, r, n)
			change(&rec)
			all = results.AppendResult(all, &rec) // what the digest hashes
		}
		return all
	}
	want := encoded(func(*results.Record) {})
	if got := encoded(func(*results.Record) {}); !bytes.Equal(got, want) {
		t.Error("records differ from run to run")
	}
	odd := math.Float64frombits(math.Float64bits(math.NaN()) | 1<<63 | 12345)
	if got := encoded(func(r *results.Record) {
		if math.IsNaN(r.Metrics[at+1]) {
			r.Metrics[at+1] = odd
		}
	}); !bytes.Equal(got, want) {
		t.Error("another form of a missing value changes the digest")
	}
	if got := encoded(func(r *results.Record) { r.Metrics[at]++ }); bytes.Equal(got, want) {
		t.Error("what the agent measured is not in the digest")
	}
}
