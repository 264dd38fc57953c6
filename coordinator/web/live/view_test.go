package live

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/catalog"
	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
	"overnight/results/report"
	"overnight/results/stats"
	"overnight/results/storetest"
)

const file = `
study: one
env: {name: marketing, delay: {grid: {none: [1], late: [0, 1]}}, volatility_scale: {grid: [0, 0.5, 1]}}
agents: [{name: random}, {as: learner, name: reinforce, learning_rate: {grid: [0.1, 0.2]}}, {name: equal}]
baseline: random
replications: 7
train: {episodes: 20}
record: {curves: {points: 10}}
objective: {metric: optimality, goal: maximize}
`

func parse(t testing.TB, src string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("x.yaml", []byte(src), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plan puts a study into a store.
func plan(t testing.TB, s results.Store, study *jobs.Study) results.Plan {
	t.Helper()
	p := results.Plan{
		Study: study.Name, Identity: strings.Repeat("a", 64), Engine: jobs.EngineVersion, Points: study.Points(), Trials: study.Trials(),
		Metrics: study.Metrics, Objective: slices.Index(study.Metrics, study.Objective.Metric), Generation: 1, State: results.Running,
		Created: time.Now(), Body: []byte("{}"), Source: []byte("x"),
	}
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// record makes the record of a trial up: its scores are drawn from its number.
func record(study *jobs.Study, trial uint64) results.Record {
	stream := rng.New(rng.Root(1, "test/live", trial))
	r := results.Record{Trial: trial, Point: trial % study.Points(), Replication: trial / study.Points(), Status: results.Done, Attempts: 1}
	switch u := stream.Float64(); {
	case u < 0.02:
		r.Status, r.Error = results.Failed, fmt.Sprintf("trial %d went wrong\nat length", trial)
		return r
	case u < 0.03:
		r.Status, r.Error = results.Dead, "killed"
		return r
	}
	for range study.Metrics {
		r.Metrics = append(r.Metrics, stream.Float64())
	}
	for _, name := range []string{"loss", "return"} {
		c := results.Curve{Name: name}
		for x := range 5 {
			c.X, c.Y = append(c.X, float64(x)), append(c.Y, stream.Float64())
		}
		r.Curves = append(r.Curves, c)
	}
	return r
}

func commit(t testing.TB, s results.Store, study *jobs.Study, trials []uint64) {
	t.Helper()
	var rs []results.Record
	for _, i := range trials {
		rs = append(rs, record(study, i))
	}
	p, err := s.Plan(t.Context(), study.Name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), study.Name, p.Generation, rs); err != nil {
		t.Fatal(err)
	}
}

func numbers(from, to uint64) []uint64 {
	var all []uint64
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// read reads all there is.
func read(t testing.TB, v *View) {
	t.Helper()
	for {
		more, err := v.Read(t.Context(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

func figures(t testing.TB, v *View) []figure.Figure {
	t.Helper()
	list, more, err := v.Figures(t.Context(), time.Hour)
	if err != nil || more {
		t.Fatal(more, err)
	}
	return list
}

// TestAgainstReport holds the view against the tables, which are computed by other
// code from all records at once: means of points, their order, failures.
func TestAgainstReport(t *testing.T) {
	t.Parallel()
	study := parse(t, file)
	s := storetest.NewMemory(time.Now)
	plan(t, s, study)
	commit(t, s, study, numbers(0, study.Trials()-9)) // the last replication is not complete
	v, err := New(study, study.Name, s)
	if err != nil {
		t.Fatal(err)
	}
	read(t, v)
	m, err := report.Build(study, s.Scan(t.Context(), study.Name, 0, study.Trials()), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table, err := m.PointTable()
	if err != nil {
		t.Fatal(err)
	}
	type standing struct {
		Point, N uint64
		Mean     float64
	}
	var want, got []standing
	for p := range int(study.Points()) {
		if r := table.Row(p); r.N > 0 {
			want = append(want, standing{r.Point, r.N, float64(r.Mean)})
		}
	}
	slices.SortFunc(want, func(a, b standing) int {
		if a.Mean != b.Mean {
			if a.Mean > b.Mean {
				return -1
			}
			return 1
		}
		return int(a.Point) - int(b.Point)
	})
	leaders, err := v.Leaders(10)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range leaders {
		got = append(got, standing{l.Point, l.N, l.Mean})
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	if diff := cmp.Diff(want[:10], got, near); diff != "" {
		t.Errorf("leaders (-table +live):\n%s", diff)
	}
	list, n, err := v.Failures(1000)
	if err != nil || n != m.Failing || len(list) != n || n == 0 {
		t.Errorf("%d failing points, listed %d (%v), and the table has %d", n, len(list), err, m.Failing)
	}
	for i, f := range list {
		if i > 0 && f.Trial > list[i-1].Trial {
			t.Error("failures are not in order")
		}
		last := uint64(0)
		count := uint64(0)
		for r, err := range s.Scan(t.Context(), study.Name, 0, study.Trials()) {
			if err == nil && r.Point == f.Point && r.Status != results.Done {
				count++
				last = r.Trial
			}
		}
		r := record(study, last)
		line, _, _ := strings.Cut(r.Error, "\n")
		if f.Trials != count || f.Trial != last || f.Error != line || f.Status != r.Status.String() {
			t.Errorf("%+v, want %d trials and %q of trial %d", f, count, line, last)
		}
	}
	// Intervals are over the complete replications of each line, by definition.
	var panel figure.Panel
	for _, f := range figures(t, v) {
		if f.ID == "live-intervals" {
			panel = f.Panels[0]
		}
	}
	for i, l := range m.Lines() {
		var means []float64
		scores := m.Scores(l.Points)
		for r := range study.Replications - 1 {
			var column []float64
			for p := range scores {
				if x := scores[p][r]; !math.IsNaN(x) {
					column = append(column, x)
				}
			}
			means = append(means, stats.Mean(column))
		}
		want := stats.Live(means, 0.95)
		if i == 0 { // its points come first, so its last replication is complete
			var column []float64
			for p := range scores {
				if x := scores[p][study.Replications-1]; !math.IsNaN(x) {
					column = append(column, x)
				}
			}
			want = stats.Live(append(means, stats.Mean(column)), 0.95)
		}
		low, high := float64(panel.Series[i].Low[i]), float64(panel.Series[i].High[i])
		if !want.Known() || math.Abs(low-want.Low) > 1e-12 || math.Abs(high-want.High) > 1e-12 {
			t.Errorf("%s: %v to %v, want %+v", panel.Series[i].Name, low, high, want)
		}
	}
}

// TestAnyOrder holds that a view does not depend on the order in which records
// came, nor on how they were read.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	study := parse(t, file)
	var want string
	for round := range 4 {
		s := storetest.NewMemory(time.Now)
		plan(t, s, study)
		v, err := New(study, study.Name, s)
		if err != nil {
			t.Fatal(err)
		}
		order := numbers(0, study.Trials())
		stream := rng.New(rng.Root(uint64(round), "test/order"))
		for i := range order {
			k := i + int(stream.Float64()*float64(len(order)-i))
			order[i], order[k] = order[k], order[i]
		}
		step := []int{len(order), 1, 13, 60}[round]
		for len(order) > 0 {
			n := min(step, len(order))
			commit(t, s, study, order[:n])
			order = order[n:]
			if round > 0 {
				read(t, v)
			}
			if round == 2 {
				figures(t, v) // curves are read, and go again
			}
		}
		read(t, v)
		leaders, err := v.Leaders(50)
		if err != nil {
			t.Fatal(err)
		}
		for i := range leaders { // means are summed in the order of reading
			leaders[i].Mean = math.Round(leaders[i].Mean*1e9) / 1e9
		}
		failed, n, err := v.Failures(50)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%+v\n%+v %d", leaders, failed, n)
		for _, f := range figures(t, v) {
			if f.ID != "live-map" {
				got += fmt.Sprintf("\n%+v", f)
			}
		}
		if want == "" {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("round %d:\n%s", round, diff)
		}
	}
}

// countingStore counts the records that are read.
type countingStore struct {
	results.Records
	n int
}

func (c *countingStore) Scan(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for r, err := range c.Records.Scan(ctx, study, from, to) {
			c.n++
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestReadsWhatIsNew holds that records are read once, but for a few in between.
func TestReadsWhatIsNew(t *testing.T) {
	t.Parallel()
	study := parse(t, strings.Replace(file, "record: {curves: {points: 10}}\n", "", 1))
	s := storetest.NewMemory(time.Now)
	plan(t, s, study)
	c := &countingStore{Records: s}
	v, err := New(study, study.Name, c)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, study, numbers(0, 40))
	read(t, v)
	if c.n != 40 {
		t.Errorf("%d records read of 40", c.n)
	}
	read(t, v)
	if c.n != 40 {
		t.Errorf("%d records read where nothing is new", c.n)
	}
	commit(t, s, study, append(numbers(50, 60), 110, 130))
	read(t, v)
	if n, of := v.Count(); c.n != 52 || n != 52 || of != 52 {
		t.Errorf("%d records read for 52; the view has %d of %d", c.n, n, of)
	}
	commit(t, s, study, numbers(41, 43))
	read(t, v)
	if c.n != 54 {
		t.Errorf("%d records read for 54", c.n)
	}
	commit(t, s, study, []uint64{40, 49}) // 41 and 42 lie between
	read(t, v)
	if c.n != 58 {
		t.Errorf("%d records read, want 56 and two again", c.n)
	}
}

// TestBeginsAnew holds that records that are discarded leave no trace.
func TestBeginsAnew(t *testing.T) {
	t.Parallel()
	study := parse(t, file)
	s := storetest.NewMemory(time.Now)
	plan(t, s, study)
	v, err := New(study, study.Name, s)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, study, numbers(0, 90))
	read(t, v)
	figures(t, v)
	if _, err := s.Discard(t.Context(), study.Name, numbers(30, 60)); err != nil {
		t.Fatal(err)
	}
	commit(t, s, study, numbers(90, 121)) // more than were discarded
	read(t, v)
	again, err := New(study, study.Name, s)
	if err != nil {
		t.Fatal(err)
	}
	read(t, again)
	if diff := cmp.Diff(fmt.Sprintf("%+v", figures(t, again)), fmt.Sprintf("%+v", figures(t, v))); diff != "" {
		t.Error(diff)
	}
	if n, of := v.Count(); n != 91 || of != 91 {
		t.Errorf("%d of %d", n, of)
	}
}

// TestBudget holds that reading stops when its time is over, and goes on.
func TestBudget(t *testing.T) {
	t.Parallel()
	study := parse(t, file)
	s := storetest.NewMemory(time.Now)
	plan(t, s, study)
	commit(t, s, study, append(numbers(0, 50), numbers(100, 150)...))
	v, err := New(study, study.Name, s)
	if err != nil {
		t.Fatal(err)
	}
	rounds := 0
	for more := true; more; rounds++ {
		if more, err = v.Read(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if n, of := v.Count(); rounds < 2 || n != 100 || of != 100 {
		t.Errorf("%d rounds, %d of %d", rounds, n, of)
	}
	if _, more, err := v.Figures(t.Context(), 0); err != nil || !more {
		t.Errorf("%v %v, want curves to be left", more, err)
	}
}

// TestDamaged holds that a record that can't be read is passed over.
func TestDamaged(t *testing.T) {
	t.Parallel()
	study := parse(t, file)
	s := storetest.NewMemory(time.Now)
	plan(t, s, study)
	commit(t, s, study, numbers(0, 30))
	v, err := New(study, study.Name, damagedStore{s})
	if err != nil {
		t.Fatal(err)
	}
	read(t, v)
	if n, of := v.Count(); n != 30 || of != 30 {
		t.Errorf("%d of %d", n, of)
	}
	figures(t, v)
}

// damagedStore can't read trial 7.
type damagedStore struct{ results.Records }

func (d damagedStore) Scan(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for r, err := range d.Records.Scan(ctx, study, from, to) {
			if r.Trial == 7 {
				r, err = results.Record{Trial: 7}, results.ErrDamaged
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestArmWithoutScores holds that an arm that only fails is named.
func TestArmWithoutScores(t *testing.T) {
	t.Parallel()
	study, s := parse(t, file), storetest.NewMemory(time.Now)
	p := plan(t, s, study)
	for i := range study.Points() {
		r := record(study, i)
		r.Status, r.Error = results.Done, ""
		r.Metrics = slices.Repeat([]float64{1}, len(study.Metrics))
		if _, arm := study.Pair(i); study.Arms[arm].Label == "equal" {
			r = results.Record{Trial: i, Point: i, Status: results.Failed, Attempts: 1, Error: "no"}
		}
		if _, err := s.Commit(t.Context(), p.Study, p.Generation, []results.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	v, err := New(study, p.Study, s)
	if err != nil {
		t.Fatal(err)
	}
	read(t, v)
	if note := figures(t, v)[0].Note; !strings.Contains(note, "none of their runs that have ended has a score: equal (6)") {
		t.Errorf("note %q", note)
	}
}

// TestViewOfFewer: a study that asked for more once is shown, without what it does
// not want any more, and each record is read once.
func TestViewOfFewer(t *testing.T) {
	t.Parallel()
	study := parse(t, file)
	s := storetest.NewMemory(time.Now)
	p := plan(t, s, study)
	rs := make([]results.Record, 0, p.Trials)
	for i := range p.Trials {
		rs = append(rs, record(study, i))
	}
	if _, err := s.Commit(t.Context(), p.Study, p.Generation, rs); err != nil {
		t.Fatal(err)
	}
	fewer := parse(t, strings.Replace(file, "replications: 7", "replications: 3", 1))
	v, err := New(fewer, p.Study, s)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if more, err := v.Read(t.Context(), time.Minute); more || err != nil {
			t.Fatalf("more %v, %v", more, err)
		}
	}
	if read, of := v.Count(); read != of || of != p.Trials {
		t.Errorf("%d of %d records read, want all %d", read, of, p.Trials)
	}
	for i, c := range v.cells {
		if c.records != 3 {
			t.Errorf("point %d has %d records, want 3", i, c.records)
		}
	}
}
