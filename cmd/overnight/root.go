package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"overnight/internal/catalog"
	"overnight/internal/simd"
	"overnight/jobs"
	"overnight/results"
	"overnight/worker/trial"
)

// Exit codes (DESIGN section 7).
const (
	exitFailures    = 1 // finished with failed, dead or overrun trials
	exitUsage       = 2 // bad usage or study file
	exitEngine      = 3 // engine unreachable or refused
	exitInterrupted = 4 // run again to go on
)

// codeError carries an exit code; a nil err prints nothing.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *codeError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &codeError{exitUsage, fmt.Errorf(format, args...)}
}

func engine(err error) error { return &codeError{exitEngine, err} }

// closed closes a store; that it can't be is the engine's fault.
func closed(s io.Closer) error {
	if err := s.Close(); err != nil {
		return engine(fmt.Errorf("close the store: %w", err))
	}
	return nil
}

// app is what commands share.
type app struct {
	in   io.Reader
	out  io.Writer
	err  *screen
	cat  *jobs.Catalog
	log  *zap.Logger
	stop func() // ends the watch for signals

	store      string
	storeGiven bool // by flag or environment
	queue      string
	cluster    string

	quiet   bool
	verbose bool
}

// Main runs one command line and returns the exit code.
func Main(args []string, in io.Reader, out, errw io.Writer) int {
	a := &app{in: in, out: out, err: &screen{w: errw}, cat: catalog.New(), log: zap.NewNop(), stop: func() {}}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(a.err)
	defer func() { a.stop() }()
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	code, msg := exit(err)
	if msg != "" {
		fmt.Fprintf(a.err, "overnight: %s\n", msg)
	}
	return code
}

// exit returns the exit code of an error and what to say of it. An interrupted
// command may have wrapped that as a fault of the engine: it is none.
func exit(err error) (code int, msg string) {
	msg = strings.Trim(err.Error(), "\n")
	var c *codeError
	coded := errors.As(err, &c)
	switch {
	case coded && c.code == exitInterrupted:
		return c.code, msg
	case errors.Is(err, context.Canceled), errors.Is(err, trial.ErrInterrupted):
		return exitInterrupted, ""
	case coded:
		return c.code, msg
	}
	return exitUsage, msg // what cobra refuses is bad usage
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "overnight",
		Short: "Run experiments: sweeps of agents on marketing problems, with intervals",
		Long: `Overnight runs a study: one YAML file names environments, the arms to compare
on them, the factors to vary and how often to repeat each point. Every trial is
committed exactly once, the same study gives the same bytes however it was run,
and results come back as tables with intervals.`,
		Example: `  overnight run examples/quickstart.yaml
  overnight results quickstart
  overnight envs marketing`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.log = newLogger(a.err, a.quiet, a.verbose, cmd.Name() == "run" || cmd.Name() == "bench") // their output says the rest
			if err := simd.Check(); err != nil {
				return &codeError{exitUsage, err}
			}
			a.prefer(cmd)
			if !ownSignals(cmd.Name()) { // which have their own way to be interrupted
				ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
				a.stop = stop
				cmd.SetContext(ctx)
			}
			return nil
		},
	}
	f := root.PersistentFlags()
	store := os.Getenv("OVERNIGHT_STORE")
	a.storeGiven = store != ""
	if store == "" {
		store = ".overnight"
	}
	f.StringVar(&a.store, "store", store, "where results are: a `folder`, or redis://host:6379 (also from OVERNIGHT_STORE)")
	f.StringVar(&a.queue, "queue", os.Getenv("OVERNIGHT_QUEUE"), "where jobs go: nats://host:4222 or redis://host:6379 (also from OVERNIGHT_QUEUE); default: inside the process")
	f.StringVar(&a.cluster, "cluster", os.Getenv("OVERNIGHT_CLUSTER"), "both in one Redis: redis://host:6379 (also from OVERNIGHT_CLUSTER)")
	// An address may hold a password by mistake, and help is shown to anybody.
	f.Lookup("store").DefValue, f.Lookup("queue").DefValue, f.Lookup("cluster").DefValue = ".overnight", "", ""
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress and no logs; errors and the summary stay")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "log more")
	root.AddGroup(
		&cobra.Group{ID: "study", Title: "Studies:"},
		&cobra.Group{ID: "cluster", Title: "Many machines:"},
		&cobra.Group{ID: "results", Title: "Results:"},
		&cobra.Group{ID: "know", Title: "What there is:"},
		&cobra.Group{ID: "care", Title: "Upkeep:"},
	)
	add := func(group string, cs ...*cobra.Command) {
		for _, c := range cs {
			c.GroupID = group
			if args := c.Args; args != nil {
				c.Args = func(cmd *cobra.Command, given []string) error {
					if err := args(cmd, given); err != nil {
						return usage("%s takes other arguments: overnight %s; see overnight %s --help", cmd.Name(), cmd.Use, cmd.Name())
					}
					return nil
				}
			}
			root.AddCommand(c)
		}
	}
	add("study", a.runCmd(), a.submitCmd(), a.validateCmd(), a.lsCmd(), a.statusCmd(), a.watchCmd(), a.cancelCmd(), a.pauseCmd(), a.resumeCmd(), a.retryCmd(), a.rmCmd(), a.gcCmd())
	add("cluster", a.workerCmd(), a.serveCmd(), a.workersCmd(), a.healthCmd(), a.tokenCmd())
	add("results", a.resultsCmd(), a.reportCmd(), a.compareCmd(), a.sensitivityCmd(), a.exportCmd(), a.offpolicyCmd(), a.digestCmd(), a.replayCmd(), a.rolloutCmd(), a.archiveCmd(), a.importCmd(), a.copyCmd())
	add("know", a.envsCmd(), a.agentsCmd(), a.schemaCmd(), a.versionCmd())
	add("care", a.doctorCmd(), a.fsckCmd(), a.benchCmd(), a.chaosCmd(), a.bundleCmd())
	root.AddCommand(a.childCmd(), a.natsServerCmd())
	return root
}

// ownSignals tells which commands have their own way to be interrupted.
func ownSignals(command string) bool {
	switch command {
	case "run", "worker", "serve", "child", "nats-server":
		return true
	}
	return false
}

// prefer lets flags win over the environment: who writes --store means that
// store, whatever OVERNIGHT_CLUSTER says, and the other way round.
func (a *app) prefer(cmd *cobra.Command) {
	given := func(name string) bool { f := cmd.Flag(name); return f != nil && f.Changed }
	store, queue, cluster := given("store"), given("queue"), given("cluster")
	switch {
	case cluster && !store && !queue:
		a.store, a.queue, a.storeGiven = ".overnight", "", false
	case (store || queue) && !cluster:
		a.cluster = ""
		if !queue && !strings.Contains(a.store, "://") {
			a.queue = "" // a folder has its queue inside the process
		}
	}
	a.storeGiven = a.storeGiven || store
}

// width is how wide tables may be.
func (a *app) width() int {
	if w := terminal(a.out); w > 0 {
		return w
	}
	return 120
}

// find opens the store for reading and returns a study's plan and form.
func (a *app) find(ctx context.Context, s results.Store, word string) (results.Plan, *jobs.Study, error) {
	plan, err := a.findPlan(ctx, s, word)
	if err != nil {
		return results.Plan{}, nil, err
	}
	if plan.Engine != jobs.EngineVersion {
		return results.Plan{}, nil, engine(fmt.Errorf("study %s was planned for engine version %d, this build is %d: use such a build for it", plan.Study, plan.Engine, jobs.EngineVersion))
	}
	study, err := jobs.DecodeStudy(plan.Body, a.cat)
	if err != nil {
		return results.Plan{}, nil, engine(fmt.Errorf("read plan of %s: %w", plan.Study, err))
	}
	return plan, study, nil
}
