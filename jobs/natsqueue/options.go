package natsqueue

import (
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
)

// Options configure a Queue.
type Options struct {
	// Codec makes messages of jobs and opens them. Defaults to jobs.Plain.
	Codec jobs.Codec
	// Engine is the engine version whose jobs Take takes. Defaults to
	// jobs.EngineVersion.
	Engine int
	// Namespace keeps several Overnights on one server apart: 1 to 32 lower-case
	// letters, digits, _ or -. Defaults to "overnight".
	Namespace string
	// Lease is how long a delivery is held without Extend before the job is
	// delivered again. A consumer that exists keeps its lease. Defaults to 30 s.
	Lease time.Duration
	// MaxDeliver is how often a job is delivered before it is given up as a dead
	// letter: a backstop, far beyond what leases that end and jobs that are handed
	// back add up to. Defaults to 1000.
	MaxDeliver int
	// TakeOnly is for a connection with no more than TakeRights: the Queue makes no
	// stream and no consumer, waits while they are missing, and refuses Publish.
	TakeOnly bool
	// Patience is for how long a call tries in vain, while the server can't be
	// reached or its cluster has no leader, before it returns the cause. A Take
	// with TakeOnly tries until its context ends. Defaults to one minute, with Open
	// to 3 s.
	Patience time.Duration
	// Memory keeps the stream in memory, not in files. Open always does.
	Memory bool
	// MaxBytes bounds the stream, in bytes: beyond it Publish fails, where a server
	// without room would turn JetStream off. The server reserves them. Defaults to
	// 512 MiB.
	MaxBytes int64
	// Replicas is how many servers of a cluster hold the stream: 1, 3 or 5.
	// Defaults to 1.
	Replicas int
	// Log receives what the queue skips, rejects and repairs, and at debug level
	// what the embedded server logs. Defaults to dropping it.
	Log *zap.Logger
	// Dir is a folder for the embedded server's housekeeping, made if missing; no
	// job is written there. Only Open looks at it. Defaults to a new temporary
	// folder that Close removes.
	Dir string
}

func (o Options) withDefaults() Options {
	if o.Codec == nil {
		o.Codec = jobs.Plain{}
	}
	if o.Engine == 0 {
		o.Engine = jobs.EngineVersion
	}
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	if o.MaxDeliver <= 0 {
		o.MaxDeliver = 1000
	}
	if o.Patience <= 0 {
		o.Patience = time.Minute
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 512 << 20
	}
	if o.Replicas <= 0 {
		o.Replicas = 1
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o
}
