package trial_test

import (
	"fmt"
	"testing"

	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/worker/trial"
)

// TestNoAllocationPerSend counts the allocations of whole trials of every policy,
// short and eleven times as long: making a trial allocates, a send does not.
func TestNoAllocationPerSend(t *testing.T) {
	cat := catalog.New()
	for _, world := range []string{"", ", delay: geometric, window: 50", ", contexts: [segment, hour], world: random_walk"} {
		policies := 0
		for _, f := range cat.Agents {
			var allocs [2]float64
			var err error
			for i, horizon := range []int{200, 2_200} {
				var s *jobs.Study
				text := fmt.Sprintf("study: allocations\nenv: {name: email, horizon: %d%s}\nagents: [{name: %s}]\nreplications: 100\n", horizon, world, f.Name())
				if s, err = jobs.Parse("study.yaml", []byte(text), cat, jobs.ParseOptions{}); err != nil {
					break // an agent for other environments
				}
				r := trial.New(s, cat, trial.Options{})
				run := func(n uint64) {
					if rec, err := r.Run(t.Context(), n); err != nil || rec.Error != "" {
						t.Fatalf("%s%s: %v %s", f.Name(), world, err, rec.Error)
					}
				}
				for n := range uint64(5) { // buffers grow
					run(n)
				}
				allocs[i] = testing.AllocsPerRun(5, func() { run(0) })
			}
			if err != nil {
				continue
			}
			policies++
			if allocs[0] != allocs[1] {
				t.Errorf("%s%s: a trial of 200 sends allocates %v times, one of 2,200 %v times", f.Name(), world, allocs[0], allocs[1])
			}
		}
		if policies < 27 {
			t.Errorf("world %q: %d policies", world, policies)
		}
	}
}
