package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"overnight/envs"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/answer"
	"overnight/results/figure"
	"overnight/results/page"
	"overnight/results/plots"
	"overnight/worker/trial"
)

type reportFlags struct {
	out, figures string
	days         bool
}

func (a *app) reportCmd() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report STUDY -o report.html",
		Short: "Write a self-contained page: the answer in sentences, pictures, tables",
		Long: `Report writes one HTML file that needs no network: the question, the answer in
sentences with intervals, pictures to point at and zoom into, tables and the
study file. It works in mid-study too. Pictures day by day, or send by send, are
made by running a few trials an arm again, since logs are not stored; --days=false
leaves them out.
--figures writes every picture as PNG and SVG files into a folder.`,
		Example: `  overnight report delay-volatility -o report.html
  overnight report delay-volatility -o report.html --figures figures`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.out == "" && f.figures == "" {
				return usage("report needs a place to write to: -o report.html, or --figures DIR, or both")
			}
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				p, study, err := a.find(ctx, s, args[0])
				if err != nil {
					return err
				}
				return a.report(ctx, s, p, study, f)
			})
		},
	}
	fl := c.Flags()
	fl.StringVarP(&f.out, "output", "o", "", "the `file` to write, such as report.html")
	fl.StringVar(&f.figures, "figures", "", "write the pictures as PNG and SVG files into this `folder`")
	fl.BoolVar(&f.days, "days", true, "pictures day by day or send by send, from running a few trials an arm again")
	return c
}

func (a *app) report(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, f reportFlags) error {
	var again figure.Play
	if f.days {
		again = play(a.runner(study))
	}
	doc, err := a.document(ctx, s, p, study, again, "")
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := writeFile(f.out, func(w *bufio.Writer) error { return page.Write(w, doc) }); err != nil {
			return err
		}
		size := int64(0)
		if info, err := os.Stat(f.out); err == nil {
			size = info.Size()
		}
		fmt.Fprintf(a.out, "%s: %d pictures, %s; open it in a browser\n", f.out, len(answer.Figures(doc)), byteCount(uint64(size)))
	}
	if f.figures == "" {
		return nil
	}
	files, err := plots.Write(f.figures, answer.Figures(doc))
	if err != nil {
		return usage("--figures %s: %w", f.figures, err)
	}
	fmt.Fprintf(a.out, "%s: %d files\n", filepath.Clean(f.figures), len(files))
	return nil
}

// document makes a study's report, with pictures of trials that again runs; without
// it unplayed says why not, if the reader is to know.
func (a *app) document(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, again figure.Play, unplayed string) (page.Document, error) {
	m, err := a.model(ctx, s, p, study)
	if err != nil {
		return page.Document{}, err
	}
	in := answer.Input{
		Model: m, State: p.State, Digest: p.Digest, Source: p.Source, Made: "overnight " + version(),
		Records: s.Scan(ctx, p.Study, 0, p.Trials), Play: again, Unplayed: unplayed,
	}
	doc, err := answer.Build(ctx, in)
	if err != nil {
		return page.Document{}, engine(fmt.Errorf("report on %s: %w", p.Study, err))
	}
	return doc, nil
}

// play runs trials again for day-by-day pictures.
func play(r *trial.Runner) figure.Play {
	return func(ctx context.Context, n uint64, want figure.Wanted, begin func(*envs.Spec) error, step func(figure.Step) error) error {
		o := trial.RolloutOptions{Episodes: want.Episodes, Beliefs: want.Beliefs != nil, BeliefsAt: want.Beliefs}
		return r.Rollout(ctx, n, o, begin, func(s trial.RolloutStep) error {
			return step(figure.Step{
				Episode: s.Episode, Step: s.Step, Action: s.Action, Reward: s.Reward, Trace: s.Trace,
				Mean: s.Mean, Low: s.Low, High: s.High,
			})
		})
	}
}
