package deploy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"overnight/jobs"
	"overnight/jobs/asynqqueue"
	"overnight/results/redisstore"
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
		if e.Object == "config|get" { // which an inspection tries and does without
			continue
		}
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

// The commands are those that the store says it uses, and no others; of these a
// worker does without those that remove keys.
func TestRedisCommands(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"coordinator", "worker"} {
		want := redisstore.Commands()
		if user == "worker" {
			want = slices.DeleteFunc(want, func(c string) bool { return c == "del" || c == "unlink" })
		}
		// What clients and asynq need beside the store.
		want = append(want, "command", "cluster|slots", "cluster|shards", "info", "subscribe", "psubscribe", "unsubscribe", "publish")
		_, line, _ := strings.Cut(read(t, "redis/users.acl"), "\nuser overnight-"+user+" ")
		line, _, _ = strings.Cut(line, "\n")
		line, _, _ = strings.Cut(line, "(")
		var got []string
		for _, w := range strings.Fields(line) {
			if c, ok := strings.CutPrefix(w, "+"); ok && !strings.HasPrefix(c, "@") {
				got = append(got, c)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, slices.Compact(got)); d != "" {
			t.Errorf("%s (-store +users.acl):\n%s", user, d)
		}
	}
}
