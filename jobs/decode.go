package jobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

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
		return nil, errors.New("something follows the plan")
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
		Name: p.Name, Question: p.Question, Seed: p.Seed, Replications: p.Replications,
		Stopping: (*Stopping)(p.Stopping), Confirm: (*Confirm)(p.Confirm), Paired: p.Paired,
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
		switch {
		case !slices.Contains(factorKinds(), f.Kind):
			r.fail("factor %s has the unknown kind %q", f.Name, f.Kind)
		case sf.continuous():
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
	d := Design{Kind: p.Kind, Points: p.Points, Second: p.Second, Levels: p.Levels, Start: p.Start, Of: p.Of}
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
