package trial_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/agents/bandit"
	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/worker/trial"
)

// everyPolicy is a study of all policies that choose, where a mask binds.
func everyPolicy() string {
	var b strings.Builder
	b.WriteString(`
study: policies
env: {name: email, horizon: 300, rates: [.1, .3, .5], contexts: [segment], veto: [active/Exclusive Deal Inside]}
agents:
  - {name: random}
  - {name: oracle}
  - {as: guarded, name: thompson, guard: {floor: 0.1, holdout: 0.1}}
`)
	for _, f := range bandit.Factories() {
		fmt.Fprintf(&b, "  - {name: %s}\n", f.Name())
	}
	b.WriteString("replications: 1\n")
	return b.String()
}

// TestRolloutPropensities holds that a log made again is that of the record:
// asking for propensities and beliefs changes nothing, and they are of what was
// done.
func TestRolloutPropensities(t *testing.T) {
	t.Parallel()
	s := study(t, everyPolicy())
	r := trial.New(s, catalog.New(), trial.Options{})
	vetoed := 0
	for n := range s.Trials() {
		_, arm := s.Pair(n)
		name := s.Arms[arm].Label
		rec := run(t, r, n)
		var outcomes float64
		err := r.Rollout(t.Context(), n, trial.RolloutOptions{Episodes: 1, Probs: true, Beliefs: true}, func(*envs.Spec) error { return nil }, func(st trial.RolloutStep) error {
			outcomes += st.Outcome
			action := int(st.Action[0])
			switch {
			case st.Allowed != nil && !st.Allowed[action]:
				return fmt.Errorf("step %d: action %d is not allowed", st.Step, action)
			case (st.Obs[0] == 1) != (st.Allowed != nil && !st.Allowed[2]):
				return fmt.Errorf("step %d: segment %v may get %v", st.Step, st.Obs[0], st.Allowed)
			case st.Probs == nil:
				return fmt.Errorf("step %d: propensities are not known", st.Step)
			case !(st.Probs[action] > 0):
				return fmt.Errorf("step %d: action %d has propensity %v", st.Step, action, st.Probs)
			}
			sum := 0.0
			for i, p := range st.Probs {
				if sum += p; p != 0 && st.Allowed != nil && !st.Allowed[i] {
					vetoed++
				}
			}
			if math.Abs(sum-1) > 1e-9 {
				return fmt.Errorf("step %d: propensities %v sum to %v", st.Step, st.Probs, sum)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := rec.Metrics[slices.Index(s.Metrics, "conversions")]; outcomes != want {
			t.Errorf("%s: the log has %v conversions, the record %v", name, outcomes, want)
		}
	}
	if vetoed > 0 {
		t.Errorf("%d propensities of actions that are not allowed", vetoed)
	}
}
