package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/results"
)

// MaxShape is how many scores a shape holds: they are read into memory at once.
const MaxShape = 5_000_000

// grid is one metric of all trials, by point and replication, with the points.
type grid struct {
	study  *jobs.Study
	points []jobs.Point // Task, Arm and Levels alone
	score  [][]float64  // NaN where there is none
}

// read reads one metric of the replications that points are compared by.
func read(s *jobs.Study, metric string, records iter.Seq2[results.Record, error]) (*grid, error) {
	at := slices.Index(s.Metrics, metric)
	switch {
	case at < 0:
		return nil, fmt.Errorf("study %q has no metric %q; it has %q", s.Name, metric, s.Metrics)
	case s.Points() > MaxShape || s.Trials() > MaxShape:
		return nil, fmt.Errorf("study %q has %d trials, more than the %d of a shape; export them as parquet", s.Name, s.Trials(), MaxShape)
	}
	g := &grid{study: s, points: make([]jobs.Point, s.Points()), score: make([][]float64, s.Points())}
	var p jobs.Point
	for i := range g.points {
		if err := s.Resolve(uint64(i), &p); err != nil {
			return nil, fmt.Errorf("point %d of study %q: %w", i, s.Name, err)
		}
		g.points[i] = jobs.Point{Index: uint64(i), Task: p.Task, Arm: p.Arm, Levels: slices.Clone(p.Levels)}
		g.score[i] = slices.Repeat([]float64{math.NaN()}, int(s.Replications))
	}
	for r, err := range records {
		switch {
		case errors.Is(err, results.ErrDamaged):
			continue // missing, and counted as such
		case err != nil:
			return nil, fmt.Errorf("read the records of study %q: %w", s.Name, err)
		case r.Point >= s.Points() || r.Replication >= s.Replications:
			return nil, fmt.Errorf("study %q has no point %d, replication %d, of which the store has a record", s.Name, r.Point, r.Replication)
		case r.Status == results.Done && at < len(r.Metrics) && !math.IsInf(r.Metrics[at], 0):
			g.score[r.Point][r.Replication] = r.Metrics[at]
		}
	}
	return g, nil
}

// goal says which way the objective is better; "" of other metrics.
func (g *grid) goal(metric string) string {
	switch o := g.study.Objective; {
	case o.Metric != metric:
		return ""
	case o.Minimize:
		return "minimize"
	}
	return "maximize"
}

// describe names the levels of some factors at a point, "delay=none, lr=0.01".
func (g *grid) describe(p *jobs.Point, factor func(int) bool) string {
	var parts []string
	for _, l := range p.Levels {
		if factor(l.Factor) {
			name := g.study.Factors[l.Factor].Name
			parts = append(parts, name[strings.LastIndexByte(name, '.')+1:]+"="+l.Name)
		}
	}
	return strings.Join(parts, ", ")
}

// Rliable is what rliable (Agarwal et al., NeurIPS 2021) takes: for each arm, or
// each setting of an arm, a matrix of runs by tasks. Its tasks are the study's
// tasks at each combination of the environment's levels.
type Rliable struct {
	Study  string   `json:"study"`
	Metric string   `json:"metric"`
	Goal   string   `json:"goal,omitempty"` // rliable takes higher as better
	Tasks  []string `json:"tasks"`
	// Scores by arm, or "arm [lr=0.01]": Scores[arm][run][task].
	Scores map[string][][]float64 `json:"scores"`
	// Dropped counts the replications left out because one of their runs is missing:
	// a matrix has no holes. Partial arms don't run on all tasks and are left out.
	Dropped map[string]int `json:"dropped_runs,omitempty"`
	Partial []string       `json:"partial_arms,omitempty"`
}

// ToRliable reads a metric in that shape.
func ToRliable(s *jobs.Study, metric string, records iter.Seq2[results.Record, error]) (*Rliable, error) {
	g, err := read(s, metric, records)
	if err != nil {
		return nil, err
	}
	settings := s.Settings()
	isSetting := func(f int) bool { return slices.Contains(settings, f) }
	out := &Rliable{Study: s.Name, Metric: metric, Goal: g.goal(metric), Scores: map[string][][]float64{}, Dropped: map[string]int{}}
	var arms []string
	known := map[string]bool{}             // tasks
	columns := map[string]map[string]int{} // by arm and task, the point
	for i := range g.points {
		p := &g.points[i]
		task := g.describe(p, func(f int) bool { return !isSetting(f) })
		if len(s.Tasks) > 1 || task == "" {
			task = strings.TrimSuffix(s.Tasks[p.Task].Label+": "+task, ": ")
		}
		arm := s.Arms[p.Arm].Label
		if own := g.describe(p, isSetting); own != "" {
			arm += " [" + own + "]"
		}
		if columns[arm] == nil {
			columns[arm] = map[string]int{}
			arms = append(arms, arm)
		}
		columns[arm][task] = i
		if !known[task] {
			known[task] = true
			out.Tasks = append(out.Tasks, task)
		}
	}
	for _, arm := range arms {
		if len(columns[arm]) < len(out.Tasks) {
			out.Partial = append(out.Partial, arm)
			continue
		}
		matrix := [][]float64{}
		for r := range int(s.Replications) {
			var run []float64
			for _, task := range out.Tasks {
				if v := g.score[columns[arm][task]][r]; !math.IsNaN(v) {
					run = append(run, v)
				}
			}
			if len(run) < len(out.Tasks) {
				out.Dropped[arm]++
				continue
			}
			matrix = append(matrix, run)
		}
		out.Scores[arm] = matrix
	}
	return out, nil
}

// WriteJSON writes a shape as JSON with a line end.
func WriteJSON(w io.Writer, shape any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(shape)
}
