package jobs

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/param"
	"overnight/jobs/design"
)

// sampledStudy has three arms with none, one and two factors of their own, and
// ranges of every kind and levels among them.
const sampledStudy = `study: s
seed: 5
factors: {lr: {log_uniform: [1e-4, 0.1]}}
env:
  name: marketing
  delay: {grid: {none: [1], late: [0, 1], later: [0, 0, 1]}}
  observe: {lag: {int_uniform: [0, 5]}, noise: {uniform: [0, 1]}}
agents:
  - {name: random}
  - {as: a, name: reinforce, learning_rate: $lr}
  - {as: b, name: reinforce, learning_rate: $lr, gamma: {uniform: [0.9, 1]}, hidden: {grid: [[4], [8]]}}
`

// values are the values of a point by factor.
func values(t *testing.T, s *Study, point uint64) (*Point, map[int]string) {
	t.Helper()
	p, err := s.Point(point)
	if err != nil {
		t.Fatal(err)
	}
	v := map[int]string{}
	for _, l := range p.Levels {
		v[l.Factor] = string(param.AppendCanonical(nil, l.Value))
	}
	return p, v
}

// TestSampleSaltelli checks by the points' values that Sample says what a row of a
// Saltelli design is, and that a base sample shares its row.
func TestSampleSaltelli(t *testing.T) {
	t.Parallel()
	s := parseText(t, sampledStudy, "design={kind: saltelli, points: 4, second: true}")
	if want := uint64(4 * (8 + 10 + 14)); s.Points() != want {
		t.Fatalf("%d points, want %d", s.Points(), want)
	}
	var a, b map[int]string
	bases := map[string]string{}
	for i := range s.Points() {
		p, v := values(t, s, i)
		sample, ok := s.Sample(i)
		d := len(sample.Factors)
		if !ok || sample.Kind != "saltelli" || !sample.Second || sample.Stratum != 0 || sample.Changed != -1 || d != []int{3, 4, 6}[p.Arm] {
			t.Fatalf("point %d: %+v, %v", i, sample, ok)
		}
		base, block, column := design.SaltelliRow(sample.Row, d, true)
		if p.Row != base {
			t.Fatalf("point %d of base %d has row %d", i, base, p.Row)
		}
		want := map[int]string{}
		switch block {
		case design.BlockA:
			a, want = v, v
			for f, x := range v {
				key := fmt.Sprint(base, f)
				if other, ok := bases[key]; ok && other != x {
					t.Fatalf("arms meet %s and %s in factor %s of base %d", other, x, s.Factors[f].Name, base)
				}
				bases[key] = x
			}
		case design.BlockB:
			b, want = v, v
		case design.BlockAB:
			for f := range a {
				want[f] = a[f]
			}
			want[sample.Factors[column]] = b[sample.Factors[column]]
		case design.BlockBA:
			for f := range b {
				want[f] = b[f]
			}
			want[sample.Factors[column]] = a[sample.Factors[column]]
		}
		if diff := cmp.Diff(want, v); diff != "" {
			t.Fatalf("point %d, block %d, column %d:\n%s", i, block, column, diff)
		}
	}
}

// TestSampleMorris checks by the points' values that consecutive rows of a
// trajectory differ in the factor that Sample says, in its direction.
func TestSampleMorris(t *testing.T) {
	t.Parallel()
	s := parseText(t, sampledStudy, "design={kind: morris, points: 30}")
	if want := uint64(30 * (4 + 5 + 7)); s.Points() != want {
		t.Fatalf("%d points, want %d", s.Points(), want)
	}
	var before map[int]string
	var last *Point
	for i := range s.Points() {
		p, v := values(t, s, i)
		sample, ok := s.Sample(i)
		trajectory, step := design.MorrisRow(sample.Row, len(sample.Factors))
		if !ok || p.Row != trajectory || (step == 0) != (sample.Changed < 0) {
			t.Fatalf("point %d in row %d: %+v, %v", i, p.Row, sample, ok)
		}
		if step > 0 {
			f := sample.Factors[sample.Changed]
			for g := range v {
				if (v[g] != before[g]) != (g == f) {
					t.Fatalf("point %d says that %s changes, and %s goes from %s to %s", i, s.Factors[f].Name, s.Factors[g].Name, before[g], v[g])
				}
			}
			factor := &s.Factors[f]
			if factor.Kind == Uniform {
				x, y := numberAt(last, f), numberAt(p, f)
				if moved := (y - x) / (factor.High - factor.Low); math.Abs(moved-sample.Step) > 1e-12 || math.Abs(math.Abs(moved)-2.0/3) > 1e-12 {
					t.Fatalf("point %d: %s moves by %v of its range, want %v", i, factor.Name, moved, sample.Step)
				}
			}
		}
		before, last = v, p
	}
}

// numberAt is the value of a factor of a point.
func numberAt(p *Point, factor int) float64 {
	for _, l := range p.Levels {
		if l.Factor == factor {
			return l.Value.(float64)
		}
	}
	return math.NaN()
}

// TestSampleStrata checks crossed designs: rows within a stratum are those of one
// sample, whatever the other parts' levels, and grids alone are no sample.
func TestSampleStrata(t *testing.T) {
	t.Parallel()
	s := parseText(t, sampledStudy, `design=[{kind: grid, of: [env.delay, b.hidden]}, {kind: morris, points: 3, of: [env.observe.lag, env.observe.noise]}, {kind: lhs, points: 2, of: [lr, b.gamma]}]`)
	strata, seenBefore := map[string]map[uint64]bool{}, map[string]string{}
	for i := range s.Points() {
		p, v := values(t, s, i)
		sample, ok := s.Sample(i)
		if !ok || sample.Kind != "morris" || len(sample.Factors) != 2 {
			t.Fatalf("point %d: %+v, %v", i, sample, ok)
		}
		key := fmt.Sprint(p.Arm, sample.Stratum)
		if strata[key] == nil {
			strata[key] = map[uint64]bool{}
		}
		strata[key][sample.Row] = true
		for _, f := range sample.Factors {
			delete(v, f)
		}
		rest := fmt.Sprint(p.Arm, v)
		for name, of := range map[string]string{"stratum " + key: rest, "rest " + rest: key} {
			if other, ok := seenBefore[name]; ok && other != of {
				t.Fatalf("%s has %s and %s", name, other, of)
			}
			seenBefore[name] = of
		}
	}
	if len(strata) != 3+3*2+3*2*2 {
		t.Errorf("%d strata, want 21", len(strata))
	}
	for key, rows := range strata {
		if len(rows) != 9 {
			t.Errorf("stratum %s has %d rows, want 9", key, len(rows))
		}
	}
	grid := parseText(t, "study: s\nenv: {name: marketing, budget: {grid: [1, 2]}}\nagents: [{name: random}]\n")
	if sample, ok := grid.Sample(1); ok {
		t.Errorf("a grid's point comes from %+v", sample)
	}
	if sample, ok := s.Sample(s.Points()); ok {
		t.Errorf("a point beyond the last comes from %+v", sample)
	}
	part := parseText(t, "study: s\nenv: {name: marketing}\nagents: [{name: random}, {name: reinforce, learning_rate: {uniform: [0.1, 1]}}]\ndesign: {kind: lhs, points: 4}\n")
	for i, want := range []bool{false, true, true, true, true} {
		if _, ok := part.Sample(uint64(i)); ok != want {
			t.Errorf("point %d has a sample: %v, want %v", i, ok, want)
		}
	}
}

// TestPairedRows checks which points share their noise with paired: row.
func TestPairedRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		design string
		rows   [3]int // different rows of each arm
	}{
		{"{kind: saltelli, points: 4}", [3]int{4, 4, 4}},
		{"{kind: morris, points: 4}", [3]int{4, 4, 4}},
		{"{kind: lhs, points: 4}", [3]int{4, 4, 4}},
		{"oat", [3]int{7, 9, 9}}, // an arm's own factors count as one row, as in grids
		{"[{kind: grid, of: [env.delay]}, {kind: saltelli, points: 2, of: [lr, env.observe.lag, env.observe.noise, b.gamma, b.hidden]}]", [3]int{6, 6, 6}},
	} {
		s := parseText(t, sampledStudy, "paired=row", "design="+c.design)
		rows := [3]map[uint64]string{{}, {}, {}}
		for i := range s.Points() {
			p, v := values(t, s, i)
			sample, _ := s.Sample(i)
			for f := range v {
				if s.Factors[f].Arm != "" {
					delete(v, f)
				}
			}
			delete(v, 0) // lr, which not all arms use
			if sample.Kind == "oat" && p.Row > 0 {
				for arm := range p.Arm {
					if other, ok := rows[arm][p.Row]; ok && other != fmt.Sprint(v) {
						t.Errorf("%s: row %d is %s and %v", c.design, p.Row, other, v)
					}
				}
			}
			rows[p.Arm][p.Row] = fmt.Sprint(v)
		}
		for arm := range rows {
			if len(rows[arm]) != c.rows[arm] {
				t.Errorf("%s: arm %d has %d rows, want %d", c.design, arm, len(rows[arm]), c.rows[arm])
			}
		}
	}
}

// TestDesignsExtend checks that more points of a design keep the keys of all trials
// that were there.
func TestDesignsExtend(t *testing.T) {
	t.Parallel()
	keys := func(s *Study) map[[32]byte]bool {
		all := map[[32]byte]bool{}
		for i := range s.Points() {
			p, err := s.Point(i)
			if err != nil {
				t.Fatal(err)
			}
			all[s.TrialKey(p, 1)] = true
		}
		return all
	}
	for _, kind := range []string{"random", "sobol", "halton", "saltelli", "morris"} {
		few := keys(parseText(t, sampledStudy, "design={kind: "+kind+", points: 4}"))
		more := keys(parseText(t, sampledStudy, "design={kind: "+kind+", points: 8}"))
		for key := range few {
			if !more[key] {
				t.Fatalf("%s: a trial's key changed with more points", kind)
			}
		}
	}
}

// TestNotes checks what validate says of a design.
func TestNotes(t *testing.T) {
	t.Parallel()
	for design, want := range map[string][]string{
		"{kind: sobol, points: 64}":     nil,
		"{kind: lhs, points: 100}":      nil,
		"{kind: saltelli, points: 100}": {"design saltelli of 100 points: a Sobol sequence is balanced at powers of two, such as 64 or 128"},
	} {
		if diff := cmp.Diff(want, parseText(t, sampledStudy, "design="+design).Notes()); diff != "" {
			t.Errorf("%s:\n%s", design, diff)
		}
	}
	s := parseText(t, sampledStudy, "design=[{kind: grid, of: [env.delay, b.hidden]}, {kind: saltelli, points: 2, second: true, of: [lr, env.observe.lag, env.observe.noise, b.gamma]}]")
	if got, want := s.Design.String(), "grid of env.delay, b.hidden x saltelli of lr, env.observe.lag, env.observe.noise, b.gamma: 2 base samples, second order"; got != want {
		t.Errorf("the design is %q, want %q", got, want)
	}
}
