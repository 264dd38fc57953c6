package chaos

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"overnight/internal/credentials"
	"overnight/jobs"
)

// queue opens the lab's queue as one more client of it, not through a proxy.
func (l *lab) queue(ctx context.Context) (Queue, error) {
	url := "redis://" + l.redis.Addr
	if l.Engine == NATS {
		url = "nats://" + l.natsAt
	}
	return l.OpenQueue(ctx, url, l.path("keys"))
}

// duplicates takes jobs like a worker, publishes each twice more in another
// order, and hands the first back.
func duplicates(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	q, err := l.queue(ctx)
	if err != nil {
		return time.Time{}, "", err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	var taken []jobs.Delivery
	for range 50 {
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		ds, terr := q.Take(short, 4)
		cancel()
		taken = append(taken, ds...)
		if len(taken) >= 4 || terr != nil && short.Err() == nil {
			break
		}
	}
	if len(taken) == 0 {
		return time.Time{}, "", errors.New("no job could be taken")
	}
	mark()
	var again []jobs.Job
	for _, d := range taken {
		for k := range 2 {
			j := d.Job()
			j.ID += fmt.Sprintf("+%d", k)
			again = append(again, j)
		}
	}
	slices.Reverse(again)
	start := time.Now()
	if err := q.Publish(ctx, again); err != nil {
		return start, "", err
	}
	for _, d := range taken {
		if err := d.Return(ctx, 0); err != nil {
			return start, "", err
		}
	}
	return start, fmt.Sprintf("%d jobs each", len(taken)), nil
}

func queueDeleted(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	q, err := l.queue(ctx)
	if err != nil {
		return time.Time{}, "", err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	err = l.until(ctx, 20*time.Second, "the queue stores jobs", func() bool {
		waiting, held, err := q.Pending(ctx)
		return err == nil && waiting+held > 0
	})
	if err != nil {
		return time.Time{}, "", err
	}
	mark()
	start := time.Now()
	return start, "", q.DeleteAll(ctx)
}

// garbage puts messages into the queue that no coordinator made, and waits until
// each was found to be no job.
func garbage(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	q, err := l.queue(ctx)
	if err != nil {
		return time.Time{}, "", err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	messages, err := l.garbage(ctx)
	if err != nil {
		return time.Time{}, "", err
	}
	mark()
	start := time.Now()
	for _, m := range messages {
		// A busy machine's server may take longer to answer than a client waits; the
		// same message twice is as much garbage as once.
		err := q.Inject(ctx, m)
		for tries := 1; err != nil && ctx.Err() == nil && tries < 5; tries++ {
			err = q.Inject(ctx, m)
		}
		if err != nil {
			return start, "", err
		}
	}
	err = l.until(ctx, 60*time.Second, "every such message is found to be no job", func() bool {
		dead, err := q.Dead(ctx, 1000)
		return err == nil && !slices.ContainsFunc(messages, func(m []byte) bool {
			return !slices.ContainsFunc(dead, func(d []byte) bool { return bytes.Equal(d, m[:min(len(m), jobs.MaxJobBytes)]) || bytes.Equal(d, m) })
		})
	})
	return start, fmt.Sprintf("%d messages each, all of them found", len(messages)), err
}

// garbage returns messages of which none is like one of an earlier call, beside
// the empty one. But for who signed them the jobs among them could be run.
func (l *lab) garbage(ctx context.Context) ([][]byte, error) {
	own, err := credentials.LoadSigning(nil, l.path("keys"))
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	p, err := l.store.Plan(ctx, studyName)
	if err != nil {
		return nil, err
	}
	job := jobs.Job{
		ID: fmt.Sprintf("garbage-%x", l.rng.Uint64()), Engine: jobs.EngineVersion, Study: studyName,
		Generation: p.Generation, Epoch: p.Epoch, Trials: []jobs.Range{{From: 0, To: 5}},
	}
	plain, err := job.Encode()
	if err != nil {
		return nil, err
	}
	foreign, err := jobs.Signed{Key: func() ed25519.PrivateKey { return key }}.Seal(job)
	if err != nil {
		return nil, err
	}
	signed, err := jobs.Signed{Key: own}.Seal(job)
	if err != nil {
		return nil, err
	}
	altered, version := slices.Clone(signed), slices.Clone(signed)
	altered[len(altered)-6] ^= 1
	version[3] = 9
	long := bytes.Repeat(append([]byte(job.ID), ' '), 3000/len(job.ID))
	return [][]byte{nil, []byte("hello " + job.ID), long, plain, foreign, altered, version, signed[:40]}, nil
}
