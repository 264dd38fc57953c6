package stopping

import (
	"flag"
	"fmt"
	"math"
	"testing"

	"overnight/internal/rng"
	"overnight/results"
	"overnight/results/stats"
)

var long = flag.Bool("long", false, "coverage with 10,000 repeats instead of 400")

// TestCoverage states what 95 % intervals cover of points that stop once their
// interval is narrow enough, from 10, 20 and 30 replications on, with scores that
// are normal and skewed ones: 1 - exponential, the shape of a share of the
// optimum. Points need about 64 replications and stop at stages of which each is
// half as large again as the one before; beside them stands what an interval of
// 64 replications covers that nobody looked at before. A right figure fails one
// check of a random seed in 16,000: 4 binomial standard errors, and 1 % for its
// own rounding.
func TestCoverage(t *testing.T) {
	t.Parallel()
	normal := func(s *rng.Stream) float64 { return s.Normal() }
	skewed := func(s *rng.Stream) float64 { return 1 - s.Exponential() } // mean 0, standard deviation 1
	repeats := 400
	if *long {
		repeats = 10_000
	}
	for _, c := range []struct {
		name string
		draw func(*rng.Stream) float64
		min  int
		want float64
	}{
		{"normal", normal, 10, .945},
		{"normal", normal, 20, .945},
		{"normal", normal, 30, .945},
		{"skewed", skewed, 10, .88},
		{"skewed", skewed, 20, .895},
		{"skewed", skewed, 30, .915},
	} {
		t.Run(fmt.Sprintf("%s from %d", c.name, c.min), func(t *testing.T) {
			t.Parallel()
			s := parse(t, fmt.Sprintf("study: s\nenv: {name: function}\nagents: [{name: random}]\nreplications: {min: %d, max: 300, until: {half_width: 0.25}}\n", c.min))
			hits, fixed, runs := 0, 0, uint64(0)
			for k := range repeats {
				draw := rng.New(rng.Root(23, c.name, uint64(c.min)).At(uint64(k)))
				o := outcome(t, s)
				var x []float64
				for o.Missing() > 0 {
					x = append(x, c.draw(&draw))
					n := uint64(len(x) - 1)
					o.Take(&results.Record{Trial: n, Replication: n, Status: results.Done, Metrics: []float64{x[n]}})
				}
				runs += uint64(len(x))
				if stats.TInterval(x, level).Contains(0) {
					hits++
				}
				for len(x) < 64 {
					x = append(x, c.draw(&draw))
				}
				if stats.TInterval(x[:64], level).Contains(0) {
					fixed++
				}
			}
			n := float64(repeats)
			got, within := float64(hits)/n, .01+4*math.Sqrt(c.want*(1-c.want)/n)
			t.Logf("%s, from %d replications on: %.1f %% of %d intervals hold the true value, of %.0f replications on average; with 64 always, %.1f %%",
				c.name, c.min, 100*got, repeats, float64(runs)/n, 100*float64(fixed)/n)
			if math.Abs(got-c.want) > within {
				t.Errorf("covers %.3f, want %.3f within %.3f", got, c.want, within)
			}
		})
	}
}
