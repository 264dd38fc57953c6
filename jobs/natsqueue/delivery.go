package natsqueue

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
)

// delivery is a job that was taken. What it says is sent and not waited for: an
// acknowledgement that gets lost means one more delivery, which commits nothing
// twice. The server does not check who speaks: what comes after the lease still
// counts for the job, whoever holds it by then.
type delivery struct {
	q   *Queue
	job jobs.Job
	ack string // where acknowledgements go
}

var _ jobs.Delivery = (*delivery)(nil)

var nak = []byte("-NAK")

func (d *delivery) Job() jobs.Job { return d.job }

// Extend begins the lease anew.
func (d *delivery) Extend(ctx context.Context) error { return d.say(ctx, "extend", []byte("+WPI")) }

func (d *delivery) Done(ctx context.Context) error { return d.say(ctx, "end", []byte("+ACK")) }

func (d *delivery) Return(ctx context.Context, after time.Duration) error {
	if after <= 0 {
		return d.say(ctx, "return", nak)
	}
	return d.say(ctx, "return", later(after))
}

// later is the word that hands a message back for a while.
func later(after time.Duration) []byte {
	return fmt.Appendf(nil, `%s {"delay": %d}`, nak, after.Nanoseconds())
}

func (d *delivery) Reject(ctx context.Context, reason string) error {
	d.q.log.Debug("job rejected", zap.String("job", d.job.ID), zap.String("reason", reason))
	return d.say(ctx, "reject", term(reason))
}

// term is the word that drops a message for good. The server passes the first
// 200 bytes of reason on in an advisory.
func term(reason string) []byte {
	return []byte("+TERM " + reason[:min(len(reason), 200)])
}

func (d *delivery) say(ctx context.Context, what string, word []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.q.open.Err() != nil {
		return jobs.ErrClosed
	}
	if err := d.q.closedOr(d.q.nc.Publish(d.ack, word)); err != nil {
		return fmt.Errorf("%s job %q: %w", what, d.job.ID, err)
	}
	return nil
}
