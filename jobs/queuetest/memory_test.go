package queuetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"overnight/jobs"
	"overnight/jobs/queuetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	const lease = 30 * time.Second
	queuetest.Run(t, func(*testing.T) jobs.Queue { return queuetest.NewMemory(lease) }, queuetest.Options{
		Lease:  lease,
		Bubble: true,
		Inject: func(_ *testing.T, q jobs.Queue, msg []byte) { q.(*queuetest.Memory).Inject(msg) },
		Wreck:  func(_ *testing.T, q jobs.Queue) { q.(*queuetest.Memory).Wreck() },
	})
}

// After the window an ID is as good as new.
func TestMemoryForgetsIDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := queuetest.NewMemory(time.Hour)
		defer func() { _ = m.Close() }()
		j := jobs.Job{ID: "j", Engine: 1, Study: "s", Trials: []jobs.Range{{From: 0, To: 1}}}
		for range 2 {
			if err := m.Publish(t.Context(), []jobs.Job{j}); err != nil {
				t.Fatal(err)
			}
		}
		if waiting, _ := m.Pending(); waiting != 1 {
			t.Fatalf("%d jobs wait within the window, want 1", waiting)
		}
		<-time.After(queuetest.Window)
		synctest.Wait()
		if err := m.Publish(t.Context(), []jobs.Job{j}); err != nil {
			t.Fatal(err)
		}
		if waiting, _ := m.Pending(); waiting != 2 {
			t.Fatalf("%d jobs wait after the window, want 2", waiting)
		}
	})
}
