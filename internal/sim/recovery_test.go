package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// recoveries is how many lost workers TestRecovery sees.
const recoveries = 400

// within is how long it may take until the trials of a lost worker are restarted
// where another worker is idle (G3), and longest what such a trial takes itself.
const (
	within  = 15 * time.Second
	longest = 2500 * time.Millisecond
)

// TestRecovery holds G3: the trials of a worker that is killed have records of
// others within 15 s, and those of one that is stopped for longer than the lease
// within 15 s and the time that they run. That one may take longer, since what it
// asked of the queue before it stopped may bring it a job that is issued again.
// When it goes on, it commits nothing twice.
func TestRecovery(t *testing.T) {
	t.Parallel()
	long := slices.IndexFunc(templates(), func(s template) bool { return s.name == "long" })
	calm := play(t, setting{studies: []int{long}, slots: []int{4}, lease: time.Minute, replications: 2}, nil, nil, zap.NewNop())
	if calm.err != nil {
		t.Fatal(calm.err)
	}
	var mu sync.Mutex
	var took [2][]time.Duration // of killed workers, of stopped ones
	var wg sync.WaitGroup
	for part := range uint64(2) {
		wg.Go(func() {
			for seed := part; seed < recoveries; seed += 2 {
				d, err := recovery(t, seed, long, calm.digests[0])
				if err != nil {
					t.Errorf("recovery %d: %v", seed, err)
				}
				mu.Lock()
				took[part] = append(took[part], d)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i, what := range []string{"killed", "stopped"} {
		d := took[i]
		slices.Sort(d)
		t.Logf("until the trials of a worker that was %s had records: p50 %v, p99 %v, at most %v of %d", what, d[len(d)/2], d[len(d)*99/100], d[len(d)-1], len(d))
	}
}

// recovery takes a worker away and returns how long its trials took.
func recovery(t *testing.T, seed uint64, template int, digest string) (took time.Duration, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.Join(err, fmt.Errorf("panic: %v", v))
		}
	}()
	synctest.Test(t, func(*testing.T) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := setting{mode: mode(seed / 2 % 3), studies: []int{template}, slots: []int{3, 2, 3, 2, 3}, lease: time.Hour, replications: 2}
		s.submit.Submitted = s.mode == serves
		w := newWorld(s, zap.NewNop())
		if err = w.begin(s); err != nil {
			return
		}
		time.Sleep(time.Duration(50+r.IntN(2400)) * time.Millisecond)
		victim := w.pick(&w.workers, r.Uint64())
		name := w.studies[0].name
		ledger, e := w.store.Ledger(context.Background(), name)
		if e != nil {
			err = e
			return
		}
		held := w.heldBy(victim, ledger)
		stopped, most := seed%2 == 1, within
		if stopped {
			most += longest
			victim.pause()
		} else {
			victim.kill()
		}
		began := time.Now()
		for left := slices.Clone(held); len(left) > 0; {
			time.Sleep(50 * time.Millisecond)
			l, e := w.store.Ledger(context.Background(), name)
			if e != nil {
				err = e
				return
			}
			left = slices.DeleteFunc(left, l.Has)
			if took = time.Since(began); took > most+time.Minute {
				break
			}
		}
		if took > most {
			err = fmt.Errorf("trials %v of a lost worker had records after %v, more than %v (stopped and not killed: %v; %v)", held, took, most, stopped, s)
		}
		if stopped {
			time.Sleep(time.Duration(r.IntN(30)) * time.Second)
			victim.resume()
			time.Sleep(5 * time.Second) // for what it wants to commit
		}
		plans, e := w.finish()
		w.end()
		if e == nil {
			e = w.check(plans[0])
		}
		if e == nil && plans[0].Digest != digest {
			e = fmt.Errorf("the digest is %s, and %s without faults", plans[0].Digest, digest)
		}
		err = errors.Join(err, e, errors.Join(w.errs...))
	})
	return took, err
}
