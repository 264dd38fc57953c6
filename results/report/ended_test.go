package report

import "testing"

// TestEnded: the counts of all points add up to the study's tally.
func TestEnded(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	rs = rs[:len(rs)-3]
	m := mustBuild(t, p, rs)
	var all Ended
	for i := range p.points {
		all = all.Plus(m.Ended(i))
	}
	want := Ended{Done: m.Tally.Done, Failed: m.Tally.Failed, Missing: 3}
	if all != want || all.Failed == 0 {
		t.Errorf("points add up to %+v, want %+v", all, want)
	}
	if got, want := (Ended{Failed: 2, Missing: 1}).Lost(), "2 failed, 1 missing"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (Ended{Done: 5}).Lost(); got != "" {
		t.Errorf("nothing is lost, but %q", got)
	}
}
