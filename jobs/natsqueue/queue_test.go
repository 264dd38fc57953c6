package natsqueue

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"overnight/jobs"
	"overnight/jobs/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, o Options) *Queue {
	t.Helper()
	q, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return q
}

func TestQueue(t *testing.T) {
	t.Parallel()
	const lease = time.Second
	queuetest.Run(t, func(t *testing.T) jobs.Queue { return open(t, Options{Lease: lease}) },
		queuetest.Options{Lease: lease, Inject: inject, Wreck: wreck})
}

func inject(t *testing.T, q jobs.Queue, msg []byte) {
	p := publisherOf(q)
	if _, err := p.js.PublishMsg(t.Context(), &nats.Msg{Subject: p.names.subject(p.o.Engine), Data: msg}); err != nil {
		t.Fatal(err)
	}
}

func wreck(t *testing.T, q jobs.Queue) {
	if err := publisherOf(q).DeleteStream(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// pair is a queue whose Take has a connection and rights of its own.
type pair struct {
	*Queue // publishes
	taker  *Queue
}

func (p pair) Take(ctx context.Context, n int) ([]jobs.Delivery, error) { return p.taker.Take(ctx, n) }

func (p pair) Close() error { return errors.Join(p.taker.Close(), p.Queue.Close()) }

func publisherOf(q jobs.Queue) *Queue {
	if p, ok := q.(pair); ok {
		return p.Queue
	}
	return q.(*Queue)
}
