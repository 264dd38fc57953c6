// Package results holds what trials produced - Record - and the roles of a
// Store. Start with Record and Records.
//
// Commit is conditional: the first valid record of a trial wins, an equal late
// one counts as a duplicate, a different one raises the nondeterminism alarm.
package results

import (
	"time"
)

// Status is how a trial ended.
type Status uint8

// How a trial can end. Done and Failed are in the digest, the others outside.
const (
	Done    Status = 1 + iota
	Failed         // an error, a NaN or a panic: deterministic, final at the first attempt
	Dead           // its process died three times while it ran alone
	Overrun        // it exceeded a limit
)

// Record is what one trial produced. Metrics and Curves of a Done trial, and
// Trial, Point, Replication and Status of every one, depend on the trial alone;
// the rest depends on the schedule and is outside the digest.
type Record struct {
	Trial       uint64
	Point       uint64
	Replication uint64
	Status      Status
	Metrics     []float64 // of a Done trial, in the order of Plan.Metrics; NaN where one does not apply
	Curves      []Curve   // in any order; encodings and stores sort them by name

	Error      string // one line of what, then detail; at most 16 KiB
	Attempts   uint32
	Generation uint32
	Worker     string
	Finished   time.Time
	Elapsed    time.Duration
}

// Curve is a series that a trial recorded: values Y at X, which ascends
// (training episodes done).
type Curve struct {
	Name string // unique within the record
	X, Y []float64
}

// Verdict is the answer to one record of a commit.
type Verdict uint8

const (
	// Committed: it is the trial's record now, durably.
	Committed Verdict = 1 + iota
	// Duplicate: an equal record was there.
	Duplicate
	// Differs: a different record was there and stays: the nondeterminism alarm.
	Differs
	// Stale: it is of an older generation; it was refused.
	Stale
)
