package jobs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"overnight/internal/param"
)

// drawStudy writes a random sound study: factors of every kind in shared,
// environment's and arms' places, one or two environments, any design.
func drawStudy(t *rapid.T) string {
	var b strings.Builder
	sample := rapid.Bool().Draw(t, "sampled")
	factor := func(name, fixed, levels, ranges string) string {
		switch k := rapid.IntRange(0, 3).Draw(t, name); {
		case k == 0:
			return fixed
		case k == 1 && sample:
			return ranges
		case k == 2:
			return "{choice: " + levels + "}"
		}
		return "{grid: " + levels + "}"
	}
	fmt.Fprintf(&b, "study: drawn\nseed: %d\n", rapid.Uint64().Draw(t, "seed"))
	shared := rapid.Bool().Draw(t, "shared")
	if shared {
		lr := "{grid: [0.1, 0.2]}"
		if sample && rapid.Bool().Draw(t, "shared range") {
			lr = "{log_uniform: [1e-4, 1]}"
		}
		fmt.Fprintf(&b, "factors: {lr: %s}\n", lr)
	}
	env := func(name string) string {
		return fmt.Sprintf("name: marketing, budget: %s, observe: {lag: %s}, base_effectiveness: [1, %s, 2], faithful: %s",
			factor(name+" budget", "700", "[600, 1000, 1200]", "{uniform: [500, 1500]}"), factor(name+" lag", "1", "[0, 1]", "{int_uniform: [0, 5]}"),
			factor(name+" base", "3", "[1, 2]", "{normal: [5, 0.1]}"), factor(name+" faithful", "true", "[false, true]", "{choice: [true, false]}"))
	}
	labels := []string{"marketing"}
	if rapid.Bool().Draw(t, "two envs") {
		labels = []string{"a", "b"}
		fmt.Fprintf(&b, "envs:\n  - {as: a, %s}\n  - {as: b, %s}\n", env("a"), env("b"))
	} else {
		fmt.Fprintf(&b, "env: {%s}\n", env("env"))
	}
	b.WriteString("agents:\n  - {name: random}\n")
	for i := range rapid.IntRange(1, 3).Draw(t, "arms") {
		lr := factor(fmt.Sprint("lr ", i), "0.5", "[0.01, 0.02]", "{log_uniform: [1e-5, 0.1]}")
		if shared && (i == 0 || rapid.Bool().Draw(t, "uses shared")) {
			lr = "$lr"
		}
		on := ""
		if rapid.Bool().Draw(t, "on") {
			on = ", on: " + rapid.SampledFrom(labels).Draw(t, "where")
		}
		fmt.Fprintf(&b, "  - {as: arm%d, name: reinforce, learning_rate: %s, hidden: %s%s}\n", i, lr, factor(fmt.Sprint("hidden ", i), "[3]", "[[4], [8, 8]]", "{choice: [[4], [2]]}"), on)
	}
	fmt.Fprintf(&b, "replications: %d\npaired: %s\n", rapid.IntRange(1, 5).Draw(t, "replications"), rapid.SampledFrom([]string{"all", "row", "none"}).Draw(t, "paired"))
	text := b.String()
	if sample && strings.Contains(text, "{") && (strings.Contains(text, "grid:") || strings.Contains(text, "choice:") || strings.Contains(text, "uniform:") || strings.Contains(text, "normal:")) {
		text += drawDesign(t, !strings.Contains(text, "normal:"))
	}
	return text
}

// drawDesign writes a design over all factors of a drawn study; ended says that
// every range has ends.
func drawDesign(t *rapid.T, ended bool) string {
	kinds := []string{"random", "lhs", "sobol", "halton", "saltelli", "oat"}
	if ended {
		kinds = append(kinds, "morris")
	}
	points := rapid.IntRange(1, 7).Draw(t, "points")
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
	case "oat":
		return "design: oat\n"
	case "saltelli":
		return fmt.Sprintf("design: {kind: saltelli, points: %d, second: %v}\n", points, rapid.Bool().Draw(t, "second"))
	case "morris":
		return fmt.Sprintf("design: {kind: morris, points: %d, levels: %d}\n", points, 2*rapid.IntRange(1, 3).Draw(t, "levels"))
	default:
		return fmt.Sprintf("design: {kind: %s, points: %d}\n", kind, points)
	}
}

// TestDrawnStudies checks what holds for every study: points resolve, those with
// different values have different keys, encoding keeps everything, a reused
// point equals a fresh one, and labels and the rest of what identity leaves out
// do not change it.
func TestDrawnStudies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := drawStudy(rt)
		s := parseText(t, text)
		again := roundTrip(t, s)
		var reused, decoded Point
		keys := map[[32]byte]string{}
		names := map[string]uint64{}
		for i := range s.Points() {
			fresh, err := s.Point(i)
			if err != nil {
				rt.Fatalf("point %d: %v\n%s", i, err, text)
			}
			// A point reached from any other is the same.
			if err := s.Resolve(rapid.Uint64Range(0, s.Points()-1).Draw(rt, "before"), &reused); err != nil {
				rt.Fatal(err)
			}
			if err := s.Resolve(i, &reused); err != nil {
				rt.Fatal(err)
			}
			if err := again.Resolve(i, &decoded); err != nil {
				rt.Fatal(err)
			}
			for name, p := range map[string]*Point{"reused": &reused, "decoded": &decoded} {
				same := p.Row == fresh.Row && p.Train == fresh.Train && reflect.DeepEqual(p.Env, fresh.Env) && reflect.DeepEqual(p.Agent, fresh.Agent)
				if same && slices.EqualFunc(p.Levels, fresh.Levels, func(a, b PointLevel) bool { return reflect.DeepEqual(a, b) }) {
					continue
				}
				if diff := cmp.Diff(fresh, p, cmpopts.IgnoreUnexported(Point{}), cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("point %d, %s (-fresh +%s):\n%s\n%s", i, name, name, diff, text)
				}
			}
			if slow := completeSlowly(rt, s, fresh); slow != "" {
				rt.Fatalf("point %d: %s\n%s", i, slow, text)
			}
			if task, arm := s.Pair(i); task != fresh.Task || arm != fresh.Arm {
				rt.Fatalf("Pair(%d) = %d, %d, want %d, %d", i, task, arm, fresh.Task, fresh.Arm)
			}
			key := s.PointKey(fresh)
			values := fmt.Sprintf("%s %s", s.Tasks[fresh.Task].Env, param.AppendCanonical(param.AppendCanonical(nil, fresh.Env), fresh.Agent)) + s.Arms[fresh.Arm].Agent
			if other, ok := keys[key]; ok && other != values {
				rt.Fatalf("points with different values have one key\n%s", text)
			}
			keys[key] = values
			name := fmt.Sprintf("%d %d %v", fresh.Task, fresh.Arm, fresh.Levels)
			if j, ok := names[name]; ok && s.Design.Kind == GridDesign {
				rt.Fatalf("points %d and %d are the same: %s\n%s", j, i, name, text)
			}
			names[name] = i
		}
		checkIdentity(t, s, text)
	})
}

// completeSlowly completes a point's parameters without any shortcut and says
// what differs.
func completeSlowly(t *rapid.T, s *Study, p *Point) string {
	value := func(r Ref) param.Value {
		for _, l := range p.Levels {
			if l.Factor == int(r) {
				return l.Value
			}
		}
		t.Fatalf("factor %d is not among the levels %v", r, p.Levels)
		return nil
	}
	l := s.layout
	for _, c := range []struct {
		got   *param.Map
		entry *entry
	}{{p.Env, &l.tasks[p.Task]}, {p.Agent, &l.arms[p.Arm]}} {
		want, err := c.entry.schema.Complete(substituteMap(c.entry.params, value))
		if err != nil {
			return err.Error()
		}
		if !reflect.DeepEqual(want, c.got) {
			return cmp.Diff(want, c.got)
		}
	}
	return ""
}

// checkIdentity changes what identity leaves out, and what it does not.
func checkIdentity(t *testing.T, s *Study, text string) {
	t.Helper()
	same := strings.NewReplacer("study: drawn", "study: renamed\nquestion: why?", "arm0", "first", "as: a,", "as: alpha,", "on: a}", "on: alpha}", "on: a,", "on: alpha,").Replace(text)
	other := parseText(t, same, "replications=9", "baseline=random", "objective={metric: roi, goal: minimize}", "limits={time: 1m}", "stop_after_failures=3")
	if s.Identity() != other.Identity() {
		t.Fatalf("identity changed with what it leaves out\n%s\n%s", text, same)
	}
	// Values do not move with labels either.
	for i := range min(s.Points(), 8) {
		a, errA := s.Point(i)
		b, errB := other.Point(i)
		if errA != nil || errB != nil || s.TrialKey(a, 3) != other.TrialKey(b, 3) {
			t.Fatalf("trial keys of point %d changed with a label (%v, %v)\n%s", i, errA, errB, text)
		}
	}
	for _, set := range []string{"seed=12345", "train.episodes=77", "evaluate={final: 7}", "record={curves: {points: 9}}"} {
		if other := parseText(t, text, set); s.Identity() == other.Identity() {
			t.Fatalf("identity did not change with %s\n%s", set, text)
		}
	}
	paired := map[Paired]string{PairedAll: "none", PairedRow: "all", PairedNone: "row"}
	if other := parseText(t, text, "paired="+paired[s.Paired]); s.Identity() == other.Identity() {
		t.Fatalf("identity did not change with paired\n%s", text)
	}
}

// TestReplicationsExtend checks that more replications keep the numbers, points
// and keys of the trials that were there.
func TestReplicationsExtend(t *testing.T) {
	t.Parallel()
	const text = "study: s\nenv: {name: marketing, budget: {grid: [1, 2]}}\nagents: [{name: random}, {name: reinforce}]\n"
	short, long := parseText(t, text, "replications=2"), parseText(t, text, "replications=5")
	if short.Trials() != 8 || long.Trials() != 20 {
		t.Fatalf("%d and %d trials, want 8 and 20", short.Trials(), long.Trials())
	}
	seen := map[[32]byte]uint64{}
	for trial := range long.Trials() {
		point, replication := long.Split(trial)
		p, err := long.Point(point)
		if err != nil {
			t.Fatal(err)
		}
		key := long.TrialKey(p, replication)
		if j, ok := seen[key]; ok {
			t.Errorf("trials %d and %d have one key", j, trial)
		}
		seen[key] = trial
		if trial >= short.Trials() {
			continue
		}
		point2, replication2 := short.Split(trial)
		q, err := short.Point(point2)
		if err != nil {
			t.Fatal(err)
		}
		if point != point2 || replication != replication2 || key != short.TrialKey(q, replication2) {
			t.Errorf("trial %d moved", trial)
		}
	}
}

// TestSampledRowsStay checks that another factor, another arm or more rows move
// no value of the others.
func TestSampledRowsStay(t *testing.T) {
	t.Parallel()
	const head = "study: s\ndesign: {kind: random, points: 20}\nagents: [{name: random}, {as: a, name: reinforce, learning_rate: {log_uniform: [0.1, 1]}}"
	before := parseText(t, head+"]\nenv: {name: marketing, budget: {uniform: [1, 2]}}\n")
	after := parseText(t, head+", {as: b, name: reinforce}]\nenv: {name: marketing, volatility_scale: {uniform: [0, 1]}, budget: {uniform: [1, 2]}}\n", "design.points=50")
	values := func(s *Study, arm int, row uint64) map[string]string {
		p, err := s.Point(uint64(arm)*s.Design.Points + row)
		if err != nil {
			t.Fatal(err)
		}
		if p.Arm != arm || p.Row != row {
			t.Fatalf("arm %d row %d, want arm %d row %d", p.Arm, p.Row, arm, row)
		}
		m := map[string]string{}
		for _, l := range p.Levels {
			m[s.Factors[l.Factor].Name] = l.Name
		}
		return m
	}
	for arm := range 2 {
		for row := range uint64(20) {
			a, b := values(before, arm, row), values(after, arm, row)
			delete(b, "env.volatility_scale")
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("arm %d row %d moved:\n%s", arm, row, diff)
			}
			if shared := values(before, 0, row)["env.budget"]; a["env.budget"] != shared {
				t.Fatalf("arm %d row %d has budget %s, arm 0 has %s", arm, row, a["env.budget"], shared)
			}
		}
	}
}

// TestStreams pins which points share their noise.
func TestStreams(t *testing.T) {
	t.Parallel()
	const text = "study: s\nseed: 7\nenv: {name: marketing, budget: {grid: [1, 2]}}\nagents: [{name: random}, {name: reinforce, gamma: {grid: [0, 1]}}]\n"
	scopes := func(paired string) (list []uint64) {
		s := parseText(t, text, "paired="+paired)
		for i := range s.Points() {
			p, err := s.Point(i)
			if err != nil {
				t.Fatal(err)
			}
			a := s.Streams(p, 3)
			if a.Seed != 7 || a.Replication != 3 {
				t.Errorf("streams %+v", a)
			}
			list = append(list, a.Scope)
		}
		return list
	}
	if got, want := scopes("all"), []uint64{0, 0, 0, 0, 0, 0}; !cmp.Equal(got, want) {
		t.Errorf("paired all: scopes %v, want %v", got, want)
	}
	if got, want := scopes("row"), []uint64{1, 2, 1, 1, 2, 2}; !cmp.Equal(got, want) {
		t.Errorf("paired row: scopes %v, want %v", got, want)
	}
	seen := map[uint64]bool{}
	for _, scope := range scopes("none") {
		if seen[scope] || scope&1 == 0 {
			t.Errorf("paired none: scope %d", scope)
		}
		seen[scope] = true
	}
}

// TestPointKey checks what a key depends on: not on budgets for an agent that
// does not learn, on the data's content, on every setting for one that does.
func TestPointKey(t *testing.T) {
	t.Parallel()
	const text = "study: s\ndata: {h: {csv: data/history.csv}}\nenv: {name: marketing, table: $data.h}\nagents: [{name: random}, {name: reinforce}]\nevaluate: {every: 10, episodes: 5, final: 50}\n"
	keys := func(set ...string) [2]string {
		s := parseText(t, text, set...)
		var list [2]string
		for i := range list {
			p, err := s.Point(uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			list[i] = fmt.Sprintf("%x", s.PointKey(p))
		}
		return list
	}
	base := keys()
	for _, c := range []struct {
		set            string
		random, learns bool // whether the key stays
	}{
		{"train.episodes=7", true, false},
		{"train={steps: 1000}", true, false},
		{"evaluate.every=11", true, false},
		{"evaluate.episodes=6", true, false},
		{"evaluate.final=51", false, false},
		{"record={curves: {points: 5}}", false, false},
		{"env.budget=1000", true, true}, // the default, written
		{"env.budget=1001", false, false},
		{"data.h.csv=data/other.csv", false, false},
		{"agents.reinforce.gamma=0.5", true, false},
		{"seed=9", true, true},
		{"replications=9", true, true},
		{"agents.reinforce.as=renamed", true, true},
	} {
		got := keys(c.set)
		if stays := got[0] == base[0]; stays != c.random {
			t.Errorf("%s: the key of random stays: %v, want %v", c.set, stays, c.random)
		}
		if stays := got[1] == base[1]; stays != c.learns {
			t.Errorf("%s: the key of reinforce stays: %v, want %v", c.set, stays, c.learns)
		}
	}
}

func TestDataContent(t *testing.T) {
	t.Parallel()
	s := parseText(t, "study: s\ndata: {h: {csv: data/history.csv}}\nenv: {name: marketing, table: $data.h}\nagents: [{name: random}]\n")
	if got := string(s.DataContent("h")); got != "day,spend\n1,2\n" {
		t.Errorf("content %q", got)
	}
	if got := s.DataContent("x"); got != nil {
		t.Errorf("content of a name that is not there: %q", got)
	}
	p, err := s.Point(0)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := p.Env.Lookup("table"); v != "data:"+s.Data[0].SHA256 {
		t.Errorf("table is %v, want the hash %s", v, s.Data[0].SHA256)
	}
}

func BenchmarkResolveFunction(b *testing.B) {
	s := parseText(b, "study: s\ndesign: {kind: random, points: 1000000}\nenv: {name: function, x1: {uniform: [-3, 3]}, x2: {uniform: [-3, 3]}, x3: {uniform: [-3, 3]}}\nagents: [{name: random}]\n")
	benchmarkResolve(b, s)
}

func BenchmarkResolveGrid(b *testing.B) {
	s := parseText(b, "study: s\nenv: {name: marketing, delay: {grid: {none: [1], late: [0, 1]}}, volatility_scale: {grid: [0, 0.5, 1, 2]}}\nagents: [{name: random}, {name: reinforce, learning_rate: {grid: [0.1, 0.2, 0.3]}, gamma: {grid: [0, 1]}}]\nreplications: 1000\n")
	benchmarkResolve(b, s)
}

func benchmarkResolve(b *testing.B, s *Study) {
	b.ReportAllocs()
	var p Point
	i := uint64(0)
	for b.Loop() {
		if err := s.Resolve(i, &p); err != nil {
			b.Fatal(err)
		}
		i = (i + 1) % s.Points()
	}
}

func BenchmarkTrialKey(b *testing.B) {
	s := parseText(b, "study: s\nenv: {name: marketing}\nagents: [{name: reinforce}]\n")
	p, err := s.Point(0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.TrialKey(p, 1)
	}
}
