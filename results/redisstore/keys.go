package redisstore

import (
	"fmt"
	"strconv"
	"strings"
)

// How trials and points are laid out in keys.
const (
	bucketTrials  = 128                          // trials a bucket of records
	segmentTrials = 1 << 17                      // trials a segment of the ledger: 16 KiB
	segmentSize   = segmentTrials / bucketTrials // buckets a segment
	maskBytes     = bucketTrials / 8             // a bucket's bits in its segment
	blockPoints   = 1024                         // points a block of the leaderboard
	pointBytes    = 12                           // of a point there: how many records, 4 bytes, and their sum
)

// keys are the keys of one study. They carry the hash tag {study}, so that a
// Redis Cluster keeps them on one node.
type keys struct {
	study string // "<ns>:{<study>}:"
	own   string // "<ns>:{<study>}:<incarnation>:", of one that was created once
}

// studyKeys returns the keys of a study in one of its incarnations.
func (s *Store) studyKeys(study, inc string) keys {
	k := s.options.Namespace + ":{" + escape(study) + "}:"
	return keys{k, k + inc + ":"}
}

func (k keys) plan() string        { return k.study + "plan" }   // hash: see head
func (k keys) gone() string        { return k.study + "gone" }   // hash: incarnation -> what is left to sweep of it
func (k keys) parts() string       { return k.own + "parts" }    // set: segments, and "b" and blocks, that there are
func (k keys) workers() string     { return k.own + "workers" }  // hash: name -> number
func (k keys) events() string      { return k.own + "events" }   // stream of commits, see pieces
func (k keys) checkpoints() string { return k.own + "saved" }    // hash: "bucket:offset" -> checkpoint
func (k keys) building() string    { return k.own + "building" } // string: somebody builds the leaderboard

// againTime is how long a command may be on its way, sent again and again.
const againTime = flightTime

// call is a key for one call of a script that must not work twice, and that the
// client may send again: string, gone after againTime.
func (k keys) call() string { return k.own + "did:" + newID() }

// A bucket's records, error texts, curves, and what was removed lately: hashes by
// the trial's offset in the bucket.
func (k keys) records(bucket uint64) string { return k.own + "r:" + number(bucket) }
func (k keys) errors(bucket uint64) string  { return k.own + "e:" + number(bucket) }
func (k keys) curves(bucket uint64) string  { return k.own + "c:" + number(bucket) }
func (k keys) removed(bucket uint64) string { return k.own + "x:" + number(bucket) }

// segment is a string: bit i%8 of byte i/8, the low bit first, tells whether the
// segment's trial i has a record.
func (k keys) segment(segment uint64) string { return k.own + "l:" + number(segment) }

// block is a string of a leaderboard: the sums of 1024 points.
func (k keys) block(board, block uint64) string {
	return k.own + "b:" + number(board) + ":" + number(block)
}

// The keys that are no study's. ":" never begins an escaped name.
func (s *Store) format() string            { return s.options.Namespace + ":format" }
func (s *Store) studies() string           { return s.options.Namespace + ":studies" } // hash: name -> when and by whom it was entered
func (s *Store) fleet(what string) string  { return s.options.Namespace + ":{:fleet}:" + what }
func (s *Store) leaseKey(n string) string  { return s.options.Namespace + ":{:lease:" + escape(n) + "}" }
func (s *Store) blobKey(sum string) string { return s.options.Namespace + ":{:blob:" + sum + "}:data" }
func (s *Store) blobTime(sum string) string {
	return s.options.Namespace + ":{:blob:" + sum + "}:named"
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// escape writes a name so that it can stand in a key, between the braces of a
// hash tag too: what is no letter, digit or one of "-_.@" as % and two digits.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.@", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// validNamespace refuses what would move keys to other slots, or mean something
// in a pattern of an access list.
func validNamespace(ns string) error {
	if ns == "" || len(ns) > 64 || escape(ns) != ns {
		return fmt.Errorf("namespace %q: write 1 to 64 letters, digits, and any of -_.@", ns)
	}
	return nil
}

// bit returns the number by which SETBIT and GETBIT know a trial in its segment:
// they count from the high bit of each byte.
func bit(trial uint64) uint64 {
	i := trial % segmentTrials
	return i&^7 + 7 - i&7
}
