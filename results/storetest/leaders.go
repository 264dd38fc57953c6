package storetest

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"overnight/results"
)

// testLeaders compares Leaders with a count over all records, after commits,
// duplicates, different ones, stale ones and Discard.
func testLeaders(t *testing.T, s results.Store) {
	b, ok := s.(results.Leaderboard)
	if !ok {
		t.Skip("the store keeps no leaderboard (results.Leaderboard)")
	}
	const points, replications = 40, 6
	p := NewPlan(name(t, "study"), points, replications)
	p.Objective = 1
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	compareLeaders(t, s, b, p)
	rng := rand.New(rand.NewPCG(7, 7))
	draw := func(trial uint64) results.Record {
		r := NewRecord(&p, trial)
		if r.Status == results.Done {
			r.Metrics[1] = rng.NormFloat64() - 0.3
			if trial%13 == 5 {
				r.Metrics[1] = math.NaN()
			}
		}
		return r
	}
	var kept []results.Record
	for trial := range p.Trials - points/2 { // a last part is still to come
		if trial%points == 9 {
			continue // a point without records
		}
		kept = append(kept, draw(trial))
	}
	for batch := range slices.Chunk(kept, 17) {
		commit(t, s, p, batch...)
		compareLeaders(t, s, b, p)
	}
	commit(t, s, p, kept[:30]...) // duplicates
	var others []results.Record
	for _, r := range kept[20:60] {
		others = append(others, draw(r.Trial))
	}
	commit(t, s, p, others...)
	behind := p
	behind.Generation--
	commit(t, s, behind, draw(9))
	compareLeaders(t, s, b, p)

	// Points lose some records, and one all of them.
	gone := []uint64{0, 1, 2, 3, 40, 80, 120, 160, 200}
	for r := range uint64(replications) {
		gone = append(gone, r*points+17)
	}
	generation, err := s.Discard(t.Context(), p.Study, gone)
	if err != nil {
		t.Fatal(err)
	}
	compareLeaders(t, s, b, p)
	p.Generation = generation
	commit(t, s, p, draw(0), draw(17), draw(40))
	compareLeaders(t, s, b, p)

	if err := s.Delete(t.Context(), p.Study); err != nil {
		t.Fatal(err)
	}
	_, err = b.Leaders(t.Context(), p.Study, 3, false)
	wantError(t, "Leaders of a missing study", err, results.ErrNotFound)
}

func compareLeaders(t *testing.T, s results.Store, b results.Leaderboard, p results.Plan) {
	t.Helper()
	sums := make([]results.Leader, p.Points)
	for _, r := range scan(t, s, p.Study, 0, p.Trials) {
		l := &sums[r.Point]
		l.Point = r.Point
		if r.Status == results.Done && r.Metrics[p.Objective] == r.Metrics[p.Objective] {
			l.N++
			l.Mean += r.Metrics[p.Objective]
		}
	}
	sums = slices.DeleteFunc(sums, func(l results.Leader) bool { return l.N == 0 })
	for i := range sums {
		sums[i].Mean /= float64(sums[i].N)
	}
	for _, least := range []bool{false, true} {
		slices.SortFunc(sums, func(a, b results.Leader) int {
			if least {
				a, b = b, a
			}
			return cmp.Compare(b.Mean, a.Mean)
		})
		for _, n := range []int{0, 1, 10, 1000} {
			got, err := b.Leaders(t.Context(), p.Study, n, least)
			if err != nil {
				t.Fatalf("Leaders(%d, %v): %v", n, least, err)
			}
			want := sums[:min(n, len(sums))]
			if err := sameLeaders(got, want); err != nil {
				t.Fatalf("Leaders(%d, least %v): %v:\ngot  %v\nwant %v", n, least, err, got, want)
			}
		}
	}
}

// sameLeaders allows for another order of summation.
func sameLeaders(got, want []results.Leader) error {
	if len(got) != len(want) {
		return errors.New("another number of points")
	}
	for i, g := range got {
		if g.Point != want[i].Point || g.N != want[i].N || math.Abs(g.Mean-want[i].Mean) > 1e-9 {
			return errors.New("other points, numbers of records or means")
		}
	}
	return nil
}
