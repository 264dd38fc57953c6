package main

import (
	"encoding/json"
	"math"

	"overnight/jobs"
	"overnight/results/export"
	"overnight/results/offpolicy"
)

// offpolicyTable is what the command writes.
type offpolicyTable struct {
	Study      string         `json:"study"`
	Logs       uint64         `json:"logs"`
	Confidence float64        `json:"confidence"`
	Rows       []offpolicyRow `json:"rows"`
	Notes      []string       `json:"notes,omitempty"`
}

// offpolicyRow is one estimator of one target from the logs of one point:
// estimate and truth are of replication 0, the rest of all logs.
type offpolicyRow struct {
	Point     uint64 `json:"point"`
	Arm       string `json:"arm"`
	Task      string `json:"task,omitempty"`
	Levels    string `json:"levels,omitempty"`
	Target    string `json:"target"`
	Estimator string `json:"estimator"`
	// Support is yes, none, unknown (the agent does not know its propensities) or
	// barred (the target is never allowed).
	Support     string  `json:"support"`
	Decisions   uint64  `json:"decisions"`
	Barred      uint64  `json:"barred"`
	Unsupported uint64  `json:"unsupported"`
	Estimate    missing `json:"estimate"`
	SE          missing `json:"se"`
	Low         missing `json:"low"`
	High        missing `json:"high"`
	Truth       missing `json:"truth"`
	Effective   missing `json:"effective"`
	Expected    missing `json:"expected_effective"`
	Largest     missing `json:"largest_weight"`
	Estimated   uint64  `json:"estimated"`
	Coverage    missing `json:"coverage"`
	CoverageSE  missing `json:"coverage_se"`
	Bias        missing `json:"bias"`
	BiasSE      missing `json:"bias_se"`
	SD          missing `json:"sd"`
	Width       missing `json:"width"`
}

var offpolicyColumns = []string{
	"point", "arm", "task", "levels", "target", "estimator", "support", "decisions", "barred", "unsupported",
	"estimate", "se", "low", "high", "truth", "effective", "expected_effective", "largest_weight",
	"estimated", "coverage", "coverage_se", "bias", "bias_se", "sd", "width",
}

func (r *offpolicyRow) cells() []any {
	return []any{
		r.Point, r.Arm, r.Task, r.Levels, r.Target, r.Estimator, r.Support, r.Decisions, r.Barred, r.Unsupported,
		float64(r.Estimate), float64(r.SE), float64(r.Low), float64(r.High), float64(r.Truth), float64(r.Effective), float64(r.Expected), float64(r.Largest),
		r.Estimated, float64(r.Coverage), float64(r.CoverageSE), float64(r.Bias), float64(r.BiasSE), float64(r.SD), float64(r.Width),
	}
}

// missing is a number that JSON has as null where it is not finite.
type missing float64

func (m missing) MarshalJSON() ([]byte, error) {
	if v := float64(m); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// pointLogs sums up what was read from the logs of a point.
type pointLogs struct {
	first         logRead
	late, unknown bool // of one log at least
	repeats       []offpolicy.Repeats
}

func (p *pointLogs) add(read []logRead) {
	for i := range read {
		l := &read[i]
		p.late, p.unknown = p.late || l.late, p.unknown || l.unknown
		if p.repeats == nil {
			p.first, p.repeats = *l, make([]offpolicy.Repeats, len(l.targets))
		}
		for j := range l.results {
			p.repeats[j].Add(&l.results[j])
		}
	}
}

// add makes the rows of a point.
func (t *offpolicyTable) add(study *jobs.Study, index uint64, logs *pointLogs, clipped bool) error {
	point, err := study.Point(index)
	if err != nil {
		return err
	}
	row := offpolicyRow{Point: index, Arm: study.Arms[point.Arm].Label}
	if len(study.Tasks) > 1 {
		row.Task = study.Tasks[point.Task].Label
	}
	for i, l := range point.Levels {
		if i > 0 {
			row.Levels += ", "
		}
		row.Levels += study.Factors[l.Factor].Name + "=" + l.Name
	}
	if logs.unknown {
		t.note("The propensities of " + row.Arm + " are not known, so its log says nothing of other policies.")
		t.Rows = append(t.Rows, row.unknown())
		return nil
	}
	first := &logs.first
	if !study.Evaluate.Online {
		t.note("Logs are of the final evaluation, in which agents choose greedily, and not of training.")
	}
	if logs.late {
		t.note("Outcomes are all that a send causes, whether or not it was credited in time.")
	}
	if first.moving {
		t.note("Recipients tire here: truth and estimates are of one send at a time, in the state that the log led to, and not of what always sending a subject line would bring.")
	}
	switch {
	case first.contexts:
		t.note("There is no adaptive estimate where there are contexts.")
	case first.drifts:
		t.note("Rates change here, and the adaptive estimate is only right where they stand still.")
	}
	for i, name := range first.targets {
		for _, e := range offpolicy.Estimators() {
			if e == offpolicy.Clipped && !clipped {
				continue
			}
			t.Rows = append(t.Rows, row.of(name, e, &first.results[i], logs.repeats[i].Of(e)))
		}
	}
	return nil
}

func (t *offpolicyTable) note(s string) {
	for _, n := range t.Notes {
		if n == s {
			return
		}
	}
	t.Notes = append(t.Notes, s)
}

func (r offpolicyRow) unknown() offpolicyRow {
	none := missing(math.NaN())
	r.Support = "unknown"
	for _, m := range []*missing{&r.Estimate, &r.SE, &r.Low, &r.High, &r.Truth, &r.Effective, &r.Expected, &r.Largest, &r.Coverage, &r.CoverageSE, &r.Bias, &r.BiasSE, &r.SD, &r.Width} {
		*m = none
	}
	return r
}

func (r offpolicyRow) of(target string, e offpolicy.Estimator, one *offpolicy.Result, f offpolicy.Fared) offpolicyRow {
	b := one.By[e]
	r.Target, r.Estimator = target, e.String()
	r.Decisions, r.Barred, r.Unsupported = one.Decisions, one.Barred, one.Unsupported
	switch {
	case one.Supported:
		r.Support = "yes"
	case one.Decisions+one.Unsupported == 0:
		r.Support = "barred"
	default:
		r.Support = "none"
	}
	r.Estimate, r.SE, r.Low, r.High, r.Truth = missing(b.Value), missing(b.SE), missing(b.Low), missing(b.High), missing(one.Truth)
	r.Effective, r.Expected, r.Largest = missing(one.Effective), missing(one.Expected), missing(one.Largest)
	r.Estimated, r.Coverage, r.CoverageSE = f.Logs, missing(f.Coverage), missing(f.CoverageSE)
	r.Bias, r.BiasSE, r.SD, r.Width = missing(f.Bias), missing(f.BiasSE), missing(f.SD), missing(f.Width)
	return r
}

func (t *offpolicyTable) write(a *app, f *offpolicyFlags) error {
	switch f.format {
	case "json":
		return writeJSON(a.out, t)
	case "csv":
		out, err := export.NewTable(a.out, export.CSV, offpolicyColumns)
		if err != nil {
			return err
		}
		for i := range t.Rows {
			if err := out.Row(t.Rows[i].cells()...); err != nil {
				return err
			}
		}
		return out.Close()
	}
	return t.text(a, f.estimator)
}
