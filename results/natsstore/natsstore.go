// Package natsstore reaches a results.Store over NATS: the coordinator serves its
// own to workers on other machines. Start with Serve and New.
//
// The Store that New returns keeps all promises of the one that is served
// (storetest). A call whose answer does not come, because the connection or the
// coordinator is down, is repeated until its context ends; its requests carry an
// identifier by which the server gives a repeated one the answer of the first.
// The server remembers answers for a minute, and forgets them when it ends: a
// call that spans a restart of the coordinator may find its own work done, as
// results.ErrExists from Create, as verdict Duplicate from Commit, or as a plan
// that already has what Update was about to change.
//
// One Server answers on these subjects, where "overnight" is Options.Namespace:
//
//	overnight.store.work.<op>   what a worker needs: Plan, Blob, Commit, Beat,
//	                            SaveCheckpoint, Checkpoint, and the transport of
//	                            long answers and requests
//	overnight.store.all.<op>    everything else
//	overnight.store.follow.<s>  published by the server to those that Follow a study
//
// A worker's connection needs leave to publish to overnight.store.work.> and to
// subscribe to its inbox, and nothing else. Answers go only to subjects that
// begin with "_INBOX", so that no request can make the server publish elsewhere.
package natsstore

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Options configure a Server or a Store. Both ends of a connection need the same
// Namespace.
type Options struct {
	// Namespace is what all subjects begin with. Defaults to "overnight".
	Namespace string
	// Log receives what a Server refuses, at most once a second. Defaults to
	// dropping it.
	Log *zap.Logger
	// Memory bounds the bytes that a Server keeps of long requests and answers
	// under way. A single one may exceed it. Defaults to 512 MB.
	Memory int64
	// InFlight is how many requests of a Store may wait for an answer at a time,
	// beats and leases aside. Defaults to 64.
	InFlight int

	silence  time.Duration // after which the server forgets what nobody asks for
	patience time.Duration // of the client before it repeats a request; doubles, to 16 s
	direct   int           // bytes of a message at most; less where the server takes less
	batch    int           // bytes of records in one request, about
}

// Errors of this package. A Store returns those of package results otherwise,
// with the text that the served store gave them.
var (
	// ErrNoAnswer is wrapped, beside the context's error, by calls that ended while
	// the coordinator did not answer.
	ErrNoAnswer = errors.New("the coordinator does not answer")
	// ErrLost ends a scan that the coordinator knows nothing of any more: it was
	// started again, or heard nothing of the scan for 30 s.
	ErrLost = errors.New("the coordinator has lost the scan; begin it again")
	// ErrClosed is returned by a Store after Close.
	ErrClosed = errors.New("store is closed")
)

// Limits of what is sent.
const (
	maxCheckpoint = 64 << 20
	maxBlob       = 1 << 30
	maxPlan       = 64 << 20
	maxPoints     = 256 << 20 // of Describe
	maxLong       = maxBlob + 1<<10
	maxBody       = 64<<20 + 1<<12 // of other requests and answers
	maxText       = 4 << 10        // of an error
	maxCommit     = 32 << 20       // of records in one request, and
	maxRecords    = 1 << 16        // how many
	pageSize      = 256 << 10      // of a scan
	chunkSize     = 256 << 10
)

func (o Options) withDefaults() (Options, error) {
	if o.Namespace == "" {
		o.Namespace = "overnight"
	}
	if strings.ContainsAny(o.Namespace, " \t\r\n*>") || strings.HasPrefix(o.Namespace, ".") || strings.HasSuffix(o.Namespace, ".") || strings.Contains(o.Namespace, "..") {
		return o, fmt.Errorf("namespace %q can't begin a NATS subject: write letters, digits and single dots within", o.Namespace)
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Memory <= 0 {
		o.Memory = 512 << 20
	}
	if o.InFlight <= 0 {
		o.InFlight = 64
	}
	if o.silence <= 0 {
		o.silence = 30 * time.Second
	}
	if o.patience <= 0 {
		o.patience = 2 * time.Second
	}
	if o.direct <= 0 {
		o.direct = 1 << 20
	}
	if o.batch <= 0 {
		o.batch = maxCommit
	}
	return o, nil
}

// subject returns the subject of an operation.
func (o *Options) subject(op string) string { return o.Namespace + ".store." + op }

// room returns how many bytes of a request or an answer fit into one message,
// where the NATS server takes messages of payload bytes.
func (o *Options) room(payload int64) int {
	n := o.direct
	if payload > 0 {
		n = int(min(int64(n), payload))
	}
	return max(n-frameRoom, minRoom)
}

// The names of the operations.
const (
	opHello          = "work.hello"
	opPush           = "work.push"
	opFetch          = "work.fetch"
	opPlan           = "work.plan"
	opBlob           = "work.blob"
	opCommit         = "work.commit"
	opBeat           = "work.beat"
	opSaveCheckpoint = "work.save-checkpoint"
	opCheckpoint     = "work.checkpoint"

	opPushLong    = "all.push"
	opCreate      = "all.create"
	opStudies     = "all.studies"
	opUpdate      = "all.update"
	opDelete      = "all.delete"
	opPutBlob     = "all.put-blob"
	opStream      = "all.stream"
	opStreamKeep  = "all.stream-keep"
	opStreamClose = "all.stream-close"
	opLedger      = "all.ledger"
	opTally       = "all.tally"
	opDiscard     = "all.discard"
	opWorkers     = "all.workers"
	opGive        = "all.give"
	opLease       = "all.lease"
	opLeaders     = "all.leaders"
	opDescribe    = "all.describe"
	opFollow      = "all.follow"
)
