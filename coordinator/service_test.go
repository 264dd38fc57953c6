package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/storetest"
	"overnight/worker"
)

// cluster is a store with submitted studies and replicas of a service.
type cluster struct {
	*bench
}

func inCluster(t *testing.T, fn func(c *cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, store: storetest.NewMemory(time.Now), queue: queuetest.NewMemory(time.Hour)}
		b.o = coordinator.Options{Store: b.store, Queue: b.queue, Catalog: catalog.New(), Submit: coordinator.SubmitOptions{Submitted: true}}
		fn(&cluster{b})
		if err := b.queue.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (c *cluster) submit(name string, replications int) {
	c.Helper()
	submit(c.T, strings.Replace(fmt.Sprintf(noop, replications), "study: noop", "study: "+name, 1), c.o)
}

// serve runs a replica; end stops it and waits.
func (c *cluster) serve(holder string, store coordinator.Store) (s *coordinator.Service, end func()) {
	o := c.o
	o.Holder, o.Store = holder, store
	s = coordinator.NewService(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			c.Errorf("%s ended with %v", holder, err)
		}
	}
}

func (c *cluster) states() map[string]results.State {
	c.Helper()
	out := map[string]results.State{}
	all, err := c.store.Studies(context.Background())
	if err != nil {
		c.Fatal(err)
	}
	for _, p := range all {
		out[p.Study] = p.State
	}
	return out
}

func find(state []coordinator.Progress, study string) *coordinator.Progress {
	for i := range state {
		if state[i].Study == study {
			return &state[i]
		}
	}
	return nil
}

// TestServe holds that a service runs what was submitted, several studies at
// once, and nothing else; that a study that can't be run is shown, tried again,
// and stops no other.
func TestServe(t *testing.T) {
	inCluster(t, func(c *cluster) {
		c.submit("a", 100)
		c.submit("bad", 100)
		c.submit("z", 100)
		own := c.o
		own.Submit = coordinator.SubmitOptions{}
		submit(c.T, strings.Replace(fmt.Sprintf(noop, 7), "study: noop", "study: own", 1), own)
		good := []byte(nil)
		_, err := c.store.Update(c.Context(), "bad", func(p *results.Plan) error { good, p.Body = p.Body, []byte("{}"); return nil })
		if err != nil {
			c.Fatal(err)
		}
		s, end := c.serve("s", c.store)
		defer end()
		time.Sleep(2 * time.Second)
		state := s.State()
		for _, study := range []string{"a", "z"} {
			if p := find(state, study); p == nil || p.Jobs == 0 {
				c.Errorf("%s: %+v, want jobs out", study, p)
			}
		}
		if p := find(state, "bad"); p == nil || p.Trouble == "" {
			c.Errorf("bad: %+v, want trouble", p)
		}
		if p := find(state, "own"); p != nil {
			c.Errorf("own: %+v, want it left alone", p)
		}
		stop := c.work(worker.Options{})
		defer stop()
		time.Sleep(time.Minute)
		want := map[string]results.State{"a": results.Finished, "bad": results.Running, "z": results.Finished, "own": results.Running}
		for study, st := range c.states() {
			if st != want[study] {
				c.Errorf("%s is %s, want %s", study, st, want[study])
			}
		}
		if _, err = c.store.Update(c.Context(), "bad", func(p *results.Plan) error { p.Body = good; return nil }); err != nil {
			c.Fatal(err)
		}
		c.submit("late", 10)
		time.Sleep(time.Minute)
		for _, study := range []string{"bad", "late"} {
			if st := c.states()[study]; st != results.Finished {
				c.Errorf("%s is %s, want it finished", study, st)
			}
		}
	})
}

// TestReplicas holds that of two replicas one leads, that the other takes over
// and goes on within twice the lease when the first is cut off, and that the
// first does not work on.
func TestReplicas(t *testing.T) {
	inCluster(t, func(c *cluster) {
		cut := make(chan struct{})
		one, endOne := c.serve("one", c.store.With(storetest.Hooks{Before: func(context.Context, string, string) error {
			select {
			case <-cut:
				return errors.New("no route")
			default:
				return nil
			}
		}}))
		defer endOne()
		time.Sleep(time.Second)
		two, endTwo := c.serve("two", c.store)
		defer endTwo()
		c.submit("a", 1000)
		time.Sleep(30 * time.Second)
		if !one.Leader() || two.Leader() || find(one.State(), "a") == nil || len(two.State()) > 0 {
			c.Fatalf("leaders: %v and %v, want the first alone, with its study", one.Leader(), two.Leader())
		}
		close(cut)
		began := time.Now()
		for !two.Leader() || find(two.State(), "a") == nil || find(two.State(), "a").Jobs == 0 {
			if time.Sleep(100 * time.Millisecond); time.Since(began) > 20*time.Second {
				c.Fatalf("after 20 s the second leads: %v, %+v", two.Leader(), two.State())
			}
		}
		c.Logf("taken over after %v", time.Since(began))
		time.Sleep(5 * time.Second)
		if one.Leader() {
			c.Error("the first still takes itself for the leader")
		}
		stop := c.work(worker.Options{})
		defer stop()
		time.Sleep(time.Minute)
		if st := c.states()["a"]; st != results.Finished {
			c.Errorf("a is %s, want it finished", st)
		}
	})
}

// TestOrders holds that pause, resume and cancel reach a study of the service by
// its plan, and that it ends with a time of end.
func TestOrders(t *testing.T) {
	inCluster(t, func(c *cluster) {
		c.submit("a", 1000)
		s, end := c.serve("s", c.store)
		defer end()
		set := func(st results.State) {
			_, err := c.store.Update(c.Context(), "a", func(p *results.Plan) error { p.State = st; return nil })
			if err != nil {
				c.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		time.Sleep(time.Second)
		set(results.Paused)
		c.trials()
		time.Sleep(10 * time.Second)
		if n, _ := c.queue.Pending(); n > 0 {
			c.Errorf("%d jobs were issued while it was paused", n)
		}
		if p := find(s.State(), "a"); p == nil || p.State != results.Paused {
			c.Errorf("state %+v, want paused", p)
		}
		set(results.Running)
		time.Sleep(12 * time.Second)
		c.beats(5*time.Second, nil)
		if n, _ := c.queue.Pending(); n == 0 {
			c.Error("no jobs after it was resumed")
		}
		set(results.Cancelled)
		c.trials()
		time.Sleep(20 * time.Second)
		if n, _ := c.queue.Pending(); n > 0 {
			c.Errorf("%d jobs were issued after it was cancelled", n)
		}
	})
}

// TestSweep holds that ended studies go when their time has come, and no others.
func TestSweep(t *testing.T) {
	inCluster(t, func(c *cluster) {
		const day = 24 * time.Hour
		for _, s := range []struct {
			name string
			keep time.Duration
		}{{"brief", day}, {"long", 30 * day}, {"forever", 0}, {"running", day}} {
			c.o.Submit.Keep = s.keep
			c.submit(s.name, 1)
			if s.name != "running" {
				_, err := c.store.Update(c.Context(), s.name, func(p *results.Plan) error {
					p.State, p.Digest, p.Ended = results.Finished, "d", time.Now()
					return nil
				})
				if err != nil {
					c.Fatal(err)
				}
			}
		}
		sweep := func(older time.Duration, want ...string) {
			c.Helper()
			got, err := coordinator.Sweep(c.Context(), c.o, time.Now(), older)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				c.Errorf("removed %v, %v, want %v", got, err, want)
			}
		}
		sweep(0)
		time.Sleep(2 * day)
		c.o.Submit.Keep = 0
		sweep(0, "brief")
		sweep(10 * day)
		sweep(day, "long", "forever")
		if got := c.states(); len(got) != 1 || got["running"] != results.Running {
			c.Errorf("left are %v, want the running one", got)
		}
		// The service does it every hour for those with a time of their own.
		c.o.Submit.Keep = day
		c.submit("brief", 1)
		stop := c.work(worker.Options{})
		defer stop()
		_, end := c.serve("s", c.store)
		defer end()
		time.Sleep(26 * time.Hour)
		if got := c.states(); len(got) != 0 {
			c.Errorf("left are %v, want none", got)
		}
	})
}

// TestTerms holds what Submit writes: it stays unless another value is given, and
// a study that is opened again has not ended.
func TestTerms(t *testing.T) {
	inCluster(t, func(c *cluster) {
		c.o.Submit = coordinator.SubmitOptions{Submitted: true, Priority: 7, MaxSlots: 3, Keep: time.Hour}
		c.submit("a", 1)
		_, err := c.store.Update(c.Context(), "a", func(p *results.Plan) error {
			p.State, p.Ended = results.Stopped, time.Now()
			return nil
		})
		if err != nil {
			c.Fatal(err)
		}
		c.o.Submit = coordinator.SubmitOptions{Priority: 9}
		c.submit("a", 1)
		c.name = "a"
		p := c.plan()
		if !p.Submitted || p.Priority != 9 || p.MaxSlots != 3 || p.Keep != time.Hour || p.State != results.Running || !p.Ended.IsZero() {
			c.Errorf("got %+v", p)
		}
	})
}

var _ jobs.Queue = (*flaky)(nil)
