package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/archive"
	"overnight/results/stopping"
)

func (a *app) digestCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "digest STUDY",
		Short: "Print the digest of a study's results",
		Long: `Digest prints one hexadecimal SHA-256 over all trials' results in trial order: equal
digests, equal bytes, whatever the number of workers or the schedule of crashes.
Where trials are missing it prints nothing, says so and exits with 1.`,
		Example: "  overnight digest delay-volatility",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				p, err := a.findPlan(ctx, s, args[0])
				if err != nil {
					return err
				}
				d, missing, err := a.digest(ctx, s, p)
				if err != nil {
					return engine(err)
				}
				if missing > 0 {
					return &codeError{exitFailures, fmt.Errorf("%s has no digest yet: %d of %d trials are missing", p.Study, missing, p.Expected())}
				}
				fmt.Fprintln(a.out, d)
				return nil
			})
		},
	}
}

// digest computes a study's digest over what it wants. All of a study is wanted
// where its plan says nothing else, and then the plan is not decoded, which takes
// a build that knows its environments and agents.
func (a *app) digest(ctx context.Context, s results.Store, p results.Plan) (digest string, missing uint64, err error) {
	if p.Wanted == 0 {
		return results.Digest(ctx, s, p)
	}
	study, err := jobs.DecodeStudy(p.Body, a.cat)
	if err != nil {
		return "", 0, fmt.Errorf("read plan of %s, whose results decide which trials it wants: %w", p.Study, err)
	}
	return stopping.Digest(ctx, s, p, study)
}

func (a *app) archiveCmd() *cobra.Command {
	var out string
	var salvage bool
	c := &cobra.Command{
		Use:   "archive STUDY -o FILE",
		Short: "Write a study with plan, data and records to one file",
		Long: `Archive writes everything that is kept of a study to one file, which import reads.
A damaged record is refused; --salvage leaves such records out, and running the
imported study makes them anew.`,
		Example: "  overnight archive delay-volatility -o delay-volatility.overnight",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if out == "" {
				return usage("archive needs -o FILE: where to write")
			}
			return a.with(ctx, func(s results.Store) error {
				p, err := a.findPlan(ctx, s, args[0])
				if err != nil {
					return err
				}
				var left []uint64
				err = writeFile(out, func(w *bufio.Writer) (err error) {
					if !salvage {
						return archive.Write(ctx, w, s, p.Study)
					}
					left, err = archive.Salvage(ctx, w, s, p.Study)
					return err
				})
				if err != nil {
					return engine(err)
				}
				fmt.Fprintf(a.out, "%s is in %s\n", p.Study, out)
				if len(left) > 0 {
					fmt.Fprintf(a.out, "left out, since they can't be read: %d records, the first of trial %d\n", len(left), left[0])
				}
				return nil
			})
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the `file` to write")
	c.Flags().BoolVar(&salvage, "salvage", false, "leave out records that are damaged")
	return c
}

// writeFile writes a file whole or not at all.
func writeFile(name string, fn func(*bufio.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriter(f)
	err = fn(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func (a *app) importCmd() *cobra.Command {
	var as string
	c := &cobra.Command{
		Use:     "import FILE",
		Short:   "Add a study from a file that archive wrote",
		Example: "  overnight import delay-volatility.overnight --as colleague",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			f, err := os.Open(args[0])
			if err != nil {
				return usage("%v", err)
			}
			defer f.Close()
			return a.creating(ctx, func(s results.Store) error {
				name, err := archive.Read(ctx, f, s, as)
				if err != nil {
					return usage("%s: %w", args[0], err)
				}
				t, err := s.Tally(ctx, name)
				if err != nil {
					return engine(err)
				}
				fmt.Fprintf(a.out, "%s is here with %s records\n", name, thousands(t.Total()))
				return nil
			})
		},
	}
	c.Flags().StringVar(&as, "as", "", "another `name` for it")
	return c
}

func (a *app) fsckCmd() *cobra.Command {
	var repair bool
	c := &cobra.Command{
		Use:   "fsck [STUDY]",
		Short: "Check every stored record; name the damaged ones",
		Long: `Fsck reads every record of a study, or of all, and verifies its checksum, and the
database file as a whole. With --repair the damaged records are discarded, so that
running the study again makes them anew.`,
		Example: "  overnight fsck\n  overnight fsck delay-volatility --repair && overnight run study.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fn := func(s results.Store) error { return a.fsck(cmd.Context(), s, args, repair) }
			if repair {
				return a.locked(cmd.Context(), fn)
			}
			return a.with(cmd.Context(), fn)
		},
	}
	c.Flags().BoolVar(&repair, "repair", false, "discard damaged records, so that they run again")
	return c
}

// fsckDigests compares the digests of studies that have more records than they
// want, which the store can't tell apart, with their records.
func (a *app) fsckDigests(ctx context.Context, s results.Store, word string) (wrong int, err error) {
	plans, err := s.Studies(ctx)
	if err != nil {
		return 0, engine(err)
	}
	for _, p := range plans {
		if p.Wanted == 0 || p.Digest == "" || word != "" && p.Study != word {
			continue
		}
		if p, err = s.Plan(ctx, p.Study); err != nil {
			return 0, engine(err)
		}
		got, missing, err := a.digest(ctx, s, p)
		switch {
		case err != nil:
			return 0, engine(err)
		case missing > 0:
			fmt.Fprintf(a.out, "damaged: study %s: digest: it is fixed, and %d trials have no record\n", p.Study, missing)
			wrong++
		case got != p.Digest:
			fmt.Fprintf(a.out, "damaged: study %s: digest: %s was fixed, and the records give %s\n", p.Study, p.Digest, got)
			wrong++
		}
	}
	return wrong, nil
}

func (a *app) fsck(ctx context.Context, s results.Store, args []string, repair bool) error {
	word := ""
	if len(args) > 0 {
		p, err := a.findPlan(ctx, s, args[0])
		if err != nil {
			return err
		}
		word = p.Study
	}
	again := map[string][]uint64{} // damaged records that can be made anew
	var studies []string
	bad := 0
	checker, ok := s.(results.Checker)
	if !ok {
		return engine(fmt.Errorf("%s can't be checked from here", a.where()))
	}
	for d, err := range checker.Check(ctx, word) {
		if err != nil {
			return engine(err)
		}
		fmt.Fprintf(a.out, "damaged: %v\n", d)
		if !d.Record {
			bad++
			continue
		}
		if again[d.Study] == nil {
			studies = append(studies, d.Study)
		}
		again[d.Study] = append(again[d.Study], d.Trial)
	}
	if bad == 0 && len(studies) == 0 {
		wrong, err := a.fsckDigests(ctx, s, word)
		if err != nil {
			return err
		}
		bad += wrong
	}
	records := 0
	for _, name := range studies {
		records += len(again[name])
		if !repair {
			continue
		}
		if err := discard(ctx, s, name, again[name]); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s: %d damaged records discarded; run the study again to make them anew\n", name, len(again[name]))
	}
	switch {
	case bad > 0:
		return engine(fmt.Errorf("%d parts of the store are damaged beyond records: keep what can be read with overnight archive --salvage, or restore the folder from a backup", bad))
	case records > 0 && !repair:
		return &codeError{exitFailures, fmt.Errorf("%d damaged records: run fsck again with --repair to discard them, then the study again", records)}
	case records == 0:
		fmt.Fprintln(a.out, "nothing is damaged")
	}
	return nil
}
