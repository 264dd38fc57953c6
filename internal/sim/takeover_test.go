package sim

import (
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestTakeover replaces the coordinator in mid-study, by a restart or by a second
// one: what workers hold is adopted and not run again. A job that a worker takes
// in the moment of the change may escape that, which costs its time and no more.
func TestTakeover(t *testing.T) {
	t.Parallel()
	const times = 240
	var twice, trials uint64
	bad := 0
	for i := range times {
		s := setting{mode: mode(i % 3), studies: []int{i / 3 % len(templates())}, slots: []int{2, 1, 2}, lease: time.Hour}
		s.submit.Submitted = s.mode == serves
		f := fault{n: 1, kind: []kind{killCoordinator, twoCoordinators, stopCoordinator}[i%7%3], at: 1200*time.Millisecond + time.Duration(i)*13*time.Millisecond, last: time.Duration(i%11) * 300 * time.Millisecond}
		out := play(t, s, []fault{f}, nil, zap.NewNop())
		if out.err != nil {
			t.Fatalf("%v, %v: %v", s, f, out.err)
		}
		for _, tally := range out.tallies {
			trials += tally.Total()
			twice += tally.Duplicates + tally.Stale
			if tally.Duplicates+tally.Stale > 0 {
				bad++
				t.Logf("%v, %v: %+v", s, f, tally)
			}
		}
	}
	t.Logf("%d takeovers of %d trials in all: %d trials ran twice, in %d studies", times, trials, twice, bad)
	if bad > times/100 {
		t.Errorf("trials ran twice in %d of %d studies, more than one in a hundred", bad, times)
	}
}
