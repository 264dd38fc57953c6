// Package chaos runs a study on real processes under a seeded schedule of faults
// and tells what came of it: nothing lost, nothing doubled, the same digest as
// undisturbed, and how long each recovery took. Start with Run.
//
// It drives the overnight binary by its command line, as a user would, and looks
// at what is committed through a results.Store.
package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// The engines that can be put under faults.
const (
	Embedded = "embedded" // one process
	Joined   = "joined"   // run --listen, and workers that join
	Asynq    = "asynq"    // serve and workers on Redis
	NATS     = "nats"     // serve and workers on NATS JetStream, results in Redis
)

// Engines returns their names.
func Engines() []string { return []string{Embedded, Joined, Asynq, NATS} }

// Queue is a queue that faults can reach into.
type Queue interface {
	jobs.Queue
	// Inject puts a message into the queue as it is.
	Inject(ctx context.Context, msg []byte) error
	// Pending returns how many jobs wait, and how many are taken or come back later.
	Pending(ctx context.Context) (waiting, held int, err error)
	// Dead returns the latest n messages that were no jobs, as far as they are kept.
	Dead(ctx context.Context, n int) ([][]byte, error)
	// DeleteAll deletes what the queue stores, behind its back.
	DeleteAll(ctx context.Context) error
}

// Options configure a run.
type Options struct {
	Binary  string        // of overnight
	Engine  string        // one of Engines
	Seed    uint64        // of the schedule
	Workers int           // processes; defaults to 4
	Slots   int           // of each; defaults to 1
	Times   int           // how often each fault fires; defaults to 2
	AtOnce  int           // how many workers a fault on workers hits together; defaults to 1
	Faults  []string      // by name; empty: all that the engine can have
	Skip    []string      // names left out
	Idle    float64       // ms that a trial lasts; defaults to 20
	Work    time.Duration // how much work is added when it runs out; defaults to 20 s
	Dir     string        // scratch, kept; "": a temporary folder, removed where all went well
	Log     io.Writer

	// OpenStore opens a folder or a redis:// URL; OpenQueue the queue of URL, with
	// the signing keys in folder keys.
	OpenStore func(ctx context.Context, at string) (results.Store, error)
	OpenQueue func(ctx context.Context, url, keys string) (Queue, error)
}

// Row is what came of one fault.
type Row struct {
	Fault    string
	Fired    int
	Recovery []time.Duration // of each firing, ascending
	Lost     uint64          // planned trials without a record after all
	Doubled  uint64          // records beside the first of their trial, or that differ
	Note     string
}

// Report is what came of a run.
type Report struct {
	Engine    string
	Seed      uint64
	Rows      []Row
	Trials    uint64
	Digest    string
	Reference string // the digest of the same study, undisturbed
	Tally     results.Tally
	Took      time.Duration
	Repeat    string // the command line that repeats it
	Dir       string // where logs and data are; "" where they are gone
}

// Failed returns what is wrong with the report, or nil.
func (r *Report) Failed() error {
	var errs []error
	for _, row := range r.Rows {
		switch {
		case row.Fired == 0:
			errs = append(errs, fmt.Errorf("fault %s never fired: %s", row.Fault, cmp.Or(row.Note, "no reason was given")))
		case row.Lost > 0 || row.Doubled > 0:
			errs = append(errs, fmt.Errorf("fault %s: %d trials lost, %d doubled", row.Fault, row.Lost, row.Doubled))
		case strings.HasPrefix(row.Note, "FAILED"):
			errs = append(errs, fmt.Errorf("fault %s: %s", row.Fault, row.Note))
		}
	}
	if r.Digest != r.Reference || r.Digest == "" {
		errs = append(errs, fmt.Errorf("digest %q, undisturbed %q", r.Digest, r.Reference))
	}
	if r.Tally.Differs > 0 {
		errs = append(errs, fmt.Errorf("%d records differ from the first of their trial", r.Tally.Differs))
	}
	return errors.Join(errs...)
}

// Run puts one engine under faults.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	chosen, err := choose(o)
	if err != nil {
		return nil, err
	}
	temporary := o.Dir == ""
	if temporary {
		if o.Dir, err = os.MkdirTemp("", "overnight-chaos-"); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	report := &Report{Engine: o.Engine, Seed: o.Seed, Repeat: o.line(), Dir: o.Dir}
	began := time.Now()
	l, err := newLab(ctx, o)
	if err != nil {
		return report, fmt.Errorf("start %s: %w; logs are in %s", o.Engine, err, o.Dir)
	}
	defer l.close()
	for _, f := range chosen {
		row := l.try(ctx, f)
		report.Rows = append(report.Rows, row)
		if ctx.Err() != nil {
			return report, ctx.Err()
		}
	}
	if err := l.end(ctx, report); err != nil {
		return report, fmt.Errorf("%w; logs are in %s", err, o.Dir)
	}
	report.Took = time.Since(began)
	if temporary && report.Failed() == nil {
		l.close()
		report.Dir = ""
		_ = os.RemoveAll(o.Dir) // it is scratch
	}
	return report, nil
}

func (o *Options) complete() error {
	if !slices.Contains(Engines(), o.Engine) {
		return fmt.Errorf("engine %q: write one of %s", o.Engine, strings.Join(Engines(), ", "))
	}
	if o.Workers <= 0 {
		o.Workers = 4
	}
	if o.Slots <= 0 {
		o.Slots = 1
	}
	if o.Times <= 0 {
		o.Times = 2
	}
	o.AtOnce = min(max(o.AtOnce, 1), o.Workers)
	if o.Idle <= 0 {
		o.Idle = 20
	}
	if o.Work <= 0 {
		o.Work = 20 * time.Second
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return nil
}

// choose returns the faults to fire in their seeded order.
func choose(o Options) ([]fault, error) {
	var out []fault
	for _, name := range slices.Concat(o.Faults, o.Skip) {
		if !slices.ContainsFunc(faults(), func(f fault) bool { return f.name == name }) {
			return nil, fmt.Errorf("fault %q: there is %s", name, strings.Join(Names(""), ", "))
		}
	}
	for _, f := range faults() {
		named := slices.Contains(o.Faults, f.name)
		if named && !f.on(o.Engine) {
			return nil, fmt.Errorf("fault %s can't happen on engine %s: it has %s", f.name, o.Engine, strings.Join(Names(o.Engine), ", "))
		}
		if f.on(o.Engine) && (named || len(o.Faults) == 0) && !slices.Contains(o.Skip, f.name) {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no fault is left to fire")
	}
	r := rand.New(rand.NewPCG(o.Seed, 1))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, nil
}

// line is the command that repeats this run.
func (o *Options) line() string {
	b := fmt.Sprintf("overnight chaos --engine %s --seed %d --workers %d --slots %d --times %d --at-once %d --idle %g --work %v", o.Engine, o.Seed, o.Workers, o.Slots, o.Times, o.AtOnce, o.Idle, o.Work)
	for _, f := range o.Faults {
		b += " --fault " + f
	}
	for _, f := range o.Skip {
		b += " --skip " + f
	}
	return b
}
