package natsqueue

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"overnight/jobs"
)

func job(i int) jobs.Job {
	return jobs.Job{
		ID: fmt.Sprintf("delay-volatility.g1.e0.%08d", i), Engine: 1, Study: "delay-volatility", Generation: 1,
		Trials: []jobs.Range{{From: uint64(i) * 100, To: uint64(i)*100 + 100}},
	}
}

func batch(from, to int) []jobs.Job {
	all := make([]jobs.Job, 0, to-from)
	for i := from; i < to; i++ {
		all = append(all, job(i))
	}
	return all
}

func publish(t testing.TB, q *Queue, add ...jobs.Job) {
	t.Helper()
	if err := q.Publish(t.Context(), add); err != nil {
		t.Fatal(err)
	}
}

func take(t testing.TB, q *Queue, n int) []jobs.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	taken, err := q.Take(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

// Without its consumer a stream still has the jobs: all of them are delivered,
// those that were held too.
func TestConsumerDeleted(t *testing.T) {
	t.Parallel()
	q := open(t, Options{Lease: time.Hour})
	publish(t, q, batch(0, 5)...)
	held := take(t, q, 2)
	if err := q.js.DeleteConsumer(t.Context(), q.names.jobs(), consumer(1)); err != nil {
		t.Fatal(err)
	}
	for _, d := range held { // nobody hears it
		if err := d.Done(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for len(seen) < 5 {
		for _, d := range take(t, q, 3) {
			seen[d.Job().ID] = true
			if err := d.Done(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Deletions all the time: what is published is taken, or lost, and nobody hangs.
func TestDeletedAllTheTime(t *testing.T) {
	t.Parallel()
	q := open(t, Options{})
	const rounds, each = 100, 20
	last := job(rounds * each)
	got, failed := make(chan string), make(chan error, 4) // takers and publisher
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var takers sync.WaitGroup
	for range 3 {
		takers.Go(func() {
			for {
				ds, err := q.Take(ctx, 4)
				if err != nil {
					failed <- err
					return
				}
				for _, d := range ds {
					got <- d.Job().ID
					_ = d.Done(ctx)
				}
			}
		})
	}
	go func() {
		for i := range rounds {
			deleted := make(chan error, 1)
			go func() { deleted <- q.DeleteStream(ctx) }()
			if err := q.Publish(ctx, batch(i*each, (i+1)*each)); err != nil {
				failed <- err
				return
			}
			if err := <-deleted; err != nil {
				failed <- err
				return
			}
		}
		if err := q.Publish(ctx, []jobs.Job{last}); err != nil {
			failed <- err
		}
	}()
	for n := 1; ; n++ {
		select {
		case id := <-got:
			if id == last.ID { // it came after the last deletion
				t.Logf("%d jobs of %d were taken before they were deleted", n, rounds*each+1)
				if err := q.Close(); err != nil {
					t.Fatal(err)
				}
				go func() {
					for range got {
					}
				}()
				takers.Wait()
				close(got)
				return
			}
		case err := <-failed:
			t.Fatal(err)
		}
	}
}

// A connection that is lost, as after a long stop of the process, is made again,
// and a Take that waits asks again.
func TestReconnect(t *testing.T) {
	t.Parallel()
	q := open(t, Options{})
	for i := range 5 {
		taken := make(chan []jobs.Delivery, 1)
		go func() {
			ds, _ := q.Take(t.Context(), 3)
			taken <- ds
		}()
		if err := q.nc.ForceReconnect(); err != nil {
			t.Fatal(err)
		}
		publish(t, q, job(i))
		ds := <-taken
		if len(ds) != 1 || ds[0].Job().ID != job(i).ID {
			t.Fatalf("round %d: took %d jobs, want %s", i, len(ds), job(i).ID)
		}
		if err := ds[0].Done(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	q := open(t, Options{})
	check := func(waiting, held int) {
		t.Helper()
		w, h, err := q.Pending(t.Context())
		if err != nil || w != waiting || h != held {
			t.Errorf("%d jobs wait and %d are held, error %v, want %d and %d", w, h, err, waiting, held)
		}
	}
	check(0, 0)
	publish(t, q, batch(0, 5)...)
	check(5, 0)
	take(t, q, 2)
	check(3, 2)
	if err := q.DeleteStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(0, 0)
	if err := q.DeleteStream(t.Context()); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

// Nothing is left in the folder, whether it is the caller's or a temporary one.
func TestFolder(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		tmp := t.TempDir()
		t.Setenv("TMPDIR", tmp)
		q, err := Open(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		publish(t, q, batch(0, 100)...)
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{dir, tmp} {
			if d == "" {
				continue
			}
			left, err := os.ReadDir(d)
			if err != nil {
				t.Fatal(err)
			}
			if len(left) > 0 {
				t.Errorf("with Dir %q: %s is left in %s", dir, left[0].Name(), d)
			}
		}
	}
}

func TestOpenRefusesBadFolder(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if q, err := Open(t.Context(), Options{Dir: file}); err == nil {
		_ = q.Close()
		t.Error("opened in a file, want an error")
	}
}
