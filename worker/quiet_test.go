package worker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// slowStore is a store whose plans take long to arrive.
type slowStore struct {
	Store
	open chan struct{}
}

func (s slowStore) Plan(context.Context, string) (results.Plan, error) {
	<-s.open
	return results.Plan{}, results.ErrNotFound
}

// TestBeatBesideLoad holds that a plan that is being read, with data that take
// long, keeps no beat waiting: the worker would be taken for lost.
func TestBeatBesideLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slowStore{open: make(chan struct{})}
		p := newPlans(s, nil, 1)
		var side sync.WaitGroup
		side.Go(func() {
			if _, err := p.load(t.Context(), jobs.Job{Engine: 1, Study: "s", Trials: []jobs.Range{{From: 0, To: 1}}}); !errors.Is(err, errRefused) {
				t.Errorf("load returned %v", err)
			}
		})
		synctest.Wait()
		done := make(chan struct{})
		side.Go(func() { p.note(&results.Plan{Study: "s"}); p.expire("s"); close(done) })
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Error("a beat waits for a plan that is being read")
		}
		close(s.open)
		side.Wait()
	})
}

// TestRunLeavesNothing holds that the context of a run ends with it: a child
// lives for millions of runs.
func TestRunLeavesNothing(t *testing.T) {
	c := &child{study: &jobs.Study{}, out: bufio.NewWriter(io.Discard), runs: make(chan childRun, 1), cancel: func() {}}
	var in bytes.Buffer
	w := bufio.NewWriter(&in)
	if err := errors.Join(writeFrame(w, frameRun, encodeRun([]jobs.Range{{From: 0, To: 1}}, false)), w.Flush()); err != nil {
		t.Fatal(err)
	}
	if err := c.read(t.Context(), bufio.NewReader(&in)); err != nil {
		t.Fatal(err)
	}
	r := <-c.runs
	close(r.stop) // before its first trial
	c.run(r)
	if r.ctx.Err() == nil {
		t.Error("the context of a run outlives it")
	}
}
