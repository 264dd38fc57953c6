package jobs

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MaxPlanBytes bounds a study's stored form; DecodeStudy reads nothing longer.
const MaxPlanBytes = 8 << 20

// plan is the stored form of a study, version PlanSchema: JSON with these fields
// in this order. Trees of parameters are JSON as well, where a mapping's order
// counts, a number with a point or an exponent is a float and any other an
// integer, and {"$": 3} is the Ref 3.
type plan struct {
	Schema            int          `json:"schema"`
	Engine            int          `json:"engine"`
	Name              string       `json:"name"`
	Question          string       `json:"question,omitempty"`
	Seed              uint64       `json:"seed"`
	Tasks             []planTask   `json:"tasks"`
	Arms              []planArm    `json:"arms"`
	Factors           []planFactor `json:"factors,omitempty"`
	Design            planDesign   `json:"design"`
	Replications      uint64       `json:"replications"`
	Stopping          *planStop    `json:"stopping,omitempty"`
	Confirm           *planConfirm `json:"confirm,omitempty"`
	Paired            Paired       `json:"paired"`
	Train             Budget       `json:"train"`
	Evaluate          planEvaluate `json:"evaluate"`
	Objective         planGoal     `json:"objective"`
	Baseline          string       `json:"baseline,omitempty"`
	CurvePoints       uint64       `json:"curve_points,omitempty"`
	TimeLimit         int64        `json:"time_limit_ns,omitempty"`
	MemoryLimit       uint64       `json:"memory_limit_bytes,omitempty"`
	StopAfterFailures uint64       `json:"stop_after_failures,omitempty"`
	Data              []planData   `json:"data,omitempty"`
	Metrics           []string     `json:"metrics"`
}

type planTask struct {
	Label  string          `json:"label"`
	Env    string          `json:"env"`
	Params json.RawMessage `json:"params"`
}

type planArm struct {
	Label  string          `json:"label"`
	Agent  string          `json:"agent"`
	Params json.RawMessage `json:"params"`
	Train  *Budget         `json:"train,omitempty"`
	On     []string        `json:"on,omitempty"`
}

type planFactor struct {
	Name   string          `json:"name"`
	Kind   FactorKind      `json:"kind"`
	Levels []planLevel     `json:"levels,omitempty"`
	Low    json.RawMessage `json:"low,omitempty"`
	High   json.RawMessage `json:"high,omitempty"`
	Arm    string          `json:"arm,omitempty"`
	Shared bool            `json:"shared,omitempty"`
	Path   string          `json:"path,omitempty"`
}

type planLevel struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

type planDesign struct {
	Kind   string        `json:"kind"`
	Points uint64        `json:"points,omitempty"`
	Second bool          `json:"second,omitempty"`
	Levels int           `json:"levels,omitempty"`
	Start  uint64        `json:"start,omitempty"`
	Of     []string      `json:"of,omitempty"`
	Rows   [][]planLevel `json:"rows,omitempty"`
	Parts  []planDesign  `json:"parts,omitempty"`
}

type planEvaluate struct {
	Online   bool   `json:"online,omitempty"`
	Every    uint64 `json:"every,omitempty"`
	Episodes uint64 `json:"episodes,omitempty"`
	Final    uint64 `json:"final,omitempty"`
}

type planGoal struct {
	Metric   string `json:"metric"`
	Minimize bool   `json:"minimize,omitempty"`
	Summary  string `json:"summary"`
}

type planStop struct {
	CheckAt        []uint64 `json:"check_at"`
	DifferenceFrom string   `json:"difference_from,omitempty"`
	HalfWidth      float64  `json:"half_width,omitempty"`
	Relative       float64  `json:"relative,omitempty"`
}

type planConfirm struct {
	Of           []string `json:"of"`
	Top          uint64   `json:"top"`
	Replications uint64   `json:"replications"`
}

type planData struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Encode returns the study's stored form: equal studies have equal bytes. What
// data files hold is not in it, only their hashes.
func (s *Study) Encode() ([]byte, error) {
	b, err := encodePlan(s.plan())
	if err != nil {
		return nil, fmt.Errorf("encode study %s: %w", s.Name, err)
	}
	if len(b) > MaxPlanBytes {
		return nil, fmt.Errorf("encode study %s: %d bytes, more than %d", s.Name, len(b), MaxPlanBytes)
	}
	return b, nil
}

func encodePlan(p *plan) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func (s *Study) plan() *plan {
	p := &plan{
		Schema: PlanSchema, Engine: s.Engine, Name: s.Name, Question: s.Question, Seed: s.Seed,
		Design: planOf(&s.Design), Replications: s.Replications, Stopping: (*planStop)(s.Stopping), Confirm: (*planConfirm)(s.Confirm),
		Paired: s.Paired, Train: s.Train,
		Evaluate: planEvaluate(s.Evaluate), Objective: planGoal(s.Objective), Baseline: s.Baseline,
		CurvePoints: s.Record.CurvePoints, TimeLimit: int64(s.Limits.Time), MemoryLimit: s.Limits.Memory,
		StopAfterFailures: s.StopAfterFailures, Metrics: s.Metrics,
	}
	for _, t := range s.Tasks {
		p.Tasks = append(p.Tasks, planTask{t.Label, t.Env, appendTree(nil, t.Params)})
	}
	for _, a := range s.Arms {
		p.Arms = append(p.Arms, planArm{a.Label, a.Agent, appendTree(nil, a.Params), a.Train, a.On})
	}
	for i := range s.Factors {
		f := &s.Factors[i]
		pf := planFactor{Name: f.Name, Kind: f.Kind, Levels: planLevels(f.Levels), Arm: f.Arm, Shared: f.Shared, Path: f.Path}
		if f.continuous() {
			pf.Low, pf.High = appendTree(nil, f.Low), appendTree(nil, f.High)
		}
		p.Factors = append(p.Factors, pf)
	}
	for _, d := range s.Data {
		p.Data = append(p.Data, planData(d))
	}
	return p
}

func planOf(d *Design) planDesign {
	p := planDesign{Kind: d.Kind, Points: d.Points, Second: d.Second, Levels: d.Levels, Start: d.Start, Of: d.Of}
	for _, row := range d.Rows {
		p.Rows = append(p.Rows, planLevels(row))
	}
	for i := range d.Parts {
		p.Parts = append(p.Parts, planOf(&d.Parts[i]))
	}
	return p
}

func planLevels(levels []Level) []planLevel {
	var out []planLevel
	for _, l := range levels {
		out = append(out, planLevel{l.Name, appendTree(nil, l.Value)})
	}
	return out
}
