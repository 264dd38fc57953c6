package sim

import (
	"context"
	"time"

	"overnight/jobs"
)

// queue is a process's handle of the queue, with the faults that a queue may
// have: it loses, doubles, delays and reorders.
type queue struct{ *link }

// Publish adds jobs as the faults let it.
func (q queue) Publish(ctx context.Context, add []jobs.Job) error {
	if err := q.pass(); err != nil {
		return err
	}
	if err := q.w.disturb(ctx, q.link, queueErrors); err != nil {
		return err
	}
	var now []jobs.Job
	for _, j := range add {
		if _, lost := q.w.strikes(q.link, lossyQueue); lost {
			continue
		}
		if delay, late := q.w.strikes(q.link, lateQueue); late {
			time.AfterFunc(delay, func() { _ = q.w.queue.Publish(context.Background(), []jobs.Job{j}) }) // fails when it is closed
			continue
		}
		now = append(now, j)
		if delay, twice := q.w.strikes(q.link, doubleQueue); twice {
			msg, err := j.Encode()
			if err != nil {
				return err
			}
			time.AfterFunc(delay, func() { q.w.queue.Inject(msg) })
		}
	}
	if err := q.w.queue.Publish(ctx, now); err != nil {
		return err
	}
	if err := q.w.disturb(ctx, q.link, queueErrors); err != nil {
		return err // the answer is lost
	}
	return q.pass()
}

// Take takes jobs. What a killed or stopped process has taken stays with it
// until the lease is over.
func (q queue) Take(ctx context.Context, n int) ([]jobs.Delivery, error) {
	if err := q.pass(); err != nil {
		return nil, err
	}
	if err := q.w.disturb(ctx, q.link, queueErrors); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-q.dead:
			cancel()
		case <-ended:
		}
	}()
	ds, err := q.w.queue.Take(ctx, n)
	for i := range ds {
		q.w.note(q.link, ds[i].Job())
		ds[i] = delivery{ds[i], q.link}
	}
	if err := q.pass(); err != nil {
		return nil, err
	}
	return ds, err
}

// Close does nothing: the queue belongs to the world.
func (q queue) Close() error { return nil }

type delivery struct {
	jobs.Delivery
	link *link
}

func (d delivery) end(ctx context.Context, fn func() error) error {
	if err := d.link.pass(); err != nil {
		return err
	}
	if err := d.link.w.disturb(ctx, d.link, queueErrors); err != nil {
		return err
	}
	return fn()
}

func (d delivery) Extend(ctx context.Context) error {
	return d.end(ctx, func() error { return d.Delivery.Extend(ctx) })
}

func (d delivery) Done(ctx context.Context) error {
	return d.end(ctx, func() error { return d.Delivery.Done(ctx) })
}

func (d delivery) Return(ctx context.Context, after time.Duration) error {
	return d.end(ctx, func() error { return d.Delivery.Return(ctx, after) })
}

func (d delivery) Reject(ctx context.Context, reason string) error {
	return d.end(ctx, func() error { return d.Delivery.Reject(ctx, reason) })
}
