package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
)

// repeats is how often a failing seed runs again before a fault is taken to have
// no part in it.
const repeats = 4

// patience is how long a seed may take in real time.
const patience = time.Minute

// options are the flags behind -args.
type options struct {
	seeds uint64 // how many
	seed  uint64 // this one alone, from 1 on
	keep  string // numbers of the faults to keep, separated by commas; "0": none
	trace bool
}

func TestMain(m *testing.M) {
	flag.Uint64("seeds", 2000, "how many seeds TestSim runs")
	flag.Uint64("seed", 0, "run this seed alone")
	flag.String("keep", "", "of that seed, keep these faults alone: 3,7 (0: none)")
	flag.Bool("trace", false, "print what coordinator and workers log")
	flag.Parse()
	os.Exit(m.Run())
}

func flags() (o options) {
	get := func(name string) any { return flag.Lookup(name).Value.(flag.Getter).Get() }
	return options{seeds: get("seeds").(uint64), seed: get("seed").(uint64), keep: get("keep").(string), trace: get("trace").(bool)}
}

func (o options) log(t *testing.T) *zap.Logger {
	if !o.trace {
		return zap.NewNop()
	}
	log, err := zap.NewDevelopment()
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// kept returns the faults that -keep names.
func (o options) kept(t *testing.T, faults []fault) []fault {
	if o.keep == "" {
		return faults
	}
	var kept []fault
	for word := range strings.SplitSeq(o.keep, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 || n > len(faults) {
			t.Fatalf("-keep %s: %q is no number from 0 to %d", o.keep, word, len(faults))
		}
		if n > 0 {
			kept = append(kept, faults[n-1])
		}
	}
	return kept
}

// undisturbed returns the digests of the studies without any fault.
func undisturbed(t *testing.T) map[string]string {
	t.Helper()
	want := map[string]string{}
	for i, s := range templates() {
		for _, n := range []int{s.replications, s.more} {
			out := play(t, setting{studies: []int{i}, slots: []int{2}, lease: time.Minute, replications: n}, nil, nil, zap.NewNop())
			if out.err != nil {
				t.Fatalf("study %s without faults: %v", s.key(n), out.err)
			}
			want[s.key(n)] = out.digests[0]
		}
	}
	return want
}

// TestSim runs many seeds. A violation is printed with the fewest faults that
// still lead to one, and the line that repeats it.
func TestSim(t *testing.T) {
	t.Parallel()
	o := flags()
	want := undisturbed(t)
	if o.seed != 0 {
		s, faults := schedule(o.seed)
		faults = o.kept(t, faults)
		t.Logf("seed %d: %v\n%s", o.seed, s, list(faults))
		for range repeats {
			out := play(t, s, faults, want, o.log(t))
			if out.err != nil {
				t.Fatal(out.err)
			}
			t.Logf("finished after %v", out.took)
		}
		return
	}
	began := time.Now()
	var next, done, failed atomic.Uint64
	var mu sync.Mutex
	fired := map[kind]int{}
	var longest, virtual time.Duration
	var slowest uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for failed.Load() < 3 {
				seed := next.Add(1)
				if seed > o.seeds {
					return
				}
				s, faults := schedule(seed)
				// Virtual time stands still where a goroutine waits for a mutex whose holder
				// sleeps: nothing but a panic ends that.
				stuck := time.AfterFunc(patience, func() {
					debug.SetTraceback("all")
					panic(fmt.Sprintf("seed %d has not ended after %v of real time", seed, patience))
				})
				out := play(t, s, faults, want, zap.NewNop())
				stuck.Stop()
				done.Add(1)
				mu.Lock()
				for _, f := range faults {
					fired[f.kind]++
				}
				if out.after > longest {
					longest, slowest = out.after, seed
				}
				virtual += out.took
				mu.Unlock()
				if out.err != nil {
					failed.Add(1)
					t.Error(explain(t, seed, s, faults, want, out.err))
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d seeds in %v: %v of virtual time, after the last fault at most %v (seed %d)", done.Load(), time.Since(began).Round(time.Millisecond), virtual.Round(time.Second), longest.Round(time.Millisecond), slowest)
	for _, k := range kinds() {
		t.Logf("%6d  %s", fired[k], k)
		if o.seeds >= 500 && failed.Load() == 0 && fired[k] == 0 {
			t.Errorf("no seed has the fault %q", k)
		}
	}
}

// explain shrinks the list of faults of a seed that failed, and says how to
// repeat it.
func explain(t *testing.T, seed uint64, s setting, faults []fault, want map[string]string, err error) string {
	fails := func(fs []fault) error {
		for range repeats {
			if out := play(t, s, fs, want, zap.NewNop()); out.err != nil {
				return out.err
			}
		}
		return nil
	}
	kept := slices.Clone(faults)
	again := fails(kept)
	if again != nil {
		err = again
		for i := 0; i < len(kept); {
			fewer := slices.Delete(slices.Clone(kept), i, i+1)
			if e := fails(fewer); e != nil {
				kept, err = fewer, e
			} else {
				i++
			}
		}
	}
	var numbers []string
	for _, f := range kept {
		numbers = append(numbers, strconv.Itoa(f.n))
	}
	if len(numbers) == 0 {
		numbers = []string{"0"}
	}
	text := fmt.Sprintf("seed %d: %v: %v\n%s    go test ./internal/sim -run TestSim -args -seed %d -keep %s",
		seed, s, err, list(kept), seed, strings.Join(numbers, ","))
	if again == nil {
		text += fmt.Sprintf("\n    (it did not fail in %d further runs: the order of goroutines decides)", repeats)
	}
	return text
}
