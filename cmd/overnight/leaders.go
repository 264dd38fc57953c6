package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"overnight/jobs"
	"overnight/results"
)

// leader is a point in the list of the best.
type leader struct {
	Point   uint64   `json:"point"`
	Arm     string   `json:"arm"`
	Factors []string `json:"factors"` // name=value
	N       uint64   `json:"n"`
	Mean    float64  `json:"mean"`
}

// leaders prints the best points so far by the mean of the objective, from what
// the store keeps up to date: no record is read.
func (a *app) leaders(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, f resultsFlags) error {
	board, ok := s.(results.Leaderboard)
	if !ok {
		return engine(fmt.Errorf("%s keeps no list of the best points: leave --top out", a.where()))
	}
	top, err := board.Leaders(ctx, p.Study, f.top, study.Objective.Minimize)
	if err != nil {
		return engine(err)
	}
	rows := make([]leader, 0, len(top))
	for _, l := range top {
		pt, err := study.Point(l.Point)
		if err != nil {
			return engine(err)
		}
		row := leader{Point: l.Point, Arm: study.Arms[pt.Arm].Label, N: l.N, Mean: l.Mean}
		for _, level := range pt.Levels {
			row.Factors = append(row.Factors, study.Factors[level.Factor].Name+"="+level.Name)
		}
		rows = append(rows, row)
	}
	switch f.format {
	case "json":
		return writeJSON(a.out, rows)
	case "text":
	default:
		return usage("--format %s with --top: write text or json", f.format)
	}
	fmt.Fprintf(a.out, "%s: the best points so far by mean %s (means of few runs flatter: compare with results --by point)\n", p.Study, study.Objective.Metric)
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "POINT\tARM\tN\tMEAN\tFACTORS")
	for _, r := range rows {
		fmt.Fprintf(w, "%d\t%s\t%d\t%.6g\t%s\n", r.Point, r.Arm, r.N, r.Mean, strings.Join(r.Factors, " "))
	}
	return w.Flush()
}
