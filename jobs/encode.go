package jobs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
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
		Design: planOf(&s.Design), Replications: s.Replications, Paired: s.Paired, Train: s.Train,
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
	p := planDesign{Kind: d.Kind, Points: d.Points, Of: d.Of}
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

// Identity returns the hex SHA-256 of what identifies the study's results: all
// of it but name, question, labels and names of levels, replications, baseline,
// objective, limits and when to stop. It includes the engine.
func (s *Study) Identity() string {
	p := s.plan()
	p.Name, p.Question, p.Baseline, p.Objective, p.Metrics, p.Data = "", "", "", planGoal{}, nil, nil
	p.Replications, p.TimeLimit, p.MemoryLimit, p.StopAfterFailures = 0, 0, 0, 0
	// Labels become numbers.
	tasks, arms, factors := map[string]string{}, map[string]string{}, map[string]string{}
	number := func(names map[string]string, label *string) {
		names[*label] = fmt.Sprint(len(names))
		*label = ""
	}
	for i := range p.Tasks {
		number(tasks, &p.Tasks[i].Label)
	}
	for i := range p.Arms {
		a := &p.Arms[i]
		number(arms, &a.Label)
		a.On = renamed(a.On, tasks)
	}
	for i := range p.Factors {
		f := &p.Factors[i]
		number(factors, &f.Name)
		f.Name = s.Factors[i].address()
		f.Arm = arms[f.Arm]
		nameless(f.Levels)
	}
	p.Design = anonymous(p.Design, factors)
	b, err := encodePlan(p)
	if err != nil {
		panic(fmt.Sprintf("jobs: a study that can't be encoded: %v", err)) // plan holds only what JSON can
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func renamed(list []string, names map[string]string) []string {
	var out []string
	for _, s := range list {
		out = append(out, names[s])
	}
	return out
}

func nameless(levels []planLevel) {
	for i := range levels {
		levels[i].Name = ""
	}
}

func anonymous(d planDesign, factors map[string]string) planDesign {
	d.Of = renamed(d.Of, factors)
	for _, row := range d.Rows {
		nameless(row)
	}
	for i := range d.Parts {
		d.Parts[i] = anonymous(d.Parts[i], factors)
	}
	return d
}

// DecodeStudy reads what Encode wrote. It refuses other versions, what the
// catalog does not know, and whatever Point could not be computed from; the
// parameters' values are checked when a point is resolved. The engine may be
// another one than this build's.
func DecodeStudy(body []byte, cat *Catalog) (*Study, error) {
	s, err := decodeStudy(body, cat)
	if err != nil {
		return nil, fmt.Errorf("read plan of %d bytes: %w", len(body), err)
	}
	return s, nil
}

func decodeStudy(body []byte, cat *Catalog) (*Study, error) {
	if len(body) > MaxPlanBytes {
		return nil, fmt.Errorf("longer than %d bytes", MaxPlanBytes)
	}
	var head struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return nil, err
	}
	if head.Schema != PlanSchema {
		return nil, fmt.Errorf("version %d, but this build reads version %d", head.Schema, PlanSchema)
	}
	var p plan
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the plan")
	}
	s, err := p.study()
	if err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, s.prepare(cat)
}

func (p *plan) study() (*Study, error) {
	s := &Study{
		Name: p.Name, Question: p.Question, Seed: p.Seed, Replications: p.Replications, Paired: p.Paired,
		Train: p.Train, Evaluate: Evaluation(p.Evaluate), Objective: Objective(p.Objective), Baseline: p.Baseline,
		Record: Recording{p.CurvePoints}, Limits: Limits{time.Duration(p.TimeLimit), p.MemoryLimit},
		StopAfterFailures: p.StopAfterFailures, Engine: p.Engine, Metrics: p.Metrics,
	}
	var r treeReader
	for _, t := range p.Tasks {
		s.Tasks = append(s.Tasks, Task{t.Label, t.Env, r.tree(t.Params)})
	}
	for _, a := range p.Arms {
		s.Arms = append(s.Arms, Arm{a.Label, a.Agent, r.tree(a.Params), a.Train, a.On})
	}
	for _, f := range p.Factors {
		sf := Factor{Name: f.Name, Kind: f.Kind, Levels: r.levels(f.Levels), Arm: f.Arm, Shared: f.Shared, Path: f.Path}
		if sf.continuous() {
			sf.Low, sf.High = r.number(f.Low), r.number(f.High)
		}
		s.Factors = append(s.Factors, sf)
	}
	s.Design = p.Design.design(&r, 0)
	for _, d := range p.Data {
		s.Data = append(s.Data, Data(d))
	}
	return s, r.err
}

func (p *planDesign) design(r *treeReader, depth int) Design {
	d := Design{Kind: p.Kind, Points: p.Points, Of: p.Of}
	for _, row := range p.Rows {
		d.Rows = append(d.Rows, r.levels(row))
	}
	if depth > 0 && len(p.Parts) > 0 {
		r.fail("a crossed design inside another")
		return d
	}
	for i := range p.Parts {
		d.Parts = append(d.Parts, p.Parts[i].design(r, depth+1))
	}
	return d
}
