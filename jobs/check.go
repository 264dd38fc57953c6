package jobs

import (
	"encoding/hex"
	"fmt"
	"slices"

	"overnight/jobs/design"
)

// check tells whether a study that was decoded is one that Parse could have
// made, as far as its fields alone tell; prepare does the rest.
func (s *Study) check() error {
	if why := checkName(s.Name); why != "" {
		return fmt.Errorf("study name %q %s", s.Name, why)
	}
	switch {
	case s.Engine < 1:
		return fmt.Errorf("engine %d", s.Engine)
	case s.Replications < 1 || s.Replications > design.MaxRows:
		return fmt.Errorf("%d replications", s.Replications)
	case s.Paired != PairedAll && s.Paired != PairedRow && s.Paired != PairedNone:
		return fmt.Errorf("paired is %q", s.Paired)
	case s.Limits.Time < 0:
		return fmt.Errorf("time limit %v", s.Limits.Time)
	case !slices.Contains(s.Metrics, s.Objective.Metric):
		return fmt.Errorf("the objective %q is no metric of the study", s.Objective.Metric)
	case !slices.Contains(summaries(), s.Objective.Summary):
		return fmt.Errorf("summary %q", s.Objective.Summary)
	}
	if err := s.checkRule(); err != nil {
		return err
	}
	if err := s.checkEvaluation(); err != nil {
		return err
	}
	if err := s.checkLabels(); err != nil {
		return err
	}
	names := map[string]bool{}
	for i := range s.Factors {
		f := &s.Factors[i]
		if what, _ := f.check(); what != "" {
			return fmt.Errorf("factor %s %s", f.Name, what)
		}
		if f.Name == "" || names[f.Name] {
			return fmt.Errorf("two factors are named %q", f.Name)
		}
		names[f.Name] = true
	}
	for i, d := range s.Data {
		if sum, err := hex.DecodeString(d.SHA256); err != nil || len(sum) != 32 || d.Size < 0 || d.Size > maxDataBytes {
			return fmt.Errorf("data %d has no valid hash or size", i)
		}
	}
	return nil
}

func (s *Study) checkEvaluation() error {
	budgets := []*Budget{}
	if s.Evaluate.Online {
		if s.Evaluate != (Evaluation{Online: true}) || s.Train != (Budget{}) {
			return fmt.Errorf("an online study with training or evaluation")
		}
	} else {
		budgets = append(budgets, &s.Train)
		e := s.Evaluate
		if e.Final < 1 || max(e.Final, e.Every, e.Episodes) > design.MaxRows || (e.Every > 0) != (e.Episodes > 0) {
			return fmt.Errorf("an evaluation of %d episodes, every %d of %d", e.Final, e.Every, e.Episodes)
		}
	}
	for i := range s.Arms {
		if b := s.Arms[i].Train; b != nil {
			if s.Evaluate.Online {
				return fmt.Errorf("an online study with training")
			}
			budgets = append(budgets, b)
		}
	}
	for _, b := range budgets {
		n := 0
		for _, v := range []uint64{b.Episodes, b.Steps, b.Updates} {
			if v > 0 {
				n++
			}
			if v > design.MaxRows {
				return fmt.Errorf("a training budget of %d", v)
			}
		}
		if n != 1 {
			return fmt.Errorf("a training budget with %d of episodes, steps and updates, not one", n)
		}
	}
	return nil
}

func (s *Study) checkLabels() error {
	tasks, arms := map[string]bool{}, map[string]bool{}
	add := func(set map[string]bool, label string) error {
		if why := checkName(label); why != "" {
			return fmt.Errorf("label %q %s", label, why)
		}
		if set[label] {
			return fmt.Errorf("two entries have the label %q", label)
		}
		set[label] = true
		return nil
	}
	for i := range s.Tasks {
		if err := add(tasks, s.Tasks[i].Label); err != nil {
			return err
		}
	}
	for i := range s.Arms {
		if err := add(arms, s.Arms[i].Label); err != nil {
			return err
		}
		for _, on := range s.Arms[i].On {
			if !tasks[on] {
				return fmt.Errorf("arm %s is on %q, which is not there", s.Arms[i].Label, on)
			}
		}
	}
	if s.Baseline != "" && !arms[s.Baseline] {
		return fmt.Errorf("the baseline %q is no arm", s.Baseline)
	}
	for i := range s.Factors {
		if f := &s.Factors[i]; f.Arm != "" && (!arms[f.Arm] || f.Shared) {
			return fmt.Errorf("factor %s belongs to arm %q, which is not there", f.Name, f.Arm)
		}
	}
	return nil
}

// summaries are the values of objective.summary.
func summaries() []string { return []string{"mean", "iqm", "median"} }
