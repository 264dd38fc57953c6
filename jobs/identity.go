package jobs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Identity returns the hex SHA-256 of what identifies the study's results: all
// of it but name, question, labels and names of levels, replications, what is
// confirmed, baseline, objective, limits and when to stop. It includes the engine.
func (s *Study) Identity() string {
	p := s.plan()
	p.Name, p.Question, p.Baseline, p.Objective, p.Metrics, p.Data = "", "", "", planGoal{}, nil, nil
	p.Stopping, p.Confirm = nil, nil
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
