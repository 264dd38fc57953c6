package main

import (
	"context"
	"fmt"
	"sort"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"overnight/results"
)

// workerRow is a worker as the list shows it.
type workerRow struct {
	ID      string  `json:"id"`
	Host    string  `json:"host"`
	State   string  `json:"state"` // working, silent or ended
	Slots   int     `json:"slots"`
	Free    int     `json:"free"`
	Version string  `json:"version"`
	Engine  int     `json:"engine"`
	Jobs    int     `json:"jobs"`
	Done    uint64  `json:"done"` // trials committed since it began
	Rate    float64 `json:"trials_per_second"`
	Silent  float64 `json:"silent_seconds"`
}

func (a *app) workersCmd() *cobra.Command {
	var all bool
	var format string
	c := &cobra.Command{
		Use:   "workers",
		Short: "List the workers: host, slots, version, throughput",
		Long: `Workers lists those that beat within the last 10 s, or with --all also those that
ended or fell silent within a day.`,
		Example: "  overnight workers\n  overnight workers --all --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				rows, err := listWorkers(ctx, s)
				if err != nil {
					return err
				}
				if !all {
					var here []workerRow
					for _, r := range rows {
						if r.State == "working" {
							here = append(here, r)
						}
					}
					rows = here
				}
				return a.showWorkers(rows, format)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also those that ended or fell silent within a day")
	c.Flags().StringVar(&format, "format", "table", "table or json")
	return c
}

// listWorkers tells who beat lately, by the store's clock.
func listWorkers(ctx context.Context, s results.Store) ([]workerRow, error) {
	ws, err := s.Workers(ctx)
	if err != nil {
		return nil, engine(err)
	}
	now, err := results.Now(ctx, s)
	if err != nil {
		return nil, engine(err)
	}
	rows := []workerRow{}
	for _, w := range ws {
		r := workerRow{
			ID: w.ID, Host: w.Host, State: "working", Slots: w.Slots, Free: w.Free, Version: w.Version, Engine: w.Engine,
			Jobs: len(w.Held), Done: w.Done, Rate: w.Rate, Silent: now.Sub(w.Seen).Seconds(),
		}
		switch {
		case w.Slots == 0:
			r.State = "ended"
		case now.Sub(w.Seen) > silence:
			r.State = "silent"
		}
		rows = append(rows, r)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].ID < rows[j].ID })
	return rows, nil
}

func (a *app) showWorkers(rows []workerRow, format string) error {
	switch format {
	case "json":
		return writeJSON(a.out, rows)
	case "table":
	default:
		return usage("--format %s: write table or json", format)
	}
	if len(rows) == 0 {
		fmt.Fprintf(a.out, "no worker is at work on %s\n", a.where())
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	wide := a.width() >= 80
	fmt.Fprint(w, "WORKER\tSTATE\tSLOTS\tFREE\tJOBS\tTRIALS/S\tDONE")
	if wide {
		fmt.Fprint(w, "\tENGINE\tVERSION")
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%s", r.ID, r.State, r.Slots, r.Free, r.Jobs, rate(r.Rate), thousands(r.Done))
		if wide {
			fmt.Fprintf(w, "\t%d\t%s", r.Engine, r.Version)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
