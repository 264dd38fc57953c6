package natsqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"overnight/jobs"
)

// MaxDeadLetters is how many dead letters are kept: the newest.
const MaxDeadLetters = 1000

const (
	maxDeadBytes = 8 << 10 // of one, on the wire
	maxReason    = 200
	deadAgain    = 10 * time.Second // until a letter that could not be recorded is tried again
)

// DeadLetter is a message that was given up. Whoever may take jobs may write dead
// letters: what stands in one is a hint and no proof.
type DeadLetter struct {
	At         time.Time // by the server's clock
	Reason     string
	Deliveries uint64
	Message    []byte // as it was in the queue
}

// deadRecord is a dead letter on the wire.
type deadRecord struct {
	Version    int    `json:"version"` // 1
	Reason     string `json:"reason"`
	Deliveries uint64 `json:"deliveries"`
	Message    []byte `json:"message"`
}

// corpse is a message to be given up, and why.
type corpse struct {
	msg        *nats.Msg
	reason     string
	deliveries uint64
	sequence   uint64
}

// examine opens a message. A corpse comes back in place of a job where there is
// none for this queue.
func (q *Queue) examine(m *nats.Msg) (jobs.Job, *corpse) {
	c := &corpse{msg: m}
	if meta, err := m.Metadata(); err == nil {
		c.deliveries, c.sequence = meta.NumDelivered, meta.Sequence.Stream
	}
	j, err := q.o.Codec.Open(m.Data)
	switch {
	case err != nil:
		c.reason = err.Error()
	case j.Engine != q.o.Engine:
		c.reason = fmt.Sprintf("job %q is of engine version %d, and came to version %d", j.ID, j.Engine, q.o.Engine)
	case c.deliveries > uint64(q.o.MaxDeliver):
		c.reason = fmt.Sprintf("job %q was delivered %d times and not ended", j.ID, c.deliveries-1)
	default:
		return j, nil
	}
	return jobs.Job{}, c
}

// bury records messages as dead letters and ends them. Those that can't be
// recorded come again after a while, and are ended all the same when they have
// come too often.
func (q *Queue) bury(ctx context.Context, dead []*corpse) {
	acks := make([]jetstream.PubAckFuture, len(dead))
	for i, c := range dead {
		acks[i] = q.record(c)
	}
	timeout := time.NewTimer(ackTimeout)
	defer timeout.Stop()
	for i, c := range dead {
		err := errors.New("it was not sent")
		if acks[i] != nil {
			select {
			case <-acks[i].Ok():
				err = nil
			case err = <-acks[i].Err():
			case <-timeout.C:
				timeout.Reset(0) // for the others too
				err = errors.New("the server did not answer")
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil && c.deliveries <= uint64(q.o.MaxDeliver) {
			q.log.Debug("dead letter not recorded, it is tried again", zap.String("reason", c.reason), zap.Error(err))
			_ = q.nc.Publish(c.msg.Reply, later(deadAgain))
			continue
		}
		q.log.Warn("message given up as a dead letter", zap.String("reason", clip(c.reason)),
			zap.Uint64("deliveries", c.deliveries), zap.Bool("recorded", err == nil))
		_ = q.nc.Publish(c.msg.Reply, term(c.reason))
	}
}

func (q *Queue) record(c *corpse) jetstream.PubAckFuture {
	b, err := json.Marshal(deadRecord{
		Version: 1, Reason: clip(c.reason), Deliveries: c.deliveries, Message: c.msg.Data[:min(len(c.msg.Data), 4*jobs.MaxJobBytes)],
	})
	if err != nil {
		return nil
	}
	ack, err := q.js.PublishMsgAsync(&nats.Msg{
		Subject: q.names.grave(q.o.Engine), Data: b,
		// A letter whose end got lost is recorded once.
		Header: nats.Header{jetstream.MsgIDHeader: {strconv.FormatUint(c.sequence, 10)}},
	}, jetstream.WithRetryAttempts(0))
	if err != nil {
		return nil
	}
	return ack
}

func clip(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

// DeadLetters returns at most n dead letters of all engine versions, the newest
// first.
func (q *Queue) DeadLetters(ctx context.Context, n int) ([]DeadLetter, error) {
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	s, err := q.js.Stream(ctx, q.names.dead())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at stream %s: %w", q.names.dead(), err)
	}
	var all []DeadLetter
	state := s.CachedInfo().State
	for seq := state.LastSeq; seq >= max(state.FirstSeq, 1) && state.Msgs > 0 && len(all) < n; seq-- {
		m, err := s.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) { // a newer one took its place
			break
		}
		if err != nil {
			return all, fmt.Errorf("read dead letter %d: %w", seq, err)
		}
		d, err := decodeDead(m.Data)
		if err != nil {
			d = DeadLetter{Reason: err.Error(), Message: m.Data}
		}
		d.At = m.Time
		all = append(all, d)
	}
	return all, nil
}

// decodeDead reads a dead letter.
func decodeDead(b []byte) (DeadLetter, error) {
	if len(b) > maxDeadBytes {
		return DeadLetter{}, fmt.Errorf("dead letter of %d bytes: longer than %d bytes", len(b), maxDeadBytes)
	}
	var r deadRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return DeadLetter{}, fmt.Errorf("dead letter of %d bytes can't be read: %w", len(b), err)
	}
	if r.Version != 1 {
		return DeadLetter{}, fmt.Errorf("dead letter of version %d, but this build reads version 1", r.Version)
	}
	return DeadLetter{Reason: clip(r.Reason), Deliveries: r.Deliveries, Message: r.Message}, nil
}
