package natsqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"overnight/jobs"
)

const (
	window     = 512             // messages on their way at once
	ackTimeout = 2 * time.Second // for the server's answer to one
)

// codeDuplicateInProcess is how a replicated server answers to an ID that is
// being added at this moment: it may still fail, so that it is sent again. The
// conflict codes 10071 and 10164 answer to expected sequences, which a queue does
// not send.
const codeDuplicateInProcess = 10158

// Publish adds jobs whose IDs were not added within Window, and returns when the
// server has acknowledged all of them. After an error some may have been added:
// publishing all of them again is right.
func (q *Queue) Publish(ctx context.Context, add []jobs.Job) error {
	msgs := make([]*nats.Msg, len(add))
	for i, j := range add {
		b, err := j.Encode()
		if err != nil {
			return err
		}
		msgs[i] = &nats.Msg{Subject: subject, Data: b, Header: nats.Header{jetstream.MsgIDHeader: {j.ID}}}
	}
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for chunk := range slices.Chunk(msgs, window) {
		if err := q.publish(ctx, chunk); err != nil {
			return fmt.Errorf("publish %d jobs: %w", len(add), err)
		}
	}
	return nil
}

// publish sends msgs, and sends those again whose error looks passing.
func (q *Queue) publish(ctx context.Context, msgs []*nats.Msg) error {
	var tried tries
	for {
		left, cause, err := q.send(ctx, msgs)
		if err != nil || len(left) == 0 {
			return err
		}
		if err := q.repair(ctx, &tried, cause); err != nil {
			return err
		}
		msgs = left
	}
}

// send sends msgs all at once and waits for every answer. It returns those to be
// sent again with the cause, or an error that is final.
func (q *Queue) send(ctx context.Context, msgs []*nats.Msg) (left []*nats.Msg, cause, final error) {
	renewed := q.renewal()
	acks := make([]jetstream.PubAckFuture, len(msgs))
	for i, m := range msgs {
		ack, err := q.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0))
		if err != nil {
			return nil, nil, q.closedOr(err)
		}
		acks[i] = ack
	}
	for i, ack := range acks {
		select {
		case <-ack.Ok(): // a duplicate too
		case err := <-ack.Err():
			if !passing(err) {
				final = err
				continue
			}
			left, cause = append(left, msgs[i]), err
		case <-renewed: // what the old stream had not answered, it never will
			return append(left, msgs[i:]...), errRenewed, final
		case <-ctx.Done():
			return nil, nil, ended(ctx)
		}
	}
	return left, cause, final
}

var errRenewed = errors.New("stream or connection were made anew meanwhile")

// passing tells whether another try may do better.
func passing(err error) bool {
	if errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrAsyncPublishTimeout) ||
		errors.Is(err, nats.ErrDisconnected) {
		return true
	}
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamNotFound || api.ErrorCode == codeDuplicateInProcess || api.Code >= 500)
}

// closedOr returns jobs.ErrClosed for what a closed connection says, else err.
func (q *Queue) closedOr(err error) error {
	if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, jetstream.ErrJetStreamPublisherClosed) {
		return jobs.ErrClosed
	}
	return err
}
