package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"overnight/results"
)

// testLease waits for real time, since the clock of a store on a server can't be
// turned: only that a lease is kept, and that it ends at last.
func testLease(t *testing.T, s results.Store) {
	lease := func(name, holder string, ttl time.Duration) string {
		t.Helper()
		by, err := s.Lease(t.Context(), name, holder, ttl)
		if err != nil {
			t.Fatalf("Lease: %v", err)
		}
		return by
	}
	serve, other := name(t, "serve"), name(t, "study/other")
	for _, step := range []struct {
		what, name, holder string
		ttl                time.Duration
		want               string
	}{
		{"a free lease", serve, "a", time.Hour, "a"},
		{"one that another has", serve, "b", time.Hour, "a"},
		{"one that it has itself", serve, "a", time.Hour, "a"},
		{"another one", other, "b", time.Hour, "b"},
		{"giving up what another has", serve, "b", 0, ""},
		{"one that another did not give up", serve, "b", time.Hour, "a"},
		{"giving up", serve, "a", 0, ""},
		{"one that was given up", serve, "b", time.Hour, "b"},
		{"one that was given up and taken", serve, "a", time.Hour, "b"},
		{"giving up twice", serve, "b", 0, ""},
		{"giving up twice", serve, "b", 0, ""},
		{"the other one, still", other, "a", time.Hour, "b"},
		{"one for a moment, to be renewed", serve, "a", time.Millisecond, "a"},
	} {
		if by := lease(step.name, step.holder, step.ttl); by != step.want {
			t.Errorf("%s: %q asks for it and %q has it, want %q", step.what, step.holder, by, step.want)
		}
	}
	lease(serve, "a", 0)

	const ttl = 300 * time.Millisecond
	began := time.Now()
	if by := lease(serve, "a", ttl); by != "a" {
		t.Fatalf("%q has a lease that was given up", by)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for lease(serve, "b", time.Hour) != "b" {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("a lease of %v has not run out after 30 s", ttl)
		}
		<-tick.C
	}
	if took := time.Since(began); took < ttl-50*time.Millisecond { // clocks may differ a little in speed
		t.Errorf("a lease of %v ran out after %v", ttl, took)
	}
	if by := lease(serve, "a", ttl); by != "b" {
		t.Errorf("%q has it, want b, who took it after it ran out", by)
	}
}

// testLeaseConcurrent: of many who ask for a lease one gets it.
func testLeaseConcurrent(t *testing.T, s results.Store) {
	var wg sync.WaitGroup
	var got atomic.Int32
	for i := range 12 {
		wg.Go(func() {
			holder := fmt.Sprintf("holder-%d", i)
			by, err := s.Lease(t.Context(), name(t, "lease"), holder, time.Hour)
			if err != nil {
				t.Errorf("Lease: %v", err)
			}
			if by == holder {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d holders got the lease, want 1", got.Load())
	}
}
