package coordinator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// simulated is a study of the simulation: its trials, one a job where they are
// long, take about mean.
type simulated struct {
	priority, limit int
	mean            time.Duration
	join            time.Duration // when it comes
	pause, resume   time.Duration // between which it wants nothing

	a        *account
	used     time.Duration
	inflight time.Duration
	out      int
	long     int
	most     int // jobs that ran at once
	running  int
}

type simJob struct {
	of   *simulated
	est  time.Duration
	took time.Duration
	end  time.Duration
	long bool
}

// simulate lets slots work through what the studies issue for a time, and notes
// the core time that each used between from and to.
func simulate(seed uint64, slots int, from, to time.Duration, studies []*simulated) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	s := &shares{}
	s.size(slots, true)
	epoch := time.Now()
	var queue, running []*simJob
	for now := time.Duration(0); now < to; {
		clock := epoch.Add(now)
		for progress := true; progress; {
			progress = false
			for _, st := range studies {
				if st.join > now {
					continue
				}
				if st.a == nil {
					st.a = s.join()
					st.a.weigh(st.priority, st.limit)
				}
				if st.pause <= now && now < st.resume {
					st.a.rest()
					continue
				}
				// Jobs hold a quarter of a second of short trials.
				est := max(st.mean, 250*time.Millisecond)
				long := est >= longJob
				for st.a.may(clock, long) {
					st.a.issued(est)
					st.out++
					st.inflight += est
					if long {
						st.long++
					}
					took := time.Duration(float64(est) * (0.5 + rnd.Float64()))
					queue = append(queue, &simJob{of: st, est: est, took: took, long: long})
					progress = true
				}
			}
		}
		for len(running) < slots && len(queue) > 0 {
			j := queue[0]
			queue = queue[1:]
			j.end = now + j.took
			j.of.running++
			j.of.most = max(j.of.most, j.of.running)
			running = append(running, j)
		}
		next := now + 100*time.Millisecond
		for _, j := range running {
			next = min(next, j.end)
		}
		for _, j := range running {
			begin := j.end - j.took
			if lo, hi := max(begin, now, from), min(j.end, next, to); hi > lo {
				j.of.used += hi - lo
			}
		}
		now = next
		rest := running[:0]
		for _, j := range running {
			if j.end > now {
				rest = append(rest, j)
				continue
			}
			st := j.of
			st.running--
			st.out--
			st.inflight -= j.est
			if j.long {
				st.long--
			}
			st.a.update(epoch.Add(now), st.a.used+j.took, st.inflight, st.out, st.long)
		}
		running = rest
	}
}

// TestShares holds that core time is shared by the weights, within 10 %, however
// long the trials of each study are.
func TestShares(t *testing.T) {
	t.Parallel()
	const ms, sec, min = time.Millisecond, time.Second, time.Minute
	for _, c := range []struct {
		name    string
		slots   int
		from    time.Duration
		studies []*simulated
	}{
		{"equal", 4, 0, []*simulated{{mean: ms}, {mean: ms}}},
		{"long and short", 4, 10 * min, []*simulated{{mean: 60 * sec}, {mean: ms}}},
		{"long and short, weighted", 8, 10 * min, []*simulated{{mean: 30 * sec, priority: 3}, {mean: 50 * ms, priority: 1}}},
		{"light long, heavy short", 2, 10 * min, []*simulated{{mean: 60 * sec, priority: 1}, {mean: ms, priority: 9}}},
		{"three of each kind", 6, 10 * min, []*simulated{
			{mean: 60 * sec, priority: 1}, {mean: 2 * sec, priority: 2}, {mean: ms, priority: 3},
			{mean: 10 * sec, priority: 1}, {mean: 300 * ms, priority: 2}, {mean: 20 * ms, priority: 3}}},
		{"a late one", 4, 40 * min, []*simulated{{mean: ms}, {mean: 5 * sec}, {mean: 100 * ms, join: 30 * min}}},
		{"back from a pause", 4, 40 * min, []*simulated{{mean: ms}, {mean: 5 * sec, pause: 5 * min, resume: 30 * min}}},
		{"more studies than slots", 2, 10 * min, []*simulated{{mean: sec}, {mean: 2 * sec}, {mean: ms}, {mean: 3 * sec}, {mean: 500 * ms}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := 2 * time.Hour
			for seed := range uint64(2) {
				studies := make([]*simulated, len(c.studies))
				weights, used := 0.0, time.Duration(0)
				for i, s := range c.studies {
					copied := *s
					studies[i] = &copied
					weights += float64(max(s.priority, 1))
				}
				simulate(seed, c.slots, c.from, to, studies)
				for _, s := range studies {
					used += s.used
				}
				if all := time.Duration(c.slots) * (to - c.from); used < all*98/100 {
					t.Errorf("seed %d: %v of %v of core time used: slots stood idle", seed, used, all)
				}
				for i, s := range studies {
					want := float64(max(s.priority, 1)) / weights
					if got := float64(s.used) / float64(used); math.Abs(got-want) > want/10 {
						t.Errorf("seed %d: study %d (trials of %v) got %.3f of the core time, want %.3f", seed, i, s.mean, got, want)
					}
				}
			}
		})
	}
}

// TestSharesLate holds that a study that joins neither waits for long nor takes
// what the others used before it came.
func TestSharesLate(t *testing.T) {
	t.Parallel()
	for _, old := range []time.Duration{time.Millisecond, 20 * time.Second} {
		t.Run(fmt.Sprint(old), func(t *testing.T) {
			t.Parallel()
			at := time.Hour
			studies := []*simulated{{mean: old}, {mean: time.Millisecond, join: at}}
			simulate(1, 4, at, at+4*time.Minute, studies)
			share := float64(studies[1].used) / float64(studies[0].used+studies[1].used)
			if share < 0.3 || share > 0.7 {
				t.Errorf("in its first four minutes it got %.2f of the core time, want about a half", share)
			}
		})
	}
}

// TestMaxSlots holds that a study never has more jobs out than its limit, and
// that the time it could not use is not owed to it.
func TestMaxSlots(t *testing.T) {
	t.Parallel()
	studies := []*simulated{{mean: time.Second, limit: 1}, {mean: time.Millisecond}, {mean: time.Millisecond, join: time.Hour}}
	simulate(1, 8, time.Hour, 2*time.Hour, studies)
	if studies[0].most != 1 {
		t.Errorf("%d trials at once, want 1", studies[0].most)
	}
	if a, b := studies[1].used.Seconds(), studies[2].used.Seconds(); math.Abs(a-b) > (a+b)/20 {
		t.Errorf("the two without a limit got %.0f and %.0f s, want the same", a, b)
	}
}
