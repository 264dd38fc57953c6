package export

import (
	"encoding/json"
	"iter"
	"math"
	"slices"

	"overnight/jobs"
	"overnight/jobs/design"
	"overnight/results"
)

// SALib is what SALib's analyses take: a sample for each arm, task and level of
// whatever the sample is crossed with.
type SALib struct {
	Study   string        `json:"study"`
	Metric  string        `json:"metric"`
	Samples []SALibSample `json:"samples"`
}

// SALibSample is a problem with its inputs and outputs.
type SALibSample struct {
	Arm    string            `json:"arm"`
	Task   string            `json:"task"`
	Levels map[string]string `json:"levels"` // of the factors that are the same in all rows
	// Kind is the design's: rows of saltelli and morris stand in the order that
	// SALib.analyze.sobol and SALib.analyze.morris expect.
	Kind        string  `json:"kind"`
	SecondOrder bool    `json:"second_order"`         // of saltelli: calc_second_order
	NumLevels   int     `json:"num_levels,omitempty"` // of morris
	Problem     Problem `json:"problem"`
	// X has a row for each run of the model, a column for each name; a level that is
	// no number stands as its index in LevelNames.
	X [][]float64 `json:"X"`
	// Y is the mean over replications, YRuns[r] replication r; null where all are
	// missing, or that one.
	Y     []value   `json:"Y"`
	YRuns [][]value `json:"Y_runs"`
	// Missing counts the nulls of YRuns, Holes those of Y.
	Missing    int                 `json:"missing"`
	Holes      int                 `json:"holes"`
	LevelNames map[string][]string `json:"level_names,omitempty"`
}

// Problem is a problem of SALib.
type Problem struct {
	NumVars int          `json:"num_vars"`
	Names   []string     `json:"names"`
	Bounds  [][2]float64 `json:"bounds"` // of norm: mean and standard deviation
	Dists   []string     `json:"dists"`
	Groups  []string     `json:"groups"` // null: none
}

// value is a number that is null where it is NaN.
type value float64

// MarshalJSON implements json.Marshaler.
func (v value) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(v)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(v))
}

// sampled is one sample's points.
type sampled struct {
	jobs.Sample
	task, arm int
	rows      []uint64 // of the part
	points    []int
}

// ToSALib reads a metric in that shape. Arms at which no factor varies have no
// sample.
func ToSALib(s *jobs.Study, metric string, records iter.Seq2[results.Record, error]) (*SALib, error) {
	g, err := read(s, metric, records)
	if err != nil {
		return nil, err
	}
	type address struct {
		task, arm int
		stratum   uint64
	}
	var order []*sampled
	at := map[address]*sampled{}
	for i := range g.points {
		p := &g.points[i]
		from, ok := s.Sample(uint64(i))
		if !ok {
			from = jobs.Sample{Kind: s.Design.Kind, Row: uint64(i), Factors: g.varying(p)}
		}
		if len(from.Factors) == 0 {
			continue
		}
		k := address{p.Task, p.Arm, from.Stratum}
		if at[k] == nil {
			at[k] = &sampled{Sample: from, task: p.Task, arm: p.Arm}
			order = append(order, at[k])
		}
		at[k].rows, at[k].points = append(at[k].rows, from.Row), append(at[k].points, i)
	}
	out := &SALib{Study: s.Name, Metric: metric, Samples: []SALibSample{}}
	for _, from := range order {
		out.Samples = append(out.Samples, g.sample(from))
	}
	return out, nil
}

// varying returns the factors of a point that have more than one level.
func (g *grid) varying(p *jobs.Point) []int {
	var all []int
	for _, l := range p.Levels {
		if f := &g.study.Factors[l.Factor]; len(f.Levels) != 1 {
			all = append(all, l.Factor)
		}
	}
	return all
}

// sample writes one sample out.
func (g *grid) sample(from *sampled) SALibSample {
	s := g.study
	out := SALibSample{
		Arm: s.Arms[from.arm].Label, Task: s.Tasks[from.task].Label, Kind: from.Kind, SecondOrder: from.Second,
		Levels: map[string]string{}, LevelNames: map[string][]string{}, Problem: Problem{NumVars: len(from.Factors)},
	}
	if from.Kind == design.Morris {
		out.NumLevels = morrisLevels(&s.Design)
	}
	for _, l := range g.points[from.points[0]].Levels {
		if !slices.Contains(from.Factors, l.Factor) {
			out.Levels[s.Factors[l.Factor].Name] = l.Name
		}
	}
	for _, i := range from.Factors {
		f := &s.Factors[i]
		bounds, dist := rangeOf(f)
		out.Problem.Names = append(out.Problem.Names, f.Name)
		out.Problem.Bounds = append(out.Problem.Bounds, bounds)
		out.Problem.Dists = append(out.Problem.Dists, dist)
		if len(f.Levels) > 0 && !numeric(f) {
			for _, l := range f.Levels {
				out.LevelNames[f.Name] = append(out.LevelNames[f.Name], l.Name)
			}
		}
	}
	out.YRuns = make([][]value, s.Replications)
	for _, k := range from.inOrder() {
		p := &g.points[from.points[k]]
		var x []float64
		for _, i := range from.Factors {
			at := slices.IndexFunc(p.Levels, func(l jobs.PointLevel) bool { return l.Factor == i })
			x = append(x, inputOf(&s.Factors[i], &p.Levels[at]))
		}
		out.X = append(out.X, x)
		sum, n := 0.0, 0
		for r, y := range g.score[p.Index] {
			out.YRuns[r] = append(out.YRuns[r], value(y))
			if math.IsNaN(y) {
				out.Missing++
				continue
			}
			sum += y
			n++
		}
		if n == 0 {
			out.Holes++
		}
		out.Y = append(out.Y, value(sum/float64(n))) // NaN of none
	}
	return out
}

// inOrder returns the positions of the points in SALib's order: of saltelli each
// base sample has A, AB, BA, B, where ours has A, B, AB, BA.
func (f *sampled) inOrder() []int {
	order := make([]int, len(f.rows))
	for i := range order {
		order[i] = i
	}
	d := len(f.Factors)
	place := func(i int) uint64 {
		if f.Kind != design.Saltelli {
			return f.rows[i]
		}
		base, block, column := design.SaltelliRow(f.rows[i], d, f.Second)
		n := design.SaltelliRows(d, f.Second)
		at := uint64(0)
		switch block {
		case design.BlockB:
			at = n - 1
		case design.BlockAB:
			at = 1 + uint64(column)
		case design.BlockBA:
			at = 1 + uint64(d+column)
		}
		return base*n + at
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := place(a), place(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return order
}

// morrisLevels returns the grid of the ranges in a design's part of kind morris.
func morrisLevels(d *jobs.Design) int {
	if d.Kind == design.Morris {
		if d.Levels == 0 {
			return design.DefaultLevels
		}
		return d.Levels
	}
	for i := range d.Parts {
		if n := morrisLevels(&d.Parts[i]); n > 0 {
			return n
		}
	}
	return 0
}

// numeric tells whether all levels are plain numbers.
func numeric(f *jobs.Factor) bool {
	t := factorType(f)
	return t == Integer || t == Float
}

// inputOf is a level as a number.
func inputOf(f *jobs.Factor, l *jobs.PointLevel) float64 {
	if l.Level >= 0 && !numeric(f) {
		return float64(l.Level)
	}
	switch v := l.Value.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return math.NaN()
}

// rangeOf returns a factor's bounds and distribution by SALib's names.
func rangeOf(f *jobs.Factor) (bounds [2]float64, dist string) {
	switch f.Kind {
	case jobs.Normal:
		return [2]float64{f.Low, f.High}, "norm"
	case jobs.LogUniform:
		return [2]float64{f.Low, f.High}, "logunif"
	case jobs.Uniform, jobs.IntUniform:
		return [2]float64{f.Low, f.High}, "unif"
	}
	bounds = [2]float64{math.Inf(1), math.Inf(-1)}
	for i, l := range f.Levels {
		v := inputOf(f, &jobs.PointLevel{Level: i, Name: l.Name, Value: l.Value})
		bounds[0], bounds[1] = min(bounds[0], v), max(bounds[1], v)
	}
	return bounds, "unif"
}
