package natsqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"overnight/jobs"
)

const (
	window     = 512             // messages on their way at once
	ackTimeout = 2 * time.Second // for the server's answer to one
	deaf       = 6               // attempts that no message of was answered, until the stream is given up
)

// Error codes that a publication may meet and that pass. A replicated server says
// the first of an ID that is being added at this moment and may still fail. The
// others answer to expected sequences, a replicated server with the last; a queue
// sends none, but a stream may be sourced or edited by those who do.
const (
	codeDuplicateInProcess   = 10158
	codeWrongSequence        = jetstream.JSErrCodeStreamWrongLastSequence         // 10071
	codeWrongSequenceCluster = jetstream.JSErrCodeStreamWrongLastSequenceConstant // 10164
)

// Publish adds jobs whose IDs were not added within Window, and returns when the
// server has acknowledged all of them. After an error some may have been added:
// publishing all of them again is right.
func (q *Queue) Publish(ctx context.Context, add []jobs.Job) error {
	if q.o.TakeOnly {
		return fmt.Errorf("publish %d jobs: this queue was opened to take jobs and nothing else", len(add))
	}
	msgs := make([]*nats.Msg, len(add))
	for i, j := range add {
		b, err := q.o.Codec.Seal(j)
		if err != nil {
			return err
		}
		msgs[i] = &nats.Msg{Subject: q.names.subject(j.Engine), Data: b, Header: nats.Header{jetstream.MsgIDHeader: {j.ID}}}
	}
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for chunk := range slices.Chunk(msgs, window) {
		n := min(len(add), window)
		if err := q.publish(ctx, chunk, add[:n]); err != nil {
			return fmt.Errorf("publish %d jobs: %w", len(msgs), err)
		}
		add = add[n:]
	}
	return nil
}

// publish sends the messages of jobs, and sends those again whose error looks
// passing.
func (q *Queue) publish(ctx context.Context, msgs []*nats.Msg, add []jobs.Job) error {
	var tried tries
	for silent := 1; ; silent++ {
		left, cause, err := msgs, error(nil), error(nil)
		if !q.want(add) { // who takes only could not make the consumers
			cause = q.ensure(ctx)
		}
		if cause == nil {
			left, cause, err = q.send(ctx, msgs)
		}
		if err != nil || len(left) == 0 {
			return err
		}
		if !errors.Is(cause, jetstream.ErrAsyncPublishTimeout) || len(left) < len(msgs) {
			silent = 0
		}
		if silent == deaf {
			q.discard(ctx)
			silent = 0
		}
		if err := q.repair(ctx, &tried, cause); err != nil {
			return err
		}
		msgs = left
	}
}

// discard deletes a stream that is there and answers nothing, as one does whose
// files are gone: it will not mend, and jobs that are lost with it are issued again.
// A stream without a leader does not say that it is there.
func (q *Queue) discard(ctx context.Context) {
	if _, err := q.look(ctx, q.names.jobs()); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, makeFor)
	defer cancel()
	err := q.DeleteStream(ctx)
	q.log.Warn("stream takes no messages: it is made anew", zap.String("stream", q.names.jobs()), zap.Error(err))
}

// send sends msgs all at once and waits for every answer. It returns those to be
// sent again with the cause, or an error that is final.
func (q *Queue) send(ctx context.Context, msgs []*nats.Msg) (left []*nats.Msg, cause, final error) {
	renewed := q.renewal()
	acks := make([]jetstream.PubAckFuture, len(msgs))
	for i, m := range msgs {
		ack, err := q.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0))
		if err = q.closedOr(err); errors.Is(err, jobs.ErrClosed) || (err != nil && !passing(err)) {
			return nil, nil, err
		}
		if err != nil {
			return msgs, err, nil
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
	for _, e := range []error{
		jetstream.ErrNoStreamResponse, jetstream.ErrAsyncPublishTimeout, jetstream.ErrJetStreamNotEnabled,
		nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamNotFound, codeDuplicateInProcess, codeWrongSequence, codeWrongSequenceCluster:
		return true
	}
	return api.Code >= 500
}

// closedOr returns jobs.ErrClosed for what a closed connection says, else err.
func (q *Queue) closedOr(err error) error {
	if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, jetstream.ErrJetStreamPublisherClosed) {
		return jobs.ErrClosed
	}
	return err
}
