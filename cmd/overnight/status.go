package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"overnight/results"
)

// standing is where a study stands, as ls, status and watch show it.
type standing struct {
	Study      string `json:"study"`
	State      string `json:"state"`
	Points     uint64 `json:"points"`
	Trials     uint64 `json:"trials"`            // wanted, as far as is known
	AtMost     uint64 `json:"at_most,omitempty"` // where results decide how many
	Committed  uint64 `json:"committed"`
	Done       uint64 `json:"done"`
	Failed     uint64 `json:"failed"`
	Dead       uint64 `json:"dead"`
	Overrun    uint64 `json:"overrun"`
	Duplicates uint64 `json:"duplicates"`
	Differs    uint64 `json:"differs"`
	Stale      uint64 `json:"stale"`
	Generation uint32 `json:"generation"`
	Engine     int    `json:"engine"`
	Identity   string `json:"identity"`
	Digest     string `json:"digest,omitempty"`
	Created    string `json:"created"`
	Ended      string `json:"ended,omitempty"`
	Workers    int    `json:"workers"` // that beat in the last 10 s, of the whole store

	Priority    int     `json:"priority"`
	MaxSlots    int     `json:"max_slots,omitempty"`
	CoreSeconds float64 `json:"core_seconds"`        // of the records
	Wasted      float64 `json:"core_seconds_wasted"` // of commits beside the first of each trial
}

// ofTrials writes how many trials a study wants: "1,200 (at most 4,800)".
func ofTrials(p results.Plan) string {
	if p.Wanted == 0 || p.Digest != "" || p.Wanted == p.Trials {
		return thousands(p.Expected())
	}
	return fmt.Sprintf("%s (so far; at most %s)", thousands(p.Wanted), thousands(p.Trials))
}

// committedOf writes how many of the trials that a study wants are committed.
func committedOf(p results.Plan, committed uint64) string {
	if p.Digest != "" && p.Wanted > 0 && committed > p.Wanted {
		return fmt.Sprintf("%s of %s, and %s surplus", thousands(p.Wanted), thousands(p.Wanted), thousands(committed-p.Wanted))
	}
	return thousands(committed) + " of " + ofTrials(p)
}

// silence is how long a worker that doesn't beat counts as being there.
const silence = 10 * time.Second

// atWork returns which workers of the store are there, by the store's clock.
func atWork(ctx context.Context, s results.Store) (f fleet, err error) {
	ws, err := s.Workers(ctx)
	if err != nil {
		return f, engine(err)
	}
	now, err := results.Now(ctx, s)
	if err != nil {
		return f, engine(err)
	}
	f.silent = math.MaxInt64
	for _, w := range ws {
		f.silent = min(f.silent, now.Sub(w.Seen))
		if w.Slots > 0 && now.Sub(w.Seen) < silence {
			f.workers++
			if !slices.Contains(f.engines, w.Engine) {
				f.engines = append(f.engines, w.Engine)
			}
		}
	}
	return f, nil
}

// fleet is who is at work on a store.
type fleet struct {
	workers int
	engines []int         // versions that they run
	silent  time.Duration // since any of them beat
}

func stand(ctx context.Context, s results.Store, p results.Plan) (standing, error) {
	f, err := atWork(ctx, s)
	if err != nil {
		return standing{}, err
	}
	if p.State == results.Damaged { // nothing but its name can be read
		return standing{Study: p.Study, State: string(p.State), Workers: f.workers}, nil
	}
	t, err := s.Tally(ctx, p.Study)
	if err != nil {
		return standing{}, engine(err)
	}
	st := standing{
		Study: p.Study, State: string(p.State), Points: p.Points, Trials: p.Expected(), Committed: t.Total(),
		Done: t.Done, Failed: t.Failed, Dead: t.Dead, Overrun: t.Overrun,
		Duplicates: t.Duplicates, Differs: t.Differs, Stale: t.Stale,
		Generation: p.Generation, Engine: p.Engine, Identity: p.Identity, Digest: p.Digest,
		Created: p.Created.UTC().Format(time.RFC3339), Workers: f.workers,
		Priority: max(p.Priority, 1), MaxSlots: p.MaxSlots, CoreSeconds: t.Used.Seconds(), Wasted: t.Wasted.Seconds(),
	}
	if p.Wanted > 0 && p.Digest == "" {
		st.AtMost = p.Trials
	}
	if !p.Ended.IsZero() {
		st.Ended = p.Ended.UTC().Format(time.RFC3339)
	}
	st.State = cmp.Or(waitsFor(p, t, f), st.State)
	return st, nil
}

// waitsFor says why nothing happens to a study that its plan calls running, or
// "": without a worker it is only interrupted, and a submitted one waits.
func waitsFor(p results.Plan, t results.Tally, f fleet) string {
	switch {
	case p.State != results.Running || t.Total() >= p.Expected() && p.Wanted == 0:
	case f.workers > 0 && !slices.Contains(f.engines, p.Engine):
		return fmt.Sprintf("waits for engine %d", p.Engine)
	case f.workers == 0 && p.Submitted:
		return "waits for workers"
	case f.workers == 0:
		return "interrupted"
	}
	return ""
}

func (a *app) lsCmd() *cobra.Command {
	var all bool
	var format string
	c := &cobra.Command{
		Use:     "ls",
		Short:   "List the studies of the data folder",
		Example: "  overnight ls\n  overnight ls --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s results.Store) error {
				plans, err := s.Studies(cmd.Context())
				if err != nil {
					return engine(err)
				}
				list := []standing{}
				for i := len(plans) - 1; i >= 0; i-- {
					st, err := stand(cmd.Context(), s, plans[i])
					if err != nil {
						return err
					}
					list = append(list, st)
				}
				return a.showList(list, all, format)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "more than the 20 newest")
	c.Flags().StringVar(&format, "format", "table", "table or json")
	return c
}

func (a *app) showList(list []standing, all bool, format string) error {
	switch format {
	case "json":
		return writeJSON(a.out, list)
	case "table":
	default:
		return usage("--format %s: write table or json", format)
	}
	if len(list) == 0 {
		fmt.Fprintf(a.out, "no study in %s yet\n", a.where())
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STUDY\tSTATE\tCOMMITTED\tTRIALS\tFAILED\tCREATED\tDIGEST")
	for i, st := range list {
		if i == 20 && !all {
			break
		}
		digest, created := cmp.Or(st.Digest, "-"), cmp.Or(st.Created, "-")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%.12s\n", st.Study, st.State, thousands(st.Committed), thousands(st.Trials), st.Failed+st.Dead+st.Overrun, created, digest)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(list) - 20; n > 0 && !all {
		fmt.Fprintf(a.out, "and %d older: --all\n", n)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (a *app) statusCmd() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "status STUDY",
		Short:   "Show where a study stands",
		Example: "  overnight status delay-volatility",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s results.Store) error {
				p, err := a.findPlan(cmd.Context(), s, args[0])
				if err != nil {
					return err
				}
				st, err := stand(cmd.Context(), s, p)
				if err != nil {
					return err
				}
				switch format {
				case "json":
					return writeJSON(a.out, st)
				case "table":
				default:
					return usage("--format %s: write table or json", format)
				}
				fmt.Fprintf(a.out, "%s: %s, %s trials committed\n", st.Study, st.State, committedOf(p, st.Committed))
				fmt.Fprintf(a.out, "  done %d, failed %d, dead %d, overrun %d\n", st.Done, st.Failed, st.Dead, st.Overrun)
				fmt.Fprintf(a.out, "  commits beside these: %d duplicates, %d different, %d stale\n", st.Duplicates, st.Differs, st.Stale)
				fmt.Fprintf(a.out, "  generation %d, engine version %d, created %s, workers now %d (of all studies here)\n", st.Generation, st.Engine, st.Created, st.Workers)
				if st.Digest != "" {
					fmt.Fprintf(a.out, "  digest %s\n", st.Digest)
				}
				if msg := a.firstFailure(cmd.Context(), s, p); msg != "" {
					fmt.Fprintf(a.out, "  first failure: %s\n", msg)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table or json")
	return c
}

// firstFailure describes the first trial that did not end well.
func (a *app) firstFailure(ctx context.Context, s results.Store, p results.Plan) string {
	t, err := s.Tally(ctx, p.Study)
	if err != nil || t.Total() == t.Done {
		return ""
	}
	for r, err := range s.Scan(ctx, p.Study, 0, p.Trials) {
		if err == nil && r.Status != results.Done {
			return fmt.Sprintf("trial %d (point %d, replication %d) %v: %s", r.Trial, r.Point, r.Replication, r.Status, firstLine(r.Error))
		}
	}
	return ""
}
