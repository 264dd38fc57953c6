package report

import (
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
