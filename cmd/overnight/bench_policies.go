package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"overnight/jobs"
	"overnight/worker/trial"
)

// allPolicies is what --policies means by itself.
const allPolicies = "all"

// policyTurn is how long a policy plays in a round.
const policyTurn = 50 * time.Millisecond

// policyBench measures one agent in the environment email as it is by default:
// whole trials, each with a world of its own.
type policyBench struct {
	name   string
	runner *trial.Runner
	sends  int // of a trial
	regret int // index of the metric
	next   uint64

	speeds       []float64 // decisions a second, by round
	sum, squares float64   // of regrets
}

// benchPolicies prints sends per second of CPU time for each policy. A send is the
// policy's decision, the recipient's answer with all metrics, and what the policy
// learns of it; the making of trials and worlds is included.
func (a *app) benchPolicies(ctx context.Context, names []string, rounds int) error {
	if slices.Equal(names, []string{allPolicies}) {
		names = names[:0]
		for _, f := range a.cat.Agents {
			names = append(names, f.Name())
		}
	}
	all := len(names) == len(a.cat.Agents)
	var list []*policyBench
	for _, name := range names {
		b, err := a.policyBench(name)
		switch {
		case err == nil:
			list = append(list, b)
		case !all:
			return usage("--policies %s: %w", name, err)
		}
	}
	for range rounds {
		for _, b := range list {
			if err := b.play(ctx); err != nil {
				return engine(fmt.Errorf("%s: %w", b.name, err))
			}
		}
	}
	fmt.Fprintf(a.out, "overnight %s, engine version %d, %s/%s, CPU time of one core, median of %d rounds (min, max)\n", version(), jobs.EngineVersion, runtime.GOOS, runtime.GOARCH, rounds)
	fmt.Fprintf(a.out, "%-26s %12s %19s %12s   %s\n", "environment email", "M sends/s", "(min, max)", "ns a send", "regret +- standard error, runs")
	for _, b := range list {
		slices.Sort(b.speeds)
		mid := b.speeds[len(b.speeds)/2]
		n := float64(b.next)
		mean := b.sum / n
		fmt.Fprintf(a.out, "%-26s %12.3f %19s %12.1f   %.2f +- %.2f, %d\n", b.name, mid/1e6, fmt.Sprintf("(%.3f, %.3f)", b.speeds[0]/1e6, b.speeds[len(b.speeds)-1]/1e6), 1e9/mid,
			mean, math.Sqrt(max(0, b.squares/n-mean*mean)/max(1, n-1)), b.next)
	}
	return nil
}

// policyBench returns the measurement of an agent, or why it can't act here. One
// that is made for contexts sees three segments.
func (a *app) policyBench(name string) (*policyBench, error) {
	f := a.cat.Agent(name)
	if f == nil {
		return nil, fmt.Errorf("there is no such agent; `overnight agents` lists them")
	}
	world := ""
	for _, field := range f.Schema() {
		if field.Name == "context" || field.Name == "field" {
			world = ", contexts: [segment]"
		}
	}
	s, err := a.studyText(fmt.Sprintf("study: policy\nenv: {name: email%s}\nagents: [{name: %s}]\nreplications: 1000000\n", world, name))
	if err != nil {
		return nil, err
	}
	p, err := s.Point(0)
	if err != nil {
		return nil, err
	}
	env, err := a.cat.Env("email").New(p.Env, nil)
	if err != nil {
		return nil, err
	}
	return &policyBench{
		name: name, runner: trial.New(s, a.cat, trial.Options{}), sends: env.Spec().Horizon,
		regret: slices.Index(s.Metrics, "regret"),
	}, nil
}

// play runs trials for a turn of a round.
func (b *policyBench) play(ctx context.Context) error {
	start, first := cpuTime(), b.next
	for b.next == first || cpuTime()-start < policyTurn {
		rec, err := b.runner.Run(ctx, b.next)
		switch {
		case err != nil:
			return err
		case rec.Error != "":
			return fmt.Errorf("trial %d: %s", b.next, strings.TrimSpace(rec.Error))
		}
		r := rec.Metrics[b.regret]
		b.sum += r
		b.squares += r * r
		b.next++
	}
	b.speeds = append(b.speeds, float64(b.sends)*float64(b.next-first)/(cpuTime()-start).Seconds())
	return nil
}

// cpuTime returns the CPU time of this process so far; other load on the machine
// is not in it.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
