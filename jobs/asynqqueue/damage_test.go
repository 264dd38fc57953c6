package asynqqueue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"overnight/jobs"
)

// What asynq's documents don't say about its keys is as keys.go says.
func TestKeys(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	q := open(t, rdb, Options{})
	publish(t, q, batch(0, 4)...)
	for _, d := range take(t, q, 1) {
		if err := d.Return(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	held := take(t, q, 1)
	i := asynq.NewInspectorFromRedisClient(rdb)
	waitFor(t, "asynq's counts to be ours", func() bool {
		info, err := i.GetQueueInfo(q.name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Pending == 2 && info.Active == 1 && info.Retry == 1
	})
	if w, h, err := q.Pending(t.Context()); err != nil || w != 2 || h != 2 {
		t.Errorf("%d wait and %d are held, error %v, want 2 and 2", w, h, err)
	}
	if err := rdb.ZScore(t.Context(), key(q.name, "lease"), held[0].Job().ID).Err(); err != nil {
		t.Errorf("the lease of %s: %v", held[0].Job().ID, err)
	}
	msg, err := rdb.HGet(t.Context(), taskKey(q.name, held[0].Job().ID), "msg").Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := q.damage(held[0].Job().ID, msg); err != nil {
		t.Errorf("a task of the queue itself: %v", err)
	}
}

// plant writes a task as it is into what waits.
func plant(t *testing.T, q *Queue, id, msg string) {
	t.Helper()
	if err := q.rdb.HSet(t.Context(), taskKey(q.name, id), "msg", msg, "state", "pending").Err(); err != nil {
		t.Fatal(err)
	}
	if err := q.rdb.RPush(t.Context(), key(q.name, "pending"), id).Err(); err != nil { // the next one
		t.Fatal(err)
	}
}

// Damaged tasks of every kind stop nothing, and end as dead letters.
func TestDamagedTasks(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	core, logged := observer.New(zap.WarnLevel)
	q := open(t, rdb, Options{Log: zap.New(core)})
	publish(t, q, job(0), job(1))
	good, err := rdb.HGet(t.Context(), taskKey(q.name, job(0).ID), "msg").Result()
	if err != nil {
		t.Fatal(err)
	}
	planted := map[string]string{
		"cut off":  good[:len(good)-3],
		"no words": "\xff\xff\xff",
		"empty":    "",
		"foreign":  strings.ReplaceAll(good, q.name, "overnight.e7"),
		"another":  good,
	}
	limits := map[string][]asynq.Option{
		"limited":  {asynq.Timeout(time.Second)},
		"overdue":  {asynq.Deadline(time.Now().Add(-time.Hour)), asynq.Timeout(longest)},
		"no retry": {asynq.MaxRetry(0), asynq.Timeout(longest)},
	}
	for id, o := range limits {
		if _, err := q.client.Enqueue(asynq.NewTask(taskType, []byte(id), o...), asynq.Queue(q.name), asynq.TaskID(id)); err != nil {
			t.Fatal(err)
		}
	}
	for id, msg := range planted {
		plant(t, q, id, msg)
	}
	if err := rdb.RPush(t.Context(), key(q.name, "pending"), "gone").Err(); err != nil {
		t.Fatal(err)
	}
	wrong := job(7)
	wrong.Engine = 3
	sealed, err := wrong.Encode()
	if err != nil {
		t.Fatal(err)
	}
	inject(t, q, wrong.ID, sealed)
	inject(t, q, "other-id", sealed)

	seen := map[string]int{}
	done := func(all []jobs.Delivery) {
		for _, d := range all {
			seen[d.Job().ID]++
			if err := d.Done(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for len(seen) < 2 {
		done(take(t, q, 3))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for {
		more, err := q.Take(ctx, 3)
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		done(more)
	}
	// "another" holds the message of the first job, which may so be delivered twice.
	if seen[job(0).ID] > 2 || seen[job(1).ID] != 1 || len(seen) != 2 {
		t.Fatalf("took %v, want the first job once or twice, the second once", seen)
	}
	// As when the leases that asynq gave have ended.
	waitFor(t, "the damaged ones to be swept", func() bool {
		if err := q.sweep(t.Context(), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, held, err := q.Pending(t.Context())
		return err == nil && held == 0
	})
	letters, err := q.DeadLetters(t.Context(), MaxDead)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range letters {
		got[l.ID] = l.Reason
		if want, ok := planted[l.ID]; ok && l.ID != "another" && string(l.Payload) != want {
			t.Errorf("letter %q holds %q, want %q", l.ID, l.Payload, want)
		}
		if time.Since(l.At).Abs() > time.Hour {
			t.Errorf("letter %q is of %v", l.ID, l.At)
		}
	}
	want := map[string]string{
		"cut off": "can't decode", "no words": "can't decode", "empty": "no id", "foreign": `queue "overnight.e7"`,
		"another": "another task", "limited": "time limit", "overdue": "time limit", "no retry": "not added by this queue",
		"gone": "message is gone", wrong.ID: "job of engine 3 in the queue of engine 1", "other-id": `task "other-id" holds job`,
	}
	for id, reason := range want {
		if !strings.Contains(got[id], reason) {
			t.Errorf("letter %q says %q, want %q in it", id, got[id], reason)
		}
		if n := logged.FilterField(zap.String("task", id)).Len(); n == 0 {
			t.Errorf("letter %q is not in the log", id)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d letters, want %d: %v", len(got), len(want), got)
	}
	if left := rdb.Keys(t.Context(), key(q.name, "t:*")).Val(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// A job that is held by nobody any more comes back through asynq's recovery,
// beside a task that would have ended it.
func TestRecovery(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	q := open(t, rdb, Options{Lease: time.Hour})
	publish(t, q, job(0))
	id := job(0).ID
	long := float64(time.Now().Add(-time.Hour).Unix())
	// As a worker leaves them that was killed.
	if err := rdb.LMove(t.Context(), key(q.name, "pending"), key(q.name, "active"), "RIGHT", "LEFT").Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.LPush(t.Context(), key(q.name, "active"), "bad").Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.HSet(t.Context(), taskKey(q.name, "bad"), "msg", "\xff").Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.ZAdd(t.Context(), key(q.name, "lease"), redis.Z{Score: long, Member: id}, redis.Z{Score: long, Member: "bad"}).Err(); err != nil {
		t.Fatal(err)
	}
	if err := q.sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := take(t, q, 1)[0]; got.Job().ID != id { // asynq looks when it starts
		t.Fatalf("took %s, want %s", got.Job().ID, id)
	}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	q := open(t, connect(t, "redis://"+start(t).Addr), Options{})
	for i := range MaxDead + 20 {
		q.bury(t.Context(), DeadLetter{ID: fmt.Sprint(i), Reason: strings.Repeat("é", i), Payload: make([]byte, 2*i)})
	}
	if n := q.rdb.LLen(t.Context(), key(q.name, "overnight:dead")).Val(); n != MaxDead {
		t.Errorf("%d letters are kept, want %d", n, MaxDead)
	}
	letters, err := q.DeadLetters(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range letters {
		got = append(got, l.ID)
		if len(l.Reason) > maxReason || len(l.Payload) != jobs.MaxJobBytes {
			t.Errorf("letter %s has a reason of %d bytes and a payload of %d", l.ID, len(l.Reason), len(l.Payload))
		}
	}
	if d := cmp.Diff([]string{"1019", "1018", "1017"}, got); d != "" {
		t.Errorf("letters (-want +got):\n%s", d)
	}
	if err := q.rdb.LPush(t.Context(), key(q.name, "overnight:dead"), "{").Err(); err != nil {
		t.Fatal(err)
	}
	if letters, err = q.DeadLetters(t.Context(), 1); err != nil || !strings.Contains(letters[0].Reason, "can't be read") {
		t.Errorf("a letter that is none: %+v, error %v", letters, err)
	}
}

// A rejected job is a dead letter and may be published again.
func TestRejectedIsKept(t *testing.T) {
	t.Parallel()
	q := open(t, connect(t, "redis://"+start(t).Addr), Options{})
	for range 2 {
		publish(t, q, job(0))
		if err := take(t, q, 1)[0].Reject(t.Context(), "its epoch has passed"); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the job to end", func() bool {
			w, h, err := q.Pending(t.Context())
			return err == nil && w+h == 0
		})
	}
	letters, err := q.DeadLetters(t.Context(), 10)
	if err != nil || len(letters) != 2 || letters[0].ID != job(0).ID || letters[0].Reason != "its epoch has passed" {
		t.Errorf("letters %+v, error %v, want 2 of %s", letters, err, job(0).ID)
	}
}

// With a Codec, jobs that nobody trusted has sealed are dead letters.
func TestCodec(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	q := open(t, rdb, Options{Codec: jobs.Signed{}})
	if err := q.Publish(t.Context(), batch(0, 1)); err == nil {
		t.Error("published without a key: no error")
	}
	publish(t, open(t, rdb, Options{}), job(1))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := q.Take(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("took a job without a signature: %v", err)
	}
	letters, err := q.DeadLetters(t.Context(), 10)
	if err != nil || len(letters) != 1 || !strings.Contains(letters[0].Reason, jobs.ErrUntrusted.Error()) {
		t.Errorf("letters %+v, error %v, want one of an untrusted job", letters, err)
	}
}

// Whatever stands in Redis as a task, the queue says whether asynq can end it.
func FuzzSane(f *testing.F) {
	q := &Queue{name: "overnight.e1"}
	f.Add("\x0a\x0dovernight:job\x1a\x01a\x22\x0covernight.e1")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, msg string) {
		if err := q.damage("a", msg); err == nil {
			m, err := decode(msg)
			if err != nil || field(m, "id").String() != "a" || field(m, "queue").String() != q.name {
				t.Errorf("%q is sane, but says %v, error %v", msg, m, err)
			}
		}
	})
}

func FuzzDeadLetter(f *testing.F) {
	f.Add(string(DeadLetter{ID: "a", Payload: []byte("b")}.encode()))
	f.Fuzz(func(t *testing.T, s string) {
		l, err := decodeLetter(s)
		if err != nil {
			return
		}
		if _, err := decodeLetter(string(l.encode())); err != nil {
			t.Errorf("letter %+v can't be read when it is written again: %v", l, err)
		}
	})
}
