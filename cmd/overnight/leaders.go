package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
	"overnight/results/stopping"
)

// leader is a point in the list of the best.
type leader struct {
	Point   uint64   `json:"point"`
	Arm     string   `json:"arm"`
	Factors []string `json:"factors"` // name=value
	N       uint64   `json:"n"`
	Mean    float64  `json:"mean"`
	// Reference marks points of the oracle, which stand behind all others.
	Reference bool `json:"reference,omitempty"`
}

// leaders prints the best points so far by the mean of the objective, from what
// the store keeps up to date: no record is read but those of a study that may have
// records beside what it compares points by, which the store does not tell apart.
func (a *app) leaders(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, f resultsFlags) error {
	if _, ok := s.(results.Leaderboard); !ok && !stopping.Applies(study, &p) {
		return engine(fmt.Errorf("%s keeps no list of the best points: leave --top out", a.where()))
	}
	top, err := stopping.Leaders(ctx, s, &p, study, f.top)
	if err != nil {
		return engine(err)
	}
	rows := make([]leader, 0, len(top))
	for _, l := range top {
		pt, err := study.Point(l.Point)
		if err != nil {
			return engine(err)
		}
		row := leader{Point: l.Point, Arm: study.Arms[pt.Arm].Label, N: l.N, Mean: l.Mean, Reference: study.Oracle(pt.Arm)}
		for _, level := range pt.Levels {
			row.Factors = append(row.Factors, study.Factors[level.Factor].Name+"="+level.Name)
		}
		rows = append(rows, row)
	}
	switch f.format {
	case "json":
		return writeJSON(a.out, rows)
	case "text", "csv":
	default:
		return usage("--format %s: write text, json or csv", f.format)
	}
	t := &report.List{
		Title: fmt.Sprintf("%s: the best points so far by mean %s", printable(p.Study), printable(study.Objective.Metric)),
		Notes: []string{"Means of few runs flatter: compare with results --by point."},
		Columns: []report.ListColumn{
			{Name: "point", Number: true}, {Name: "arm"}, {Name: "n", Number: true}, {Name: "mean", Number: true},
		},
	}
	for _, name := range study.Columns() {
		t.Columns = append(t.Columns, report.ListColumn{Name: name, Spare: true})
	}
	for _, r := range rows {
		arm := r.Arm
		if r.Reference && f.format == "text" {
			arm += " (reference)"
		}
		row := []string{strconv.FormatUint(r.Point, 10), arm, strconv.FormatUint(r.N, 10), strconv.FormatFloat(r.Mean, 'g', 6, 64)}
		for _, name := range study.Columns() {
			at := slices.IndexFunc(r.Factors, func(f string) bool { return strings.HasPrefix(f, name+"=") })
			if at < 0 {
				row = append(row, "-")
				continue
			}
			row = append(row, strings.TrimPrefix(r.Factors[at], name+"="))
		}
		t.Rows = append(t.Rows, row)
	}
	return report.Write(a.out, t, report.Style{Format: report.Format(f.format), Width: a.width()})
}
