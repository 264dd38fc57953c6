package report

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"overnight/jobs"
	"overnight/jobs/design"
	"overnight/results/sensitivity"
	"overnight/results/stats"
)

// The methods of sensitivity analysis, by their name on the command line.
const (
	SobolIndices = "sobol"   // first order, total, second order; of a saltelli design
	MorrisScreen = "morris"  // mu, mu*, sigma; of a morris design
	EffectShares = "effects" // main effects and two-way interactions; of grids, oat and ccd
	RankPRCC     = "prcc"    // partial rank correlation, with FANOVA beside it; of samples
	ForestFANOVA = "fanova"  // importance by a random forest; of any study
)

// SensitivityOptions say what Sensitivity does.
type SensitivityOptions struct {
	// Method is one of the methods. Defaults to what the design is for: sobol,
	// morris, effects, prcc, and fanova for lists and crossed designs.
	Method string
	// Second shows interactions of two factors in a text too; JSON always has
	// them.
	Second bool
	// Stop is asked before each analysis of an arm, by several goroutines; its error
	// ends all. Nil: nothing does.
	Stop func() error
}

// SensitivityTable is what the objective depends on, arm by arm.
type SensitivityTable struct {
	m    *Model
	o    SensitivityOptions
	arms []SensitivityArm
}

// Arms returns the analyses, task by task and arm by arm; of crossed designs with
// a saltelli or morris part, one for each combination of the other factors.
func (t *SensitivityTable) Arms() []SensitivityArm { return t.arms }

// SensitivityArm is the analysis of one arm on one task.
type SensitivityArm struct {
	Task, Arm string
	Line      Line   // its indices; Points are those analysed
	Within    string // "delay=late": the levels of factors held fixed; or ""
	Method    string
	Design    string // the kind of the sample
	// Result has Factors in the order of this arm's Factors, without luck.
	Result sensitivity.Result
	// Factors are the factors, then luck.
	Factors []SensitivityFactor
	Pairs   []SensitivityPair
	Notes   []string

	moved   float64 // see settled
	settled string
}

// SensitivityFactor is a factor of an arm, or luck.
type SensitivityFactor struct {
	Name   string // its column, or Luck
	Factor int    // index of Study.Factors; -1: luck
	sensitivity.Index
	// Levels are the mean objective at each level over everything else, ranges in
	// bins; nil for luck.
	Levels []SensitivityLevel
}

// IsLuck tells whether the row is luck.
func (f *SensitivityFactor) IsLuck() bool { return f.Factor < 0 }

// SensitivityLevel is the mean of the objective at a level.
type SensitivityLevel struct {
	Name string
	// Value is the level's number, of a range the middle of the bin (the mean of
	// its values); NaN of what is no number.
	Value  float64
	Points int
	Mean   stats.Estimated
}

// SensitivityPair is two factors together.
type SensitivityPair struct {
	A, B int // positions in Factors
	sensitivity.Pair
	// Means is the mean objective at each level of A (outer) and B, as the Levels of
	// the two number them; NaN where no point stands.
	Means [][]float64
}

// Sensitivity analyses every arm on every task by the method that its design is
// for, or by the one asked for. It has no row for an arm at which no factor
// varies, and none above MaxTrials. The error says which method does not fit the
// design, and which does.
func (m *Model) Sensitivity(o SensitivityOptions) (*SensitivityTable, error) {
	t := &SensitivityTable{m: m, o: o}
	switch o.Method {
	case "", SobolIndices, MorrisScreen, EffectShares, RankPRCC, ForestFANOVA:
	default:
		return nil, fmt.Errorf("there is no method %q of sensitivity; write sobol, morris, effects, prcc or fanova", o.Method)
	}
	if !m.whole() || m.reps == 0 {
		return t, nil
	}
	lines := m.Lines()
	arms, errs := make([][]SensitivityArm, len(lines)), make([]error, len(lines))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, l := range lines {
		work.Go(func() error {
			arms[i], errs[i] = m.sensitivityOf(l, o)
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	for _, err := range errs { // the first arm's, whichever was found first
		if err != nil {
			return nil, err
		}
	}
	t.arms = slices.Concat(arms...)
	return t, nil
}

// sensitivityOf analyses a line; of a crossed design with a part that is made for
// indices, once for each combination of the other parts.
func (m *Model) sensitivityOf(l Line, o SensitivityOptions) ([]SensitivityArm, error) {
	method := o.Method
	if len(m.varying(l.Points)) == 0 {
		return nil, nil
	}
	kind := m.design()
	fits := ForestFANOVA
	first, sampled := m.sample(l.Points[0])
	switch {
	case sampled:
		if kind = first.Kind; m.crossed() {
			kind = "crossed with " + kind
		}
		switch first.Kind {
		case design.Saltelli:
			fits = SobolIndices
		case design.Morris:
			fits = MorrisScreen
		case design.OAT, design.CCD:
			fits = EffectShares
		default:
			fits = RankPRCC
		}
	case m.design() == jobs.GridDesign || m.crossed():
		fits = EffectShares
	}
	if method == "" {
		method = fits
	}
	forced := func() error {
		return fmt.Errorf("method %s does not fit the design of study %q, where arm %s is laid out as %s: write --method %s, or fanova, which fits any", method, m.Study.Name, m.Study.Arms[l.Arm].Label, kind, fits)
	}
	switch {
	case method == SobolIndices && first.Kind != design.Saltelli,
		method == MorrisScreen && first.Kind != design.Morris,
		method == EffectShares && sampled && fits != EffectShares:
		return nil, forced()
	}
	strata := [][]int{l.Points}
	if sampled && (method == SobolIndices || method == MorrisScreen || method == EffectShares) {
		strata = m.strata(l.Points)
	}
	var arms []SensitivityArm
	for i, points := range strata {
		if err := stopped(o.Stop); err != nil {
			return nil, err
		}
		a := SensitivityArm{Task: m.Study.Tasks[l.Task].Label, Arm: m.Study.Arms[l.Arm].Label, Method: method, Design: kind,
			Line: Line{Task: l.Task, Arm: l.Arm, Points: points}}
		if len(strata) > 1 {
			a.Within = m.fixed(l.Points, points)
		}
		x := &analysis{m: m, arm: &a, runs: m.runs(points), points: points, sample: first, sampled: sampled}
		x.run(uint64(i))
		if len(a.Factors) > 0 {
			arms = append(arms, a)
		}
	}
	return arms, nil
}

// design is the kind of the study's design.
func (m *Model) design() string { return m.Study.Design.Kind }

func (m *Model) crossed() bool { return m.design() == jobs.CrossedDesign }

// sample returns where a point of a design comes from.
func (m *Model) sample(point int) (jobs.Sample, bool) {
	if s, ok := m.layout.(interface {
		Sample(point uint64) (jobs.Sample, bool)
	}); ok {
		return s.Sample(uint64(point))
	}
	return jobs.Sample{}, false
}

// varying returns the factors that apply at all points and differ between some.
func (m *Model) varying(points []int) []int {
	var all []int
	for f := range m.Study.Factors {
		first, differs := m.scales.at(points[0])[f], false
		for _, p := range points {
			n := m.scales.at(p)[f]
			if n < 0 {
				differs = false
				break
			}
			differs = differs || n != first
		}
		if differs {
			all = append(all, f)
		}
	}
	return all
}

// strata parts points by the combination of the other parts' rows.
func (m *Model) strata(points []int) [][]int {
	number := map[uint64]int{}
	var all [][]int
	for _, p := range points {
		s, _ := m.sample(p)
		n, ok := number[s.Stratum]
		if !ok {
			n = len(all)
			number[s.Stratum] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], p)
	}
	return all
}

// fixed names the levels that vary over all points and not over some.
func (m *Model) fixed(all, some []int) string {
	short := shortNames(m.Study.Columns())
	vary := m.varying(some)
	var parts []string
	for _, f := range m.varying(all) {
		if !slices.Contains(vary, f) {
			parts = append(parts, short[f]+"="+m.scales.shown(some[0], f))
		}
	}
	return strings.Join(parts, ", ")
}
