package chaos

import (
	"context"
	"slices"
	"time"
)

// fault is something that goes wrong.
type fault struct {
	name    string
	doc     string
	engines []string
	outage  bool          // nothing can be committed while it lasts: the recovery takes a commit after it
	gentle  bool          // no attempt of a trial may be counted for it
	needs   func() string // why it can't happen on this machine, or ""
	// fire makes it happen and mends what it broke. It calls mark at the moment
	// from which trials are in danger, and returns from when the recovery counts
	// (zero: from its return), and a note for the table.
	fire func(ctx context.Context, l *lab, mark func()) (from time.Time, note string, err error)
}

func (f *fault) on(engine string) bool { return slices.Contains(f.engines, engine) }

var (
	everywhere  = []string{Embedded, Joined, Asynq, NATS}
	withWorkers = []string{Joined, Asynq, NATS}
	withRedis   = []string{Asynq, NATS}
)

// faults lists what can go wrong.
func faults() []fault {
	return []fault{
		{name: "kill-worker", doc: "kill -9 of a worker with its supervisor", engines: withWorkers, fire: killWorkers},
		{name: "kill-slot", doc: "kill -9 of the child process of a slot", engines: everywhere, fire: killSlot},
		{name: "kill-coordinator", doc: "kill -9 of the coordinator", engines: everywhere, fire: killCoordinator},
		{name: "kill-redis", doc: "kill -9 of redis-server, started again after a second", engines: withRedis, outage: true, fire: killRedis},
		{name: "kill-nats", doc: "kill -9 of nats-server, started again after a second", engines: []string{NATS}, outage: true, fire: killNATS},
		{name: "pause-worker", doc: "SIGSTOP of a worker past its lease, then SIGCONT", engines: withWorkers, fire: pauseWorkers},
		{name: "pause-coordinator", doc: "SIGSTOP of the coordinator past its lease, then SIGCONT", engines: everywhere, fire: pauseCoordinator},
		{name: "drain-worker", doc: "SIGTERM of a worker, which hands back its work", engines: withWorkers, gentle: true, fire: drainWorker},
		{name: "drain-coordinator", doc: "SIGTERM of the coordinator", engines: everywhere, fire: drainCoordinator},
		{name: "rolling-restart", doc: "SIGTERM and a new start of each worker in turn", engines: withWorkers, gentle: true, fire: rollingRestart},
		{name: "cut", doc: "connections of the workers reset, and refused for 3 s", engines: withWorkers, outage: true, fire: cut},
		{name: "delay", doc: "100 ms more for every packet of the workers, for 5 s", engines: withWorkers, fire: slow},
		{name: "half-open", doc: "connections that stay open and carry nothing for 12 s", engines: withWorkers, outage: true, fire: halfOpen},
		{name: "namespace", doc: "a worker in a network namespace whose link goes down for 12 s", engines: withRedis, needs: needNamespaces, fire: namespace},
		{name: "duplicates", doc: "jobs delivered twice more, in another order", engines: withRedis, fire: duplicates},
		{name: "queue-deleted", doc: "all that the queue stores is deleted", engines: withRedis, fire: queueDeleted},
		{name: "garbage", doc: "malformed, oversized, unsigned, altered and other-version messages in the queue", engines: withRedis, fire: garbage},
		{name: "full-disk", doc: "no space left where the store is, for 5 s", engines: everywhere, needs: needTmpfs, outage: true, fire: fullDisk},
		{name: "clock", doc: "the store's clock jumps an hour ahead and back", engines: everywhere, needs: needCompiler, fire: clockJump},
		{name: "poison", doc: "trials that panic, exit, never end and eat memory, in a study of their own", engines: everywhere, fire: poison},
		{name: "two-coordinators", doc: "another coordinator for the same study", engines: everywhere, fire: twoCoordinators},
		{name: "redis-full", doc: "Redis at maxmemory for 4 s", engines: withRedis, outage: true, fire: redisFull},
		{name: "redis-readonly", doc: "Redis becomes a read-only replica for 4 s", engines: withRedis, outage: true, fire: redisReadOnly},
		{name: "redis-rollback", doc: "Redis comes back from a backup that lacks acknowledged records", engines: withRedis, outage: true, fire: redisRollback},
	}
}

// Names returns the names of all faults, or of those that an engine can have.
func Names(engine string) []string {
	var names []string
	for _, f := range faults() {
		if engine == "" || f.on(engine) {
			names = append(names, f.name)
		}
	}
	return names
}

// Docs returns what each fault is, by the order of Names("").
func Docs() []string {
	var docs []string
	for _, f := range faults() {
		docs = append(docs, f.doc)
	}
	return docs
}
