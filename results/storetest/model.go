package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"overnight/results"
)

// model is a study as a store should keep it.
type model struct {
	plan        results.Plan
	records     map[uint64]results.Record
	tally       results.Tally
	checkpoints map[uint64]string
}

// commit is what Commit should answer.
func (m *model) commit(generation uint32, rs []results.Record) []results.Verdict {
	var vs []results.Verdict
	for _, r := range rs {
		there, ok := m.records[r.Trial]
		v := &m.tally.Wasted
		if generation == m.plan.Generation && !ok {
			v = &m.tally.Used
		}
		*v += r.Elapsed
		switch {
		case generation != m.plan.Generation:
			m.tally.Stale++
			vs = append(vs, results.Stale)
		case !ok:
			r.Generation = generation
			m.records[r.Trial] = r
			delete(m.checkpoints, r.Trial)
			vs = append(vs, results.Committed)
		case results.Equal(&there, &r):
			m.tally.Duplicates++
			vs = append(vs, results.Duplicate)
		default:
			m.tally.Differs++
			vs = append(vs, results.Differs)
		}
	}
	return vs
}

func (m *model) raise(generation uint32) {
	if generation > m.plan.Generation {
		m.plan.Generation = generation
		clear(m.checkpoints)
	}
}

func (m *model) sorted(from, to uint64) []results.Record {
	var rs []results.Record
	for i := from; i < min(to, m.plan.Trials); i++ {
		if r, ok := m.records[i]; ok {
			rs = append(rs, r)
		}
	}
	return rs
}

func (m *model) count() results.Tally {
	t := m.tally
	for _, r := range m.records {
		switch r.Status {
		case results.Done:
			t.Done++
		case results.Failed:
			t.Failed++
		case results.Dead:
			t.Dead++
		case results.Overrun:
			t.Overrun++
		}
	}
	return t
}

// testModel drives a store and a model with the same random calls and compares
// them after each.
func testModel(t *testing.T, s results.Store) {
	var studies atomic.Uint64
	rapid.Check(t, func(rt *rapid.T) {
		p := NewPlan(fmt.Sprintf("%s-%d", name(t, "model"), studies.Add(1)), 3, 4)
		m := &model{plan: p, records: make(map[uint64]results.Record), checkpoints: make(map[uint64]string)}
		if err := s.Create(t.Context(), p); err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := s.Delete(t.Context(), p.Study); err != nil {
				rt.Error(err)
			}
		}()
		trial := rapid.Uint64Range(0, 14)
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { compare(rt, t, s, m) },
			"commit": func(rt *rapid.T) {
				var rs []results.Record
				for range rapid.IntRange(1, 5).Draw(rt, "records") {
					rs = append(rs, drawRecord(rt, &m.plan))
				}
				generation := m.plan.Generation - rapid.SampledFrom([]uint32{0, 0, 0, 0, 1}).Draw(rt, "behind")
				got, err := s.Commit(t.Context(), p.Study, generation, rs)
				if err != nil {
					rt.Fatal(err)
				}
				if want := m.commit(generation, rs); !slices.Equal(got, want) {
					rt.Fatalf("verdicts %v, want %v", got, want)
				}
			},
			"discard": func(rt *rapid.T) {
				trials := rapid.SliceOfN(trial, 0, 4).Draw(rt, "trials")
				got, err := s.Discard(t.Context(), p.Study, trials)
				if err != nil {
					rt.Fatal(err)
				}
				for _, i := range trials {
					if _, ok := m.records[i]; ok {
						m.plan.Digest = ""
					}
					delete(m.records, i)
				}
				m.raise(m.plan.Generation + 1)
				if got != m.plan.Generation {
					rt.Fatalf("Discard returns generation %d, want %d", got, m.plan.Generation)
				}
			},
			"update": func(rt *rapid.T) {
				more := rapid.Uint64Range(0, 1).Draw(rt, "more trials")
				generation := m.plan.Generation + rapid.Uint32Range(0, 1).Draw(rt, "generation")
				digest := rapid.SampledFrom([]string{"", "d"}).Draw(rt, "digest")
				fails := rapid.Bool().Draw(rt, "fails")
				no := errors.New("no")
				_, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error {
					p.Trials, p.Generation, p.Digest = p.Trials+more, generation, digest
					if fails {
						return no
					}
					return nil
				})
				if fails {
					if !errors.Is(err, no) {
						rt.Fatalf("Update: %v, want the error of its change", err)
					}
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				m.plan.Trials, m.plan.Digest = m.plan.Trials+more, digest
				m.raise(generation)
			},
			"checkpoint": func(rt *rapid.T) {
				i := rapid.Uint64Range(0, m.plan.Trials-1).Draw(rt, "trial")
				generation := m.plan.Generation - rapid.Uint32Range(0, 1).Draw(rt, "behind")
				state := rapid.StringN(0, 9, -1).Draw(rt, "state")
				if err := s.SaveCheckpoint(t.Context(), p.Study, generation, i, []byte(state)); err != nil {
					rt.Fatal(err)
				}
				if _, ok := m.records[i]; !ok && generation == m.plan.Generation {
					m.checkpoints[i] = state
				}
			},
		})
	})
}

// drawRecord returns a record of one of few trials with one of few results.
func drawRecord(rt *rapid.T, p *results.Plan) results.Record {
	r := NewRecord(p, rapid.Uint64Range(0, p.Trials-1).Draw(rt, "trial"))
	switch rapid.IntRange(0, 5).Draw(rt, "variant") {
	case 0:
		r.Curves = nil
	case 1:
		r.Status, r.Metrics, r.Error = results.Failed, nil, "other"
	case 2:
		r.Status, r.Metrics, r.Curves = rapid.SampledFrom([]results.Status{results.Dead, results.Overrun}).Draw(rt, "status"), nil, nil
	}
	return r
}

// compare compares everything that can be read.
func compare(rt *rapid.T, t *testing.T, s results.Store, m *model) {
	study := m.plan.Study
	p, err := s.Plan(t.Context(), study)
	if err != nil {
		rt.Fatal(err)
	}
	if diff := cmp.Diff(m.plan, p); diff != "" {
		rt.Fatalf("plan, want -, got +:\n%s", diff)
	}
	tally, err := s.Tally(t.Context(), study)
	if err != nil {
		rt.Fatal(err)
	}
	if want := m.count(); tally != want {
		rt.Fatalf("tally %+v, want %+v", tally, want)
	}
	from, to := rapid.Uint64Range(0, 16).Draw(rt, "from"), rapid.Uint64Range(0, 16).Draw(rt, "to")
	var got []results.Record
	for r, err := range s.Scan(t.Context(), study, from, to) {
		if err != nil {
			rt.Fatal(err)
		}
		got = append(got, r)
	}
	if diff := cmp.Diff(m.sorted(from, to), got, sameRecords()); diff != "" {
		rt.Fatalf("records %d to %d, want -, got +:\n%s", from, to, diff)
	}
	l, err := s.Ledger(t.Context(), study)
	if err != nil {
		rt.Fatal(err)
	}
	for i := range m.plan.Trials {
		if _, ok := m.records[i]; ok != l.Has(i) {
			rt.Fatalf("ledger has trial %d: %v, want %v", i, l.Has(i), ok)
		}
		state, err := s.Checkpoint(t.Context(), study, m.plan.Generation, i)
		want, ok := m.checkpoints[i]
		if ok && (err != nil || string(state) != want) || !ok && !errors.Is(err, results.ErrNotFound) {
			rt.Fatalf("checkpoint of trial %d: %q, error %v; want %q, %v", i, state, err, want, ok)
		}
	}
}
