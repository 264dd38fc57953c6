package storetest

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"overnight/results"
)

// testCommitConcurrent lets many callers commit overlapping ranges, a few of
// them with results that differ, while others read: each trial is committed
// exactly once, and no record is lost or altered.
func testCommitConcurrent(t *testing.T, s results.Store) {
	const callers, trials, batch = 12, 3000, 37
	p := study(t, s, 30, trials/30)
	var committed [trials]atomic.Int32
	var counts [results.Stale + 1]atomic.Uint64
	var used, wasted atomic.Int64
	var wg, readers sync.WaitGroup
	stop := make(chan struct{})
	readers.Go(func() { // the ledger only grows, and reads see whole transactions
		var last uint64
		for {
			l, err := s.Ledger(t.Context(), p.Study)
			if err != nil {
				t.Errorf("Ledger: %v", err)
				return
			}
			if l.Count() < last {
				t.Errorf("the ledger shrank from %d to %d", last, l.Count())
			}
			last = l.Count()
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for c := range callers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(c)))
			for from := uint64(0); from < trials; {
				n := min(1+rng.Uint64N(batch), trials-from)
				rs := NewRecords(&p, from, from+n)
				for i := range rs {
					if c%4 == 3 && rs[i].Status == results.Done {
						rs[i].Metrics[2] = 1e6 + float64(c)
					}
				}
				vs, err := s.Commit(t.Context(), p.Study, p.Generation, rs)
				if err != nil {
					t.Errorf("Commit: %v", err)
					return
				}
				for i, v := range vs {
					counts[v].Add(1)
					if v == results.Committed {
						committed[rs[i].Trial].Add(1)
						used.Add(int64(rs[i].Elapsed))
					} else {
						wasted.Add(int64(rs[i].Elapsed))
					}
				}
				from += n
			}
		})
	}
	wg.Wait()
	close(stop)
	readers.Wait()
	for i := range committed {
		if got := committed[i].Load(); got != 1 {
			t.Errorf("trial %d was committed %d times", i, got)
		}
	}
	for _, r := range scan(t, s, p.Study, 0, trials) {
		want := NewRecord(&p, r.Trial)
		if r.Status == results.Done && r.Metrics[2] >= 1e6 && r.Metrics[2] < 1e6+callers {
			want.Metrics[2] = r.Metrics[2]
		}
		if !results.Equal(&want, &r) {
			t.Errorf("trial %d has metrics %v, want %v", r.Trial, r.Metrics, want.Metrics)
		}
	}
	got := tally(t, s, p.Study)
	if got.Total() != trials || got.Duplicates != counts[results.Duplicate].Load() || got.Differs != counts[results.Differs].Load() || got.Stale != 0 {
		t.Errorf("tally %+v; %d duplicates and %d different ones were answered", got, counts[results.Duplicate].Load(), counts[results.Differs].Load())
	}
	if got.Used != time.Duration(used.Load()) || got.Wasted != time.Duration(wasted.Load()) {
		t.Errorf("tally has used %v and wasted %v, want %v and %v", got.Used, got.Wasted, time.Duration(used.Load()), time.Duration(wasted.Load()))
	}
	if n := counts[results.Differs].Load(); n == 0 {
		t.Error("no caller was answered differs")
	}
}
