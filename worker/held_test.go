package worker

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/jobs"
	"overnight/results"
)

type fixed struct {
	jobs.Delivery
	job jobs.Job
}

func (f fixed) Job() jobs.Job { return f.job }

// TestSpans holds that a job's spans are its trials from the first one that is
// not committed, in whatever order its batches are.
func TestSpans(t *testing.T) {
	t.Parallel()
	h := newHeld(fixed{job: jobs.Job{Trials: []jobs.Range{{From: 10, To: 20}, {From: 30, To: 32}, {From: 40, To: 50}}}}, context.Background(), context.Background())
	want := func(want ...results.Span) {
		t.Helper()
		if d := cmp.Diff(want, h.spans()); d != "" {
			t.Errorf("spans differ (-want +got):\n%s", d)
		}
	}
	want(results.Span{From: 10, To: 20}, results.Span{From: 30, To: 32}, results.Span{From: 40, To: 50})
	a, b, c, d := h.begin(4), h.begin(7), h.begin(2), h.begin(9)
	h.end(b)
	want(results.Span{From: 10, To: 20}, results.Span{From: 30, To: 32}, results.Span{From: 40, To: 50})
	h.end(a)
	want(results.Span{From: 31, To: 32}, results.Span{From: 40, To: 50})
	h.end(c)
	want(results.Span{From: 41, To: 50})
	h.end(d)
	if got := h.spans(); len(got) > 0 {
		t.Errorf("all is committed, and spans are %v", got)
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	var m meter
	got := 0.0
	for i := range 30 {
		got = m.add(time.Duration(i+1)*time.Second, uint64(5*(i+1)))
	}
	if got != 5 {
		t.Errorf("rate %v, want 5", got)
	}
	for i := range 11 {
		got = m.add(time.Duration(31+i)*time.Second, 150)
	}
	if got != 0 {
		t.Errorf("rate %v after ten idle seconds, want 0", got)
	}
}
