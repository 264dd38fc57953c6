package chaos

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"
)

// Write prints the report as a table.
func (r *Report) Write(w io.Writer) error {
	fmt.Fprintf(w, "engine %s, seed %d: %d trials in %v\n\n", r.Engine, r.Seed, r.Trials, r.Took.Round(time.Second))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FAULT\tFIRED\tRECOVERY P50\tP99\tLOST\tDOUBLED\tNOTE")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%d\t%d\t%s\n", row.Fault, row.Fired, quantile(row.Recovery, 0.5), quantile(row.Recovery, 0.99), row.Lost, row.Doubled, row.Note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	digest := r.Digest + ", the same as undisturbed"
	switch {
	case r.Digest == "":
		digest = "none: the run did not end"
	case r.Digest != r.Reference:
		digest = r.Digest + ", undisturbed it is " + r.Reference
	}
	_, err := fmt.Fprintf(w, "\ndigest %s\nbeside the first of each trial: %d equal records, %d different, %d of older generations\nrepeat: %s\n",
		digest, r.Tally.Duplicates, r.Tally.Differs, r.Tally.Stale, r.Repeat)
	return err
}

// quantile returns the q-quantile of ascending durations by the nearest rank, or
// a dash.
func quantile(d []time.Duration, q float64) string {
	if len(d) == 0 {
		return "-"
	}
	i := int(math.Ceil(q*float64(len(d)))) - 1
	return d[max(0, min(i, len(d)-1))].Round(10 * time.Millisecond).String()
}
