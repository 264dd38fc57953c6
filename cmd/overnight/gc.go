package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"overnight/coordinator"
	"overnight/results"
	"overnight/results/archive"
)

func (a *app) gcCmd() *cobra.Command {
	var older time.Duration
	var dry bool
	c := &cobra.Command{
		Use:   "gc",
		Short: "Remove studies that ended long ago",
		Long: `Gc removes the studies whose own time ran out (submit --keep) and, with
--older-than, all that ended that long ago. Studies that have not ended stay.`,
		Example: "  overnight gc --older-than 720h --dry-run\n  overnight gc --older-than 720h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if older < 0 {
				return usage("--older-than %v: write a time such as 720h", older)
			}
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				due, err := coordinator.Due(ctx, s, time.Now(), older)
				if err != nil {
					return engine(err)
				}
				for _, p := range due {
					if dry {
						fmt.Fprintf(a.out, "%s ended %s: would be removed\n", p.Study, p.Ended.UTC().Format(time.RFC3339))
						continue
					}
					err := a.alone(ctx, s, p.Study, func() error { return s.Delete(ctx, p.Study) })
					if err != nil && !errors.Is(err, results.ErrNotFound) {
						return engine(err)
					}
					a.audit("gc", p.Study)
					fmt.Fprintf(a.out, "%s ended %s: removed\n", p.Study, p.Ended.UTC().Format(time.RFC3339))
				}
				if len(due) == 0 {
					fmt.Fprintln(a.out, "no study is due")
				}
				return nil
			})
		},
	}
	c.Flags().DurationVar(&older, "older-than", 0, "also studies that ended this long ago; 0: only those with a time of their own")
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would be removed")
	return c
}

func (a *app) copyCmd() *cobra.Command {
	var from, to, as string
	c := &cobra.Command{
		Use:   "copy STUDY",
		Short: "Copy a study with its records from one store to another",
		Long: `Copy reads a study from the store --from (default: the one of --store) and adds it
to the store --to, with plan, data, records and digest. Both are folders or
redis:// URLs.`,
		Example: "  overnight copy delay-volatility --from .overnight --to redis://127.0.0.1:6379",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usage("copy needs --to: a folder, or redis://host:6379")
			}
			source, target := *a, *a
			if from != "" {
				source.store, source.cluster, source.queue = from, "", ""
			}
			target.store, target.cluster, target.queue = to, "", ""
			ctx := cmd.Context()
			return source.with(ctx, func(s results.Store) error {
				p, err := source.findPlan(ctx, s, args[0])
				if err != nil {
					return err
				}
				return target.creating(ctx, func(t results.Store) error { return target.copyFrom(ctx, s, t, p.Study, as) })
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&from, "from", "", "the `store` to read: a folder or a URL")
	fl.StringVar(&to, "to", "", "the `store` to write: a folder or a URL")
	fl.StringVar(&as, "as", "", "another `name` for it")
	return c
}

// copyFrom adds a study to a store, which is that of a.
func (a *app) copyFrom(ctx context.Context, from, to results.Store, study, as string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	wrote := make(chan error, 1)
	go func() {
		err := archive.Write(ctx, w, from, study)
		_ = w.CloseWithError(err)
		wrote <- err
	}()
	name, err := archive.Read(ctx, r, to, as)
	_ = r.CloseWithError(errors.New("copying has ended"))
	if werr := <-wrote; werr != nil && err == nil || errors.Is(err, werr) && werr != nil {
		return engine(werr)
	}
	switch {
	case errors.Is(err, results.ErrExists):
		return usage("%w", err)
	case err != nil:
		return engine(err)
	}
	t, err := to.Tally(ctx, name)
	if err != nil {
		return engine(err)
	}
	a.audit("copy", name)
	fmt.Fprintf(a.out, "%s is copied with %s records\n", strings.TrimSpace(name), thousands(t.Total()))
	return nil
}
