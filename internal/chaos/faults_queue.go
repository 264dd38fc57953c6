package chaos

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

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
	mark()
	start := time.Now()
	return start, "", q.DeleteAll(ctx)
}

// garbage puts messages into the queue that no coordinator made.
func garbage(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	q, err := l.queue(ctx)
	if err != nil {
		return time.Time{}, "", err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return time.Time{}, "", err
	}
	stranger := jobs.Signed{Key: func() ed25519.PrivateKey { return key }}
	job := jobs.Job{ID: "garbage", Engine: jobs.EngineVersion, Study: studyName, Generation: 1, Trials: []jobs.Range{{From: 0, To: 5}}}
	plain, err := job.Encode()
	if err != nil {
		return time.Time{}, "", err
	}
	foreign, err := stranger.Seal(job)
	if err != nil {
		return time.Time{}, "", err
	}
	altered := slices.Clone(foreign)
	altered[len(altered)-6] ^= 1
	version := slices.Clone(foreign)
	version[3] = 9
	messages := [][]byte{nil, []byte("hello"), bytes.Repeat([]byte("x"), 3000), plain, foreign, altered, version, foreign[:40]}
	mark()
	start := time.Now()
	for _, m := range messages {
		if err := q.Inject(ctx, m); err != nil {
			return start, "", err
		}
	}
	return start, fmt.Sprintf("%d messages each", len(messages)), nil
}
