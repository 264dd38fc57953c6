package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"overnight/jobs"
	"overnight/results/stopping"
	"overnight/worker/trial"
)

// parse reads a study file; what is wrong with it goes to the user as it is.
func (a *app) parse(file string, set []string) (*jobs.Study, []byte, error) {
	const limit = 1 << 20
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, usage("%v", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, usage("read %s: %v", file, err)
	}
	study, err := jobs.Parse(file, src, a.cat, jobs.ParseOptions{Set: set})
	var ps jobs.Problems
	if errors.As(err, &ps) {
		for i, p := range ps {
			if i == 20 {
				fmt.Fprintf(a.err, "and %d more\n", len(ps)-i)
				break
			}
			fmt.Fprint(a.err, p.Caret(src))
		}
		s := "s"
		if len(ps) == 1 {
			s = ""
		}
		return nil, nil, usage("%s: %d problem%s, nothing was run", file, len(ps), s)
	}
	if err != nil {
		return nil, nil, usage("%v", err)
	}
	return study, src, nil
}

func (a *app) validateCmd() *cobra.Command {
	var set []string
	c := &cobra.Command{
		Use:     "validate STUDY.yaml",
		Short:   "Check a study file; print its trials, core-hours and bytes",
		Example: "  overnight validate examples/delay-volatility.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			study, _, err := a.parse(args[0], set)
			if err != nil {
				return err
			}
			return a.describeStudy(cmd.Context(), study)
		},
	}
	c.Flags().StringArrayVar(&set, "set", nil, "override `key=value` of the study file; may be repeated")
	return c
}

// describeStudy prints what a study would do.
func (a *app) describeStudy(ctx context.Context, s *jobs.Study) error {
	fmt.Fprintf(a.out, "%s: %s points x %s\n", s.Name, thousands(s.Points()), sizeOf(s))
	for _, f := range s.Factors {
		what := ""
		if len(f.Levels) > 0 {
			names := make([]string, len(f.Levels))
			for i, l := range f.Levels {
				names[i] = l.Name
			}
			what = strings.Join(names, ", ")
		} else {
			what = fmt.Sprintf("[%g, %g]", f.Low, f.High)
		}
		fmt.Fprintf(a.out, "  factor %-28s %s: %s\n", f.Name, f.Kind, what)
	}
	labels := make([]string, len(s.Arms))
	for i, arm := range s.Arms {
		labels[i] = arm.Label
	}
	fmt.Fprintf(a.out, "  arms   %s\n", strings.Join(labels, ", "))
	if s.Design.Kind != jobs.GridDesign {
		fmt.Fprintf(a.out, "  design %s\n", &s.Design)
	}
	e, err := estimate(ctx, s, a.cat)
	if err != nil {
		return usage("%w", err)
	}
	fmt.Fprintf(a.out, "  %-6s %s core-hours, %s of results, seed %d, engine version %d\n", e.about(), hours(e.time), byteCount(e.bytes), s.Seed, s.Engine)
	for _, note := range s.Notes() {
		fmt.Fprintf(a.out, "  note   %s\n", note)
	}
	return nil
}

// sizeOf says how many trials points make: "20 replications = 240 trials".
func sizeOf(s *jobs.Study) string {
	if !s.Ruled() {
		return fmt.Sprintf("%s replications = %s trials", thousands(s.Replications), thousands(s.Trials()))
	}
	text := thousands(s.Replications) + " replications"
	if stages := s.Stages(); s.Stopping != nil && len(stages) > 1 {
		text = fmt.Sprintf("%s to %s replications, looked at after %s", thousands(stages[0]), thousands(s.Replications), strings.Trim(fmt.Sprint(stages), "[]"))
	}
	if c := s.Confirm; c != nil {
		text += fmt.Sprintf(", and %s more of the best %s", thousands(c.Replications), thousands(c.Top))
	}
	o, err := stopping.New(s)
	if err != nil {
		return text
	}
	return fmt.Sprintf("%s: %s to %s trials", text, thousands(o.Total()), thousands(o.Most()))
}

type estimated struct {
	time  time.Duration // of one core
	more  bool          // time is a lower bound
	most  bool          // time and bytes are upper bounds: results decide how many trials run
	bytes uint64
}

// estimateWait is how long estimate waits for episodes that don't end.
const estimateWait = 2 * time.Second

// estimate plays a part of one trial of each task and arm. It does not wait for
// an episode that is long or endless: time is then what was waited for, at least.
func estimate(ctx context.Context, s *jobs.Study, cat *jobs.Catalog) (estimated, error) {
	var e estimated
	r := trial.New(s, cat, trial.Options{})
	deadline := time.Now().Add(estimateWait)
	var from uint64
	var seconds float64
	for _, b := range s.Blocks() {
		type answer struct {
			took time.Duration
			err  error
		}
		answered := make(chan answer, 1)
		began := time.Now()
		go func(r *trial.Runner, first uint64) {
			took, err := r.Estimate(ctx, first, 20*time.Millisecond)
			answered <- answer{took, err}
		}(r, from)
		var got answer
		select {
		case got = <-answered:
		case <-time.After(max(time.Until(deadline), 100*time.Millisecond)):
			got.took, e.more = time.Since(began), true
			r = trial.New(s, cat, trial.Options{}) // the other one is still at it
		case <-ctx.Done():
			return e, ctx.Err()
		}
		if got.err != nil {
			return e, got.err
		}
		seconds += got.took.Seconds() * float64(b.To-from) * float64(s.Replications) // at most: points may stop before
		from = b.To
	}
	const century = 100 * 365 * 24 * 3600
	e.time = time.Duration(min(seconds, century) * float64(time.Second))
	each := 60 + 9*uint64(len(s.Metrics)) + 16*2*s.Record.CurvePoints
	trials := s.Trials()
	if o, err := stopping.New(s); s.Ruled() && err == nil {
		trials, e.most = o.Most(), true
	}
	e.bytes = each * trials
	return e, nil
}

// about is how sure the time is.
func (e estimated) about() string {
	switch {
	case e.more:
		return "more than"
	case e.most:
		return "at most"
	}
	return "about"
}

// checkBytes refuses a study whose results would not fit.
func (a *app) checkBytes(ctx context.Context, s *jobs.Study, limit string) error {
	most, err := jobs.ParseBytes(limit)
	if err != nil {
		return usage("--max-bytes %s: %v", limit, err)
	}
	each := 60 + 9*uint64(len(s.Metrics)) + 16*2*s.Record.CurvePoints
	trials := s.Trials()
	if o, err := stopping.New(s); s.Ruled() && err == nil {
		trials = o.Most()
	}
	if trials <= most/each {
		return nil
	}
	e, err := estimate(ctx, s, a.cat)
	if err != nil {
		return usage("%w", err)
	}
	return engine(fmt.Errorf("%s has %s trials: about %s of results and %s %s core-hours, more than --max-bytes %s; give more, or fewer replications or points", s.Name, thousands(trials), byteCount(e.bytes), e.about(), hours(e.time), limit))
}

func hours(d time.Duration) string {
	h := d.Hours()
	switch {
	case h >= 100:
		return thousands(uint64(h))
	case h >= 0.01:
		return fmt.Sprintf("%.2g", h)
	}
	return fmt.Sprintf("%.1g (%.2g s)", h, d.Seconds())
}

func byteCount(n uint64) string {
	f := float64(n)
	for _, u := range []string{"B", "kB", "MB", "GB", "TB"} {
		if f < 1000 {
			return fmt.Sprintf("%.3g %s", f, u)
		}
		f /= 1000
	}
	return fmt.Sprintf("%.3g PB", f)
}
