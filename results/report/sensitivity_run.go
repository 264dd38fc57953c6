package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/jobs"
	"overnight/jobs/design"
	"overnight/results/sensitivity"
	"overnight/results/stats"
)

// analysis is the sensitivity of one sample of points.
type analysis struct {
	m       *Model
	arm     *SensitivityArm
	points  []int
	runs    stats.Scores // of points
	sample  jobs.Sample  // of the line's first point
	sampled bool
	factors []int // indices of Study.Factors, in the order of the result
}

// run fills in the arm.
func (x *analysis) run(stratum uint64) {
	a, m := x.arm, x.m
	o := sensitivity.Options{
		Level:    level,
		Key:      m.Key("sensitivity/"+a.Method, uint64(a.Line.Task), uint64(a.Line.Arm), stratum),
		Crossed:  m.Study.Paired == jobs.PairedAll,
		Minimize: m.Study.Objective.Minimize,
	}
	size := len(x.points) * m.reps
	if a.Method == RankPRCC { // which ranks anew in every resample
		size = 50 * len(x.points)
	}
	if size > 100_000 { // keeps a table under some seconds
		o.Resamples = max(100_000_000/size, 200)
	}
	x.factors = m.varying(x.points)
	if len(x.factors) == 0 {
		return
	}
	var r *sensitivity.Result
	switch a.Method {
	case SobolIndices:
		r = x.sobol(o)
	case MorrisScreen:
		r = x.morris(o)
	case EffectShares:
		r = x.effects(o)
	case RankPRCC:
		r = x.prcc(o)
	case ForestFANOVA:
		r = x.fanova(o)
	}
	a.Result = *r
	x.levels()
	a.Factors = append(a.Factors, SensitivityFactor{Name: Luck, Factor: -1, Index: r.Luck})
	x.pairs()
	a.Notes = x.notes()
}

// drawn sets the factors to those that the sample draws.
func (x *analysis) drawn() { x.factors = x.sample.Factors }

func (x *analysis) sobol(o sensitivity.Options) *sensitivity.Result {
	x.drawn()
	d := len(x.factors)
	mat := &sensitivity.Matrices{AB: make([][][]float64, d)}
	if x.sample.Second {
		mat.BA = make([][][]float64, d)
	}
	for i, p := range x.points {
		s, _ := x.m.sample(p)
		_, block, column := design.SaltelliRow(s.Row, d, s.Second)
		switch block { // the rows of each block come base sample by base sample
		case design.BlockA:
			mat.A = append(mat.A, x.runs[i])
		case design.BlockB:
			mat.B = append(mat.B, x.runs[i])
		case design.BlockAB:
			mat.AB[column] = append(mat.AB[column], x.runs[i])
		case design.BlockBA:
			mat.BA[column] = append(mat.BA[column], x.runs[i])
		}
	}
	return sensitivity.Sobol(mat, o)
}

func (x *analysis) morris(o sensitivity.Options) *sensitivity.Result {
	x.drawn()
	d := len(x.factors)
	var paths []sensitivity.Trajectory
	for i, p := range x.points {
		s, _ := x.m.sample(p)
		if t, _ := design.MorrisRow(s.Row, d); int(t) == len(paths) {
			paths = append(paths, sensitivity.Trajectory{})
		}
		t := &paths[len(paths)-1]
		t.Runs, t.Changed, t.Step = append(t.Runs, x.runs[i]), append(t.Changed, s.Changed), append(t.Step, s.Step)
	}
	return sensitivity.Morris(paths, d, o)
}

func (x *analysis) effects(o sensitivity.Options) *sensitivity.Result {
	if x.sampled {
		x.drawn()
	}
	switch {
	case x.sampled && x.sample.Kind == design.OAT:
		changed := make([]int, len(x.points))
		for i, p := range x.points {
			s, _ := x.m.sample(p)
			changed[i] = s.Changed
		}
		return sensitivity.OneAtATime(x.runs, changed, len(x.factors), o)
	case x.sampled && x.sample.Kind == design.CCD:
		at := make([][]float64, len(x.factors))
		for f, factor := range x.factors {
			for _, u := range x.unit(factor) {
				at[f] = append(at[f], 2*u-1)
			}
		}
		return sensitivity.Composite(x.runs, at, o)
	}
	g := &sensitivity.Grid{Runs: x.runs, Paired: x.m.Study.Paired != jobs.PairedNone}
	for _, f := range x.factors {
		at, _ := x.numbers(f)
		g.Levels = append(g.Levels, at)
	}
	return sensitivity.Effects(g, o)
}

// prcc ranks what has an order, and stands beside fanova, which sees bends,
// interactions and named levels.
func (x *analysis) prcc(o sensitivity.Options) *sensitivity.Result {
	s := &sensitivity.Sample{Runs: x.runs, Unit: x.rows()}
	var ordered []int // positions in factors
	for i, f := range x.factors {
		if v := x.values(f); v != nil {
			s.X, ordered = append(s.X, v), append(ordered, i)
		}
	}
	forest := x.fanova(o)
	if len(ordered) == 0 {
		return forest
	}
	p := sensitivity.PRCC(s, o)
	for k, i := range ordered {
		f := &forest.Factors[i]
		f.PRCC, f.Steps, f.Holes = p.Factors[k].PRCC, p.Factors[k].Steps, p.Factors[k].Holes
		if p.Factors[k].Told == sensitivity.Told || f.Told == sensitivity.Unknown {
			f.Told = p.Factors[k].Told
		}
	}
	return forest
}

func (x *analysis) fanova(o sensitivity.Options) *sensitivity.Result {
	p := &sensitivity.Points{Runs: x.runs, Unit: x.rows()}
	for _, f := range x.factors {
		c := sensitivity.Column{}
		if x.m.scales.factors[f].continuous() && !x.m.few(f, x.points) {
			c.U = x.unit(f)
		} else {
			var names []string
			c.Level, names = x.numbers(f)
			c.Levels = len(names)
		}
		p.Columns = append(p.Columns, c)
	}
	return sensitivity.FANOVA(p, o)
}

// few tells whether a range has so few values at the points that they are levels:
// those of a Morris grid, of a composite, or of a list.
func (m *Model) few(factor int, points []int) bool {
	seen := map[int32]bool{}
	for _, p := range points {
		seen[m.scales.at(p)[factor]] = true
	}
	return len(seen) <= 8 && len(seen)*4 <= len(points)
}

// rows numbers the rows of the design that the points stand in.
func (x *analysis) rows() []int {
	number := map[uint64]int{}
	at := make([]int, len(x.points))
	for i, p := range x.points {
		row := x.m.scales.row[p]
		n, ok := number[row]
		if !ok {
			n = len(number)
			number[row] = n
		}
		at[i] = n
	}
	if len(number) < 8 && len(number) < len(x.points) {
		return nil // too few to resample: points then
	}
	return at
}

// numbers returns the level of a factor at each point, without gaps, in the order
// of the file or of a range's values, and the levels' names.
func (x *analysis) numbers(factor int) (at []int, names []string) {
	s := &x.m.scales.factors[factor]
	var there []int32
	for _, p := range x.points {
		there = append(there, x.m.scales.at(p)[factor])
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(there)))
	if s.continuous() {
		slices.SortStableFunc(distinct, func(a, b int32) int { return cmp.Compare(s.values[a], s.values[b]) })
	}
	number := map[int32]int{}
	for n, l := range distinct {
		number[l] = n
		name := s.names[l]
		if s.continuous() {
			name = formatFor(s.values[l], math.NaN()).text(s.values[l])
		}
		names = append(names, name)
	}
	at = make([]int, len(there))
	for i, l := range there {
		at[i] = number[l]
	}
	return at, names
}

// values returns a factor's values for ranking: numbers, or the order of two
// levels; nil of more levels that are not numbers.
func (x *analysis) values(factor int) []float64 {
	v := make([]float64, len(x.points))
	numbers := true
	for i, p := range x.points {
		v[i] = x.m.Level(p, factor).Value
		numbers = numbers && !math.IsNaN(v[i])
	}
	if numbers {
		return v
	}
	at, names := x.numbers(factor)
	if len(names) > 2 {
		return nil
	}
	for i := range v {
		v[i] = float64(at[i])
	}
	return v
}

// unit returns where in its range a factor's values lie, from 0 to 1.
func (x *analysis) unit(factor int) []float64 {
	f := &x.m.Study.Factors[factor]
	law := distuv.Normal{Mu: f.Low, Sigma: f.High}
	u := make([]float64, len(x.points))
	for i, p := range x.points {
		v := x.m.Level(p, factor).Value
		switch f.Kind {
		case jobs.LogUniform:
			u[i] = math.Log(v/f.Low) / math.Log(f.High/f.Low)
		case jobs.Normal:
			u[i] = law.CDF(v)
		default:
			u[i] = (v - f.Low) / (f.High - f.Low)
		}
		u[i] = min(max(u[i], 0), 1)
	}
	return u
}

// shownNumber is a number with four significant digits.
func shownNumber(v float64) string { return formatFor(v, math.NaN()).text(v) }

// count writes a number of things.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
