// Package archive writes a study with its plan, data and records to one file and
// reads it back into any store. Start with Write and Read.
//
// The file is a gzip stream of the text "overnight archive", a newline and a
// version byte (1), then frames, then the SHA-256 of all before it. A frame is a
// byte for its kind, the length of its payload as a varint, the payload, and a
// CRC-32C of these, four bytes, little-endian. The frames are, in this order:
//
//	1 plan     the plan's head, JSON
//	2 body     the plan's body
//	3 source   the study file as the user wrote it
//	4 data     any number: a data file behind its SHA-256, 32 bytes
//	5 records  any number: records in trial order, each in its wire form
//	           (results.Record) behind its length as a varint
//	6 end      the numbers of records and data files, state and digest, JSON
//
// What is truncated or changed anywhere is refused.
package archive

import (
	"fmt"
	"time"

	"overnight/results"
)

const (
	magic   = "overnight archive\n"
	version = 1
)

// The kinds of frames.
const (
	kindPlan    = 1
	kindBody    = 2
	kindSource  = 3
	kindData    = 4
	kindRecords = 5
	kindEnd     = 6
)

// Limits of payloads, in bytes.
const (
	maxHead    = 1 << 20
	maxBody    = 64 << 20
	maxData    = 256 << 20
	maxRecords = 4 << 20
)

// batchBytes is how many bytes of records go into a frame.
const batchBytes = 1 << 20

// planHead is the payload of a plan frame.
type planHead struct {
	Study      string    `json:"study"`
	Identity   string    `json:"identity"`
	Engine     int       `json:"engine"`
	Points     uint64    `json:"points"`
	Trials     uint64    `json:"trials"`
	Wanted     uint64    `json:"wanted,omitempty"`
	Metrics    []string  `json:"metrics"`
	Objective  int       `json:"objective"`
	Generation uint32    `json:"generation"`
	Created    time.Time `json:"created"`
}

// ending is the payload of the end frame.
type ending struct {
	Records uint64        `json:"records"`
	Data    uint64        `json:"data"`
	State   results.State `json:"state"`
	Digest  string        `json:"digest"`
}

// damaged returns an error for a file that is not what Write made.
func damaged(format string, args ...any) error {
	return fmt.Errorf("the archive is %w: %w", results.ErrDamaged, fmt.Errorf(format, args...))
}
