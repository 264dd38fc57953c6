package natsqueue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"overnight/jobs"
)

// A request that meets a server of a cluster at its end is never answered.
const (
	lookFor   = time.Second
	makeFor   = 5 * time.Second
	settleFor = 250 * time.Millisecond
)

// ensure makes the streams and the consumers of all engine versions that the
// queue has met, unless they are there.
func (q *Queue) ensure(ctx context.Context) error {
	if q.o.TakeOnly {
		return nil
	}
	select {
	case q.making <- struct{}{}:
		defer func() { <-q.making }()
	case <-ctx.Done():
		return ctx.Err()
	}
	stream, made, err := q.stream(ctx, q.jobStream())
	if err != nil {
		return err
	}
	engines := q.wanted()
	for _, engine := range engines {
		madeConsumer, err := q.consumer(ctx, stream, engine)
		if err != nil {
			return fmt.Errorf("make consumer %s of %s: %w", consumer(engine), q.names.jobs(), err)
		}
		made = made || madeConsumer
	}
	if _, _, err := q.stream(ctx, q.deadStream()); err != nil {
		return err
	}
	if made {
		q.log.Debug("stream or consumer made", zap.String("stream", q.names.jobs()))
		q.renew()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.had = true
	for _, engine := range engines {
		q.engines[engine] = true
	}
	return nil
}

// want notes the engine versions of jobs, and tells whether all of them have
// their consumer.
func (q *Queue) want(add []jobs.Job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := true
	for _, j := range add {
		if !q.engines[j.Engine] {
			q.engines[j.Engine], all = false, false
		}
	}
	return all
}

func (q *Queue) wanted() []int {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make([]int, 0, len(q.engines))
	for engine := range q.engines {
		all = append(all, engine)
	}
	slices.Sort(all)
	return all
}

// stream returns the stream of a name, and whether it was made just now.
func (q *Queue) stream(ctx context.Context, want jetstream.StreamConfig) (s jetstream.Stream, made bool, err error) {
	s, err = q.look(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := q.settle(ctx); err != nil {
			return nil, false, err
		}
		made = true
		s, err = q.create(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster
			s, err = q.look(ctx, want.Name)
		}
	}
	var api *jetstream.APIError
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return nil, false, fmt.Errorf("make stream %s: the server does not answer: it may have no leader, or the user no right to $JS.API.>: %w", want.Name, err)
	case errors.As(err, &api) && made:
		return nil, false, fmt.Errorf("make stream %s, which reserves %d bytes on each of %d servers: %w", want.Name, want.MaxBytes, want.Replicas, err)
	case err != nil:
		return nil, false, fmt.Errorf("make stream %s: %w", want.Name, err)
	}
	if got := s.CachedInfo().Config; got.Retention != want.Retention || !slices.Equal(got.Subjects, want.Subjects) {
		return nil, false, fmt.Errorf("stream %s of the server is not one of ours: it has subjects %q and %v retention, not %q and %v: delete it, or use another namespace",
			want.Name, got.Subjects, got.Retention, want.Subjects, want.Retention)
	}
	return s, made, nil
}

// settle waits until the server has removed the files of a stream that it had: it
// answers before that, and then removes those of a new stream too (nats-server
// 2.15.2).
func (q *Queue) settle(ctx context.Context) error {
	q.mu.Lock()
	had := q.had
	q.mu.Unlock()
	if !had || q.o.Memory {
		return nil
	}
	wait := time.NewTimer(settleFor)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue) look(ctx context.Context, name string) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	return q.js.Stream(ctx, name)
}

func (q *Queue) create(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, makeFor)
	defer cancel()
	return q.js.CreateStream(ctx, want)
}

func (q *Queue) consumer(ctx context.Context, s jetstream.Stream, engine int) (made bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, makeFor)
	defer cancel()
	_, err = s.Consumer(ctx, consumer(engine))
	if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return false, err
	}
	_, err = s.CreateConsumer(ctx, q.consumerConfig(engine))
	if errors.Is(err, jetstream.ErrConsumerExists) {
		err = nil
	}
	return true, err
}

func (q *Queue) storage() jetstream.StorageType {
	if q.o.Memory {
		return jetstream.MemoryStorage
	}
	return jetstream.FileStorage
}

func (q *Queue) jobStream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:       q.names.jobs(),
		Subjects:   []string{q.names.subjects()},
		Retention:  jetstream.WorkQueuePolicy,
		Storage:    q.storage(),
		Replicas:   q.o.Replicas,
		Discard:    jetstream.DiscardNew,
		MaxBytes:   q.o.MaxBytes,
		MaxMsgSize: 4 * jobs.MaxJobBytes,
		Duplicates: Window,
		// An acknowledgement names a message by its sequence and nothing else. If a
		// new stream counted from 1 again, one that belongs to a deleted stream would
		// end a job of the new one.
		FirstSeq: 1 + rand.Uint64N(1<<52),
	}
}

func (q *Queue) deadStream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:       q.names.dead(),
		Subjects:   []string{q.names.graves()},
		Retention:  jetstream.LimitsPolicy,
		Storage:    q.storage(),
		Replicas:   q.o.Replicas,
		Discard:    jetstream.DiscardOld,
		MaxMsgs:    MaxDeadLetters,
		MaxBytes:   MaxDeadLetters * maxDeadBytes,
		MaxMsgSize: maxDeadBytes,
		Duplicates: Window,
	}
}

func (q *Queue) consumerConfig(engine int) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       consumer(engine),
		FilterSubject: q.names.subject(engine),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       q.o.Lease,
		MaxDeliver:    -1, // what passes a server's own limit would stay in the stream for good
		MaxAckPending: -1,
		MaxWaiting:    4096, // pull requests
		MemoryStorage: q.o.Memory,
	}
}
