package stopping

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/stats"
)

func parse(t testing.TB, text string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("study.yaml", []byte(text), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// studies are rules in all their forms.
func studies(t testing.TB) map[string]*jobs.Study {
	const two = "env: {name: function, x1: {grid: [1, 2, 3]}}\nagents: [{name: random}, {as: b, name: random}, {as: c, name: random}]\n"
	all := map[string]*jobs.Study{}
	for name, text := range map[string]string{
		"own":                 two + "replications: {min: 3, max: 12, until: {half_width: 1}}\n",
		"relative":            two + "replications: {min: 3, max: 12, until: {relative: 0.2}}\n",
		"difference":          two + "replications: {min: 3, max: 20, check_at: [4, 5, 9], until: {difference_from: b, half_width: 0.9}}\n",
		"relative difference": two + "replications: {min: 2, max: 9, until: {difference_from: b, relative: 0.2}}\n",
		"not paired":          two + "paired: none\nreplications: {min: 3, max: 12, until: {difference_from: random, half_width: 1}}\n",
		"confirm":             two + "baseline: random\nreplications: 4\nconfirm: {top: 2, replications: 3}\n",
		"both":                two + "baseline: c\nobjective: {metric: return, goal: minimize}\nreplications: {min: 3, max: 12, until: {difference_from: random, half_width: 0.9}}\nconfirm: {top: 3, replications: 2}\n",
		"confirm some":        two + "baseline: random\nreplications: 4\nconfirm: {of: [c], top: 1, replications: 3}\n",
		"no reference":        two + "replications: {min: 2, max: 5, until: {half_width: 0.8}}\nconfirm: {top: 1, replications: 2}\n",
		"tasks": "envs: [{as: t, name: function, x1: {grid: [1, 2]}}, {as: u, name: function, x2: {grid: [1, 2]}}]\n" +
			"agents: [{name: random}, {as: b, name: random, on: [u]}, {as: c, name: random, on: [t]}]\nbaseline: b\n" +
			"replications: {min: 3, max: 9, until: {difference_from: b, half_width: 0.9}}\nconfirm: {top: 1, replications: 2}\n",
		"own factors": "env: {name: marketing, horizon: 5, volatility_scale: {grid: [0, 1]}}\nevaluate: {final: 1}\n" +
			"agents: [{as: r, name: reinforce, learning_rate: {grid: [0.1, 0.2, 0.3]}}, {as: q, name: reinforce, gamma: {grid: [0.5, 0.9]}}]\ntrain: {episodes: 1}\n" +
			"replications: {min: 3, max: 12, until: {difference_from: r, half_width: 0.9}}\nconfirm: {top: 2, replications: 2}\nbaseline: r\n",
		"random rows": "env: {name: function, x1: {uniform: [1, 2]}}\nagents: [{name: random}, {as: b, name: random}]\ndesign: {kind: random, points: 4}\n" +
			"replications: {min: 3, max: 12, until: {difference_from: b, half_width: 0.9}}\n",
	} {
		all[name] = parse(t, "study: s\n"+text)
	}
	return all
}

// world holds the score of every trial of a study: NaN of one that fails.
type world struct {
	s      *jobs.Study
	scores []float64
}

func newWorld(s *jobs.Study, seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{s: s, scores: make([]float64, s.Trials())}
	fails := float64(seed%3) * .1
	for i := range w.scores {
		point, _ := s.Split(uint64(i))
		w.scores[i] = 3 + .3*float64(point) + (.5+.3*float64(point%4))*r.NormFloat64()
		if r.Float64() < fails {
			w.scores[i] = math.NaN()
		}
	}
	return w
}

func (w *world) record(trial uint64) *results.Record {
	r := &results.Record{Trial: trial, Status: results.Done, Metrics: []float64{w.scores[trial]}}
	r.Point, r.Replication = w.s.Split(trial)
	if math.IsNaN(w.scores[trial]) {
		r.Status, r.Metrics = []results.Status{results.Failed, results.Dead, results.Overrun}[trial%3], nil
	}
	return r
}

// wanted computes from the definition, and all scores at once, which trials a
// study wants.
func (w *world) wanted(t testing.TB) []uint64 {
	s := w.s
	score := func(p uint64, r uint64) float64 { return w.scores[r*s.Points()+p] }
	mean := func(x []float64) (m, v float64, n float64) {
		for _, a := range x {
			if !math.IsNaN(a) {
				m, n = m+a, n+1
			}
		}
		m /= n
		for _, a := range x {
			if !math.IsNaN(a) {
				v += (a - m) * (a - m)
			}
		}
		return m, v / (n - 1), n
	}
	quantile := func(nu float64) float64 {
		if !(nu >= 1) {
			return math.NaN()
		}
		return distuv.StudentsT{Sigma: 1, Nu: nu}.Quantile(.975)
	}
	label := func(p uint64) string { _, a := s.Pair(p); return s.Arms[a].Label }
	runs := make([]uint64, s.Points())
	difference := ""
	if s.Stopping != nil {
		difference = s.Stopping.DifferenceFrom
	}
	for p := range runs {
		p := uint64(p)
		refs := besides(t, s, p, difference)
		if label(p) == difference && slices.ContainsFunc(slices.Collect(upTo(s.Points())), func(q uint64) bool { return slices.Contains(besides(t, s, q, difference), p) }) {
			continue // as long as the others
		}
		for _, n := range s.Stages() {
			runs[p] = n
			if s.Stopping == nil {
				break
			}
			var x, y, d []float64
			for r := range n {
				x = append(x, score(p, r))
				var at []float64
				for _, q := range refs {
					at = append(at, score(q, r))
				}
				m, _, _ := mean(at)
				y = append(y, m)
				d = append(d, x[r]-m)
			}
			mx, vx, nx := mean(x)
			size, half := mx, quantile(nx-1)*math.Sqrt(vx/nx)
			if len(refs) > 0 {
				my, vy, ny := mean(y)
				_, vd, nd := mean(d)
				size, half = my, quantile(nd-1)*math.Sqrt(vd/nd)
				if s.Paired == jobs.PairedNone {
					a, b := vx/nx, vy/ny
					half = quantile((a+b)*(a+b)/(a*a/(nx-1)+b*b/(ny-1))) * math.Sqrt(a+b)
				}
			}
			target := s.Stopping.HalfWidth
			if s.Stopping.Relative > 0 {
				target = s.Stopping.Relative * math.Abs(size)
			}
			if half <= target {
				break
			}
		}
	}
	for p := range runs {
		for _, q := range besides(t, s, uint64(p), difference) {
			runs[q] = max(runs[q], runs[p])
		}
	}
	var list []uint64
	for p, n := range runs {
		for r := range n {
			list = append(list, r*s.Points()+uint64(p))
		}
	}
	if s.Confirm != nil {
		again := map[uint64]bool{}
		for task := range s.Tasks {
			type scored struct {
				p uint64
				m float64
			}
			var best []scored
			for p, n := range runs {
				if at, _ := s.Pair(uint64(p)); at != task || !slices.Contains(s.Confirm.Of, label(uint64(p))) {
					continue
				}
				var x []float64
				for r := range n {
					x = append(x, score(uint64(p), r))
				}
				if m, _, n := mean(x); n > 0 {
					if s.Objective.Minimize {
						m = -m
					}
					best = append(best, scored{uint64(p), m})
				}
			}
			slices.SortFunc(best, func(a, b scored) int { return cmp.Or(cmp.Compare(b.m, a.m), cmp.Compare(a.p, b.p)) })
			for _, b := range best[:min(len(best), int(s.Confirm.Top))] {
				again[b.p] = true
				for _, q := range besides(t, s, b.p, s.Reference()) {
					again[q] = true
				}
			}
		}
		for p := range again {
			for r := range s.Confirm.Replications {
				list = append(list, (s.Replications+r)*s.Points()+p)
			}
		}
	}
	slices.Sort(list)
	return list
}

func upTo(n uint64) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// besides compares every pair of points.
func besides(t testing.TB, s *jobs.Study, p uint64, label string) []uint64 {
	a, err := s.Point(p)
	if err != nil {
		t.Fatal(err)
	}
	var list []uint64
	for q := range s.Points() {
		b, err := s.Point(q)
		if err != nil {
			t.Fatal(err)
		}
		beside := s.Arms[b.Arm].Label == label && a.Task == b.Task && a.Arm != b.Arm
		for _, l := range a.Levels {
			for _, m := range b.Levels {
				if l.Factor == m.Factor && s.Factors[l.Factor].Arm == "" && fmt.Sprint(l.Value) != fmt.Sprint(m.Value) {
					beside = false
				}
			}
		}
		if beside {
			list = append(list, q)
		}
	}
	return list
}

func collect(o *Outcome) []uint64 {
	var list []uint64
	for i := range o.study.Trials() {
		if o.Wants(i) {
			list = append(list, i)
		}
	}
	return list
}

// TestDefinition compares what is wanted with the definition, computed with all
// scores at hand, for records that come in trial order, in any order, and only
// where they are wanted, as a coordinator has them run.
func TestDefinition(t *testing.T) {
	t.Parallel()
	stopped, surplus, confirmed := 0, 0, 0
	for name, s := range studies(t) {
		for seed := range uint64(12) {
			w := newWorld(s, seed)
			want := w.wanted(t)
			check := func(how string, o *Outcome) {
				t.Helper()
				got := collect(o)
				if !slices.Equal(got, want) {
					t.Errorf("%s, seed %d, %s: wants %v, want %v", name, seed, how, got, want)
				}
				if o.Missing() != 0 || o.Total() != uint64(len(want)) || o.Most() != o.Total() {
					t.Errorf("%s, seed %d, %s: %d missing of %d, at most %d, want 0 of %d", name, seed, how, o.Missing(), o.Total(), o.Most(), len(want))
				}
				failed := uint64(0)
				for _, i := range want {
					if math.IsNaN(w.scores[i]) {
						failed++
					}
				}
				if o.Failures() != failed {
					t.Errorf("%s, seed %d, %s: %d wanted trials failed, want %d", name, seed, how, o.Failures(), failed)
				}
				for i := range s.Points() {
					if o.At(i).Open {
						t.Errorf("%s, seed %d, %s: point %d is open", name, seed, how, i)
					}
				}
			}
			inOrder := outcome(t, s)
			var taken []uint64
			for i := range s.Trials() {
				if inOrder.Take(w.record(i)) {
					taken = append(taken, i)
				}
			}
			check("in order", inOrder)
			if !slices.Equal(taken, want) {
				t.Errorf("%s, seed %d: told in order, it took %v, want %v", name, seed, taken, want)
			}
			if got := inOrder.Surplus(); got != s.Trials()-uint64(len(want)) {
				t.Errorf("%s, seed %d: %d surplus", name, seed, got)
			}
			surplus += int(inOrder.Surplus())
			stopped += int(inOrder.Saved())
			confirmed += len(inOrder.Confirmed())

			r := rand.New(rand.NewPCG(seed, 2))
			anyOrder := outcome(t, s)
			for _, i := range r.Perm(int(s.Trials())) {
				anyOrder.Take(w.record(uint64(i)))
				anyOrder.Take(w.record(uint64(i))) // told twice
			}
			check("in any order", anyOrder)

			asked := outcome(t, s)
			var queue []uint64
			for i := range s.Stages()[0] * s.Points() {
				queue = append(queue, i)
			}
			most := asked.Most()
			asked.Grown = func(point, from, to uint64) {
				for r := from; r < to; r++ {
					queue = append(queue, r*s.Points()+point)
				}
			}
			for len(queue) > 0 {
				k := r.IntN(len(queue))
				i := queue[k]
				queue = slices.Delete(queue, k, k+1)
				if asked.Missing() == 0 {
					t.Fatalf("%s, seed %d: nothing is missing and trial %d is asked for", name, seed, i)
				}
				if !asked.Take(w.record(i)) {
					t.Fatalf("%s, seed %d: trial %d was asked for and is not wanted", name, seed, i)
				}
				if now := asked.Most(); now > most {
					t.Fatalf("%s, seed %d: at most %d trials, after at most %d", name, seed, now, most)
				} else {
					most = now
				}
			}
			check("as asked for", asked)
			if asked.Surplus() != 0 {
				t.Errorf("%s, seed %d: %d surplus of what was asked for", name, seed, asked.Surplus())
			}
		}
	}
	if stopped == 0 || surplus == 0 || confirmed == 0 {
		t.Errorf("%d trials saved, %d surplus, %d points confirmed: nothing was tested", stopped, surplus, confirmed)
	}
}

func outcome(t testing.TB, s *jobs.Study) *Outcome {
	t.Helper()
	o, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestManyBeside: where every point of one arm stands beside every point of
// another, what is judged costs as much as there are points, not as there are pairs
// of them, let alone each time that one of them is done.
func TestManyBeside(t *testing.T) {
	t.Parallel()
	const points = 5000
	s := parse(t, fmt.Sprintf("study: s\nenv: {name: marketing, horizon: 5}\nevaluate: {final: 1}\ntrain: {episodes: 1}\n"+
		"agents: [{as: r, name: reinforce, learning_rate: {uniform: [0.1, 0.2]}}, {as: q, name: reinforce, learning_rate: {uniform: [0.1, 0.2]}}]\n"+
		"design: {kind: random, points: %d}\nreplications: {min: 2, max: 4, check_at: [3], until: {difference_from: r, half_width: 0.1}}\n", points))
	o := outcome(t, s)
	for i := range s.Trials() {
		p, n := s.Split(i)
		p = (p + points) % s.Points() // those that wait come first
		o.Take(&results.Record{Trial: n*s.Points() + p, Point: p, Replication: n, Status: results.Done, Metrics: []float64{float64(n) * float64(p%7)}})
	}
	if o.Missing() != 0 || o.Total() != o.Most() || o.Surplus() == 0 || len(o.Unsettled()) == 0 {
		t.Errorf("%d missing of %d, at most %d; %d surplus, %d unsettled", o.Missing(), o.Total(), o.Most(), o.Surplus(), len(o.Unsettled()))
	}
}

// TestPlain: a study without a rule wants all, and keeps nothing of points.
func TestPlain(t *testing.T) {
	t.Parallel()
	s := parse(t, "study: s\nenv: {name: function, x1: {grid: [1, 2]}}\nagents: [{name: random}]\nreplications: 3\n")
	o := outcome(t, s)
	w := newWorld(s, 0)
	for i := range s.Trials() {
		if o.Missing() != s.Trials()-i || !o.Take(w.record(i)) {
			t.Errorf("trial %d: %d missing", i, o.Missing())
		}
	}
	// Of a time when the study asked for more.
	if o.Take(&results.Record{Trial: s.Trials(), Replication: 3}) || o.Surplus() != 1 || o.Missing() != 0 || o.at != nil {
		t.Errorf("a record beyond the last trial: %d surplus, %d missing", o.Surplus(), o.Missing())
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	// testdata/welch.py; gonum's quantiles of t are good to nine digits.
	x, y := []float64{1.1, 2.3, 0.7, 3.1, 2.2}, []float64{0.2, 0.9, 1.4, 0.1, 0.3}
	for paired, want := range map[bool]float64{false: 1.2065143869233799, true: 1.6911263091879325} {
		got := difference(x, y, "mean", paired, stats.Options{})
		if math.Abs(got.Half()-want) > 1e-8 || math.Abs((got.Low+got.High)/2-1.3) > 1e-12 {
			t.Errorf("paired %v: %v, half %v, want half %v around 1.3", paired, got, got.Half(), want)
		}
	}
	gap := difference([]float64{1, math.NaN(), 3, 4}, []float64{0, 0, math.NaN(), 1}, "mean", true, stats.Options{})
	if math.Abs(gap.Half()-distuv.StudentsT{Sigma: 1, Nu: 1}.Quantile(.975)) > 1e-9 || gap.Low+gap.High != 4 {
		t.Errorf("with two whole pairs, 1 and 3: %v", gap)
	}
	if in := welch([]float64{1}, y); in.Known() {
		t.Errorf("of one run: %v", in)
	}
	if in := welch([]float64{2, 2}, []float64{1, 1}); in.Low != 1 || in.High != 1 {
		t.Errorf("without any spread: %v", in)
	}
}
