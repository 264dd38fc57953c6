package deploy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/jobs"
	"overnight/jobs/asynqqueue"
)

// denied returns what Redis denied since it was asked last, by its ACL log.
func denied(t *testing.T, admin *redis.Client) []string {
	t.Helper()
	log, err := admin.ACLLog(t.Context(), 100).Result()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range log {
		all = append(all, strings.Join([]string{e.Username, e.Context, e.Reason, e.Object}, " "))
	}
	if err := admin.ACLLogReset(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// What the queue does is within the rights of those who do it.
func TestRedisQueueRights(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	admin := r.as(t, "overnight-admin", "admin password")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	issue, err := asynqqueue.New(ctx, r.as(t, "overnight-coordinator", "coordinator password"), asynqqueue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	take, err := asynqqueue.New(ctx, r.as(t, "overnight-worker", "worker password"), asynqqueue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	job := func(id string) jobs.Job {
		return jobs.Job{ID: id, Engine: jobs.EngineVersion, Study: "s", Trials: []jobs.Range{{From: 0, To: 1}}}
	}
	if err := issue.Publish(ctx, []jobs.Job{job("done"), job("rejected"), job("returned")}); err != nil {
		t.Fatal(err)
	}
	ended, returned := 0, false
	for ended < 3 {
		taken, err := take.Take(ctx, 3)
		if err != nil {
			t.Fatalf("%v; denied: %v", err, denied(t, admin))
		}
		for _, d := range taken {
			err := d.Extend(ctx)
			switch {
			case d.Job().ID == "rejected":
				err = errors.Join(err, d.Reject(ctx, "a test"))
				ended++
			case d.Job().ID == "returned" && !returned:
				err = errors.Join(err, d.Return(ctx, 0))
				returned = true
			default:
				err = errors.Join(err, d.Done(ctx))
				ended++
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(take.Close(), issue.Close()); err != nil {
		t.Fatal(err)
	}
	if d := denied(t, admin); len(d) > 0 {
		t.Errorf("Redis denied: %v", d)
	}
}
