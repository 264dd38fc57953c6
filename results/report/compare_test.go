package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/stats"
)

// duet is a study of two arms at some levels of one factor, with scores by arm,
// level and replication; NaN fails.
func duet(summary string, paired jobs.Paired, scores ...stats.Scores) (*plan, []results.Record) {
	var names []string
	for level := range scores[0] {
		names = append(names, fmt.Sprint(level))
	}
	s := &jobs.Study{
		Name: "duet", Seed: 9, Engine: 1, Replications: uint64(len(scores[0][0])), Paired: paired, Baseline: "y",
		Tasks:   []jobs.Task{{Label: "t", Env: "marketing"}},
		Factors: []jobs.Factor{{Name: "env.level", Kind: jobs.Grid, Levels: named(names...)}},
		Design:  jobs.Design{Kind: "grid"}, Metrics: []string{"1000", "score"},
		Objective: jobs.Objective{Metric: "score", Summary: summary},
	}
	p := &plan{study: s}
	for arm, label := range []string{"x", "y", "z"}[:len(scores)] {
		s.Arms = append(s.Arms, jobs.Arm{Label: label, Agent: "static"})
		p.add(0, arm, false, 1, 0)
	}
	return p, p.records(func(pt *jobs.Point, r uint64) (float64, string) {
		v := scores[pt.Arm][pt.Levels[0].Level][r]
		if math.IsNaN(v) {
			return 0, "diverged"
		}
		return v, ""
	})
}

func compared(t testing.TB, p *plan, rs []results.Record, o CompareOptions) *Comparison {
	t.Helper()
	c, err := mustBuild(t, p, rs).Compare(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fixture is testdata/compare.json, which compare.py beside it writes with scipy.
type fixture struct {
	X, Y                   stats.Scores
	Difference             struct{ Value, Low, High float64 }
	TP                     float64 `json:"t_p"`
	FlipP                  float64 `json:"flip_p"`
	SplitP                 float64 `json:"split_p"`
	Improvement, Wins      float64
	Correlation, Reduction float64
	IQM, Median            struct{ Difference, P float64 }
}

func readFixture(t *testing.T) fixture {
	t.Helper()
	b, err := os.ReadFile("testdata/compare.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestCompareAgainstScipy: every number of a row, made independently.
func TestCompareAgainstScipy(t *testing.T) {
	t.Parallel()
	f := readFixture(t)
	near := func(what string, got number, want float64) {
		t.Helper()
		if !(math.Abs(float64(got)-want) < 1e-9) {
			t.Errorf("%s is %v, scipy has %v", what, got, want)
		}
	}
	p, rs := duet("mean", jobs.PairedAll, f.X, f.Y)
	r := compared(t, p, rs, CompareOptions{}).Rows()[0]
	near("difference", r.Difference, f.Difference.Value)
	near("low", r.DifferenceLow, f.Difference.Low)
	near("high", r.DifferenceHigh, f.Difference.High)
	near("improvement", r.Improvement, f.Improvement)
	near("wins", r.Wins, f.Wins)
	near("P of exchanges", r.P, f.FlipP)
	near("correlation", r.Correlation, f.Correlation)
	near("reduction", r.Reduction, f.Reduction)
	near("P of t", compared(t, p, rs, CompareOptions{Test: ByT}).Rows()[0].P, f.TP)
	for summary, want := range map[string]struct{ Difference, P float64 }{"iqm": f.IQM, "median": f.Median} {
		p, rs := duet(summary, jobs.PairedAll, f.X, f.Y)
		r := compared(t, p, rs, CompareOptions{}).Rows()[0]
		near(summary, r.Difference, want.Difference)
		near("P of the "+summary, r.P, want.P)
	}
	p, rs = duet("mean", jobs.PairedNone, f.X[:1], f.Y[:1])
	r = compared(t, p, rs, CompareOptions{}).Rows()[0]
	near("P of splits", r.P, f.SplitP)
	if r.Wins.finite() || r.Correlation.finite() {
		t.Errorf("unpaired runs have wins %v and correlation %v", r.Wins, r.Correlation)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	shifted := func(n int, shift float64) stats.Scores {
		x := stats.Scores{nil}
		for r := range n {
			x[0] = append(x[0], shift+math.Sin(float64(7*r)))
		}
		return x
	}
	for name, c := range map[string]struct {
		n        int
		shift    float64
		minimize bool
		test     CompareTest
		want     Verdict
	}{
		"higher":          {10, 1, false, "", Better},
		"lower":           {10, -1, false, "", Worse},
		"higher is worse": {10, 1, true, "", Worse},
		"equal":           {10, 0, false, "", NotApart},
		"five runs":       {5, 1, false, "", TooFew}, // 2/2^5 is above .05
		"six runs":        {6, 1, false, "", Better},
		"five runs, t":    {5, 1, false, ByT, Better},
		"one run":         {1, 1, false, "", TooFew},
		"one run, t":      {1, 1, false, ByT, TooFew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, rs := duet("mean", jobs.PairedAll, shifted(c.n, c.shift), shifted(c.n, 0))
			p.study.Objective.Minimize = c.minimize
			r := compared(t, p, rs, CompareOptions{Test: c.test}).Rows()[0]
			if r.Verdict != c.want {
				t.Errorf("verdict %q with P %v, want %q", r.Verdict, r.P, c.want)
			}
			want := .5
			if c.shift != 0 && (c.shift > 0) != c.minimize {
				want = 1
			} else if c.shift != 0 {
				want = 0
			}
			if float64(r.Wins) != want {
				t.Errorf("wins %v, want %v", r.Wins, want)
			}
		})
	}
}

// TestHolmOverTheTable: P of two rows are adjusted together, and a table of more
// decisions needs more runs.
func TestHolmOverTheTable(t *testing.T) {
	t.Parallel()
	x := func(shift, noise float64) stats.Scores {
		s, draw := stats.Scores{nil}, rng.New(rng.Root(8, "holm"))
		for r := range 6 {
			s[0] = append(s[0], shift+float64(r%3)+noise*draw.Normal())
		}
		return s
	}
	p, rs := duet("mean", jobs.PairedAll, x(1, 0), x(0, 0), x(2, .1))
	c := compared(t, p, rs, CompareOptions{})
	if c.Family() != 2 {
		t.Fatalf("a family of %d", c.Family())
	}
	for _, r := range c.Rows() {
		if math.Abs(float64(r.P)-2./64) > 1e-12 || math.Abs(float64(r.Adjusted)-4./64) > 1e-12 || r.Verdict != TooFew {
			t.Errorf("%s: P %v, adjusted %v, %q; want 2/64, 4/64, too few: two decisions need 7 replications", r.Arm, r.P, r.Adjusted, r.Verdict)
		}
	}
	if notes := strings.Join(c.Notes(), "\n"); !strings.Contains(notes, "`replications: 7`") {
		t.Errorf("the notes don't say how many replications it takes:\n%s", notes)
	}
	all := compared(t, p, rs, CompareOptions{AllPairs: true})
	var got []string
	for _, r := range all.Rows() {
		got = append(got, fmt.Sprintf("%s-%s %v", r.Arm, r.Against, float64(r.Difference) > 0))
	}
	if want := []string{"y-x false", "z-x true", "z-y true"}; !cmp.Equal(got, want) {
		t.Errorf("all pairs are %q, want %q", got, want)
	}
}

func TestCompareGaps(t *testing.T) {
	t.Parallel()
	gone := math.NaN()
	x := stats.Scores{{3, 3, gone, 3, 3, 3, 3, 3}, {5, 5, 5, 5, 5, 5, gone, 5}}
	y := stats.Scores{{1, 1, 9, 1, 1, gone, 1, 1}, {1, 1, 1, 1, 1, 1, gone, 1}}
	p, rs := duet("mean", jobs.PairedAll, x, y)
	c := compared(t, p, rs, CompareOptions{})
	r := c.Rows()[0]
	if r.Lacking != 2 || r.Runs != 13 || r.Failed != 2 || r.AgainstFailed != 2 || r.Difference != 3 || r.Wins != 1 || r.Units != 8 {
		t.Errorf("got %+v", r)
	}
	if notes := strings.Join(c.Notes(), "\n"); !strings.Contains(notes, "2 of 15 pairs lack one side") || !strings.Contains(notes, "x and y failed") {
		t.Errorf("notes are\n%s", notes)
	}
	p, rs = duet("mean", jobs.PairedAll, stats.Scores{{gone, gone}}, stats.Scores{{1, 2}})
	if r := compared(t, p, rs, CompareOptions{}).Rows()[0]; r.Verdict != TooFew || r.Runs != 0 || r.Difference.finite() {
		t.Errorf("an arm that always fails gives %+v", r)
	}
}

// TestSelect: the choice hangs on even replications alone, and the score that
// chose is the better one where settings differ by luck alone.
func TestSelect(t *testing.T) {
	t.Parallel()
	over, studies := 0.0, 40
	for k := range studies {
		p, rs := sweep()
		draw := rng.New(rng.Root(11, "select", uint64(k)))
		for i := range rs {
			rs[i].Status, rs[i].Metrics, rs[i].Error = results.Done, []float64{0, draw.Normal()}, ""
		}
		c := compared(t, p, rs, CompareOptions{Select: true})
		var learner Selection
		for _, s := range c.Selections() {
			if s.Arm == "corrected" {
				learner = s
			} else if s.Tried != 1 {
				t.Fatalf("%s tried %d settings", s.Arm, s.Tried)
			}
		}
		if learner.Tried != 2 || !strings.HasPrefix(learner.String(), "learning_rate=0.0") {
			t.Fatalf("chose %v among %d", &learner, learner.Tried)
		}
		over += float64(learner.Chosen-learner.Judged) / float64(studies)
		var row CompareRow
		for _, r := range c.Rows() {
			if r.Arm == "corrected" {
				row = r
			}
		}
		if row.Runs != 6*10 || math.Abs(float64(row.Value-learner.Judged)) > 1e-12 {
			t.Fatalf("the row has %d runs and %v, the selection %v", row.Runs, row.Value, learner.Judged)
		}
		for i := range rs { // luck of the half that judges does not choose
			if rs[i].Replication%2 == 1 {
				rs[i].Metrics[1] += 3 * draw.Normal()
			}
		}
		again := compared(t, p, rs, CompareOptions{Select: true}).Selections()
		if again[2].Chosen != learner.Chosen || again[2].String() != learner.String() {
			t.Fatalf("other scores of odd replications chose %v, before %v", again[2].String(), learner.String())
		}
	}
	// The mean of 60 normals has the standard deviation .129; of two such, the larger
	// lies .564 of it above (exactly 1/sqrt(pi)), so .073; se .183/sqrt(40) = .029.
	if want := math.Sqrt(1/60.) / math.Sqrt(math.Pi); math.Abs(over-want) > 4*.183/math.Sqrt(40) {
		t.Errorf("the choosing score is %.3f too good on average, want about %.3f", over, want)
	}
}

func TestSelectRefuses(t *testing.T) {
	t.Parallel()
	p, rs := many() // its rows have environment and settings drawn together
	p.study.Replications = 2
	twice := append([]results.Record(nil), rs...)
	for _, r := range rs {
		r.Trial, r.Replication = r.Trial+p.Points(), 1
		twice = append(twice, r)
	}
	if _, err := mustBuild(t, p, twice).Compare(CompareOptions{Select: true}); err == nil || !strings.Contains(err.Error(), "cross them") {
		t.Errorf("settings under different environments: %v", err)
	}
}

// TestSelectShared: a shared factor that only agents refer to is a setting, and
// arms are compared at the setting each of them has chosen.
func TestSelectShared(t *testing.T) {
	t.Parallel()
	p, rs := tasks("regret")
	p.study.Baseline = "equal"
	c := compared(t, p, rs, CompareOptions{Select: true})
	for _, s := range c.Selections() {
		if want := map[string]int{"equal": 1, "learner": 3, "late-comer": 1}[s.Arm]; s.Tried != want {
			t.Errorf("%s on %s tried %d settings, want %d", s.Arm, s.Task, s.Tried, want)
		}
	}
	for _, r := range c.Rows() {
		if r.Points != 1 || r.Runs != 3 {
			t.Errorf("%s on %s has %d points and %d runs, want one chosen setting on 3 replications", r.Arm, r.Task, r.Points, r.Runs)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	t.Parallel()
	p, rs := tasks("regret")
	m := mustBuild(t, p, rs)
	for want, o := range map[string]CompareOptions{
		"has no baseline":        {},
		"no arm \"nobody\"":      {Against: "nobody"},
		"choose one of them":     {Against: "equal", AllPairs: true},
		"is about means":         {AllPairs: true, Test: ByT},
		"write permutation or t": {AllPairs: true, Test: "tea"},
	} {
		if _, err := m.Compare(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, want %q", o, err, want)
		}
	}
	small, err := build(p.study, p, each(rs), Options{}, limits{5, 5})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := small.Compare(CompareOptions{AllPairs: true}); err == nil || !strings.Contains(err.Error(), "overnight export") {
		t.Errorf("too many trials give %v", err)
	}
}

func TestCompareGolden(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		study string
		o     CompareOptions
	}{
		"sweep":        {"sweep", CompareOptions{}},
		"sweep-select": {"sweep", CompareOptions{Select: true}},
		"sweep-points": {"sweep", CompareOptions{ByPoint: true}},
		"tasks":        {"tasks", CompareOptions{Against: "equal"}},
		"tasks-pooled": {"tasks-pooled", CompareOptions{AllPairs: true}},
		"many":         {"many", CompareOptions{}},
		"unfinished":   {"unfinished", CompareOptions{}},
		"empty":        {"empty", CompareOptions{Against: "equal"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := studies(t)[c.study]
			table, err := m.Compare(c.o)
			if err != nil {
				t.Fatal(err)
			}
			for _, width := range []int{60, 80, 120, 200, 0} {
				file := fmt.Sprintf("%s-compare-%d.txt", name, width)
				got := rendered(t, table, Style{Width: width})
				fits(t, file, got, width)
				golden(t, file, got)
			}
			golden(t, name+"-compare.json", rendered(t, table, Style{Format: JSON}))
			golden(t, name+"-compare.csv", rendered(t, table, Style{Format: CSV}))
		})
	}
}

// TestCompareRepeats: the same records give the same bytes.
func TestCompareRepeats(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	a, b := compared(t, p, rs, CompareOptions{AllPairs: true}), compared(t, p, rs, CompareOptions{AllPairs: true})
	if diff := cmp.Diff(a.Rows(), b.Rows(), cmpopts.EquateNaNs(), cmpopts.IgnoreUnexported(CompareRow{})); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkCompare compares three arms in a study of 100,000 trials: over all
// points and per point, by mean and by IQM.
func BenchmarkCompare(b *testing.B) {
	draw := rng.New(rng.Root(13, "bench"))
	scores := make([]stats.Scores, 3)
	for arm := range scores {
		for range 1667 {
			runs := make([]float64, 20)
			draw.Normals(runs)
			scores[arm] = append(scores[arm], runs)
		}
	}
	for _, summary := range []string{"mean", "iqm"} {
		p, rs := duet(summary, jobs.PairedAll, scores...)
		m := mustBuild(b, p, rs)
		for name, o := range map[string]CompareOptions{"arms": {}, "points": {ByPoint: true}} {
			b.Run(summary+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if _, err := m.Compare(o); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestCompareStops: where points stop by themselves, two arms are compared over
// what the one has that stopped first, and no pair is called lacking.
func TestCompareStops(t *testing.T) {
	t.Parallel()
	s := parse(t, `
study: stops
env: {name: marketing}
agents: [{name: random}, {name: equal}]
baseline: random
replications: {min: 6, max: 24, check_at: [6, 12, 24], until: {half_width: 0.5}}
`)
	at := slices.Index(s.Metrics, s.Objective.Metric)
	records := func(yield func(results.Record, error) bool) {
		for trial := range s.Trials() {
			point, r := s.Split(trial)
			rec := results.Record{Trial: trial, Point: point, Replication: r, Status: results.Done, Metrics: make([]float64, len(s.Metrics))}
			draw := rng.New(rng.Root(12, "stops", point).At(r))
			spread := .1 // random is settled at once
			if point == 1 {
				spread = 3
			}
			rec.Metrics[at] = 10*float64(point) + spread*draw.Normal()
			if !yield(rec, nil) {
				return
			}
		}
	}
	m, err := Build(s, records, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Planned(0) != 6 || m.Planned(1) != 24 {
		t.Fatalf("the points have %d and %d replications, want 6 and 24", m.Planned(0), m.Planned(1))
	}
	for _, against := range []string{"random", "equal"} {
		c, err := m.Compare(CompareOptions{Against: against})
		if err != nil {
			t.Fatal(err)
		}
		if r := c.Rows()[0]; r.Lacking != 0 || r.Runs != 6 || r.Units != 6 {
			t.Errorf("against %s: %d pairs over %d replications, %d lacking; want 6, 6, 0", against, r.Runs, r.Units, r.Lacking)
		}
	}
}
