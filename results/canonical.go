package results

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// AppendResult appends the result of r to b: the metrics and curves that depend
// on the trial alone, in the form that the digest hashes. Error texts, times,
// attempts and hosts are outside.
//
// Version 1 is the number of metrics and their values; the number of curves and
// for each, in the order of their names, the length of the name, the name, the
// number of points, all X, all Y. Numbers are eight bytes, little-endian, with
// one bit pattern (0x7ff8000000000000) for every NaN.
func AppendResult(b []byte, r *Record) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(r.Metrics)))
	b = appendFloats(b, r.Metrics)
	curves := byName(r.Curves)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(curves)))
	for _, c := range curves {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(c.Name)))
		b = append(b, c.Name...)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(c.X)))
		b = appendFloats(b, c.X)
		b = appendFloats(b, c.Y)
	}
	return b
}

// Equal tells whether a and b have the same status and the same result, bit for
// bit but for the kind of NaN: a late record that is not Equal to the one before
// it raises the nondeterminism alarm.
func Equal(a, b *Record) bool {
	return a.Status == b.Status &&
		sameBits(a.Metrics, b.Metrics) &&
		slices.EqualFunc(byName(a.Curves), byName(b.Curves), func(a, b Curve) bool {
			return a.Name == b.Name && sameBits(a.X, b.X) && sameBits(a.Y, b.Y)
		})
}

// digestDomain opens what a digest hashes and names its version.
const digestDomain = "overnight digest 1\n"

// Chooser says which trials a study wants, where that depends on results: it is
// told of all records in trial order.
type Chooser interface {
	// Take takes in the next record and tells whether the study wants its trial.
	Take(r *Record) bool
	// Missing returns how many wanted trials have no record, after the last one.
	Missing() uint64
}

// ErrSurplus: a study has records beside those it wants, which its plan alone
// does not tell apart; DigestOf does.
var ErrSurplus = errors.New("records beside those that the study wants")

// Digest returns the digest of a study, SHA-256 in hex, and how many of its
// trials have no record; with some missing there is no digest yet and it is "".
// Dead and overrun trials are outside it and not missing. A damaged record is an
// error that wraps ErrDamaged; of a study that wants some of its trials it is
// ErrSurplus where it has records of others.
//
// Version 1 hashes "overnight digest 1" and a newline, then for each done or
// failed trial that the study wants in order trial, point and replication, eight
// bytes each, the status, one byte, and the result (see AppendResult).
func Digest(ctx context.Context, s Records, p Plan) (digest string, missing uint64, err error) {
	t, err := s.Tally(ctx, p.Study)
	if err != nil {
		return "", 0, err
	}
	want := p.Expected()
	switch {
	case t.Total() < want:
		return "", want - t.Total(), nil
	case t.Total() > want && p.Wanted > 0:
		return "", 0, fmt.Errorf("digest of %s: %w: %d, of which %d are wanted", p.Study, ErrSurplus, t.Total(), want)
	}
	return DigestOf(ctx, s, p, &all{want: want})
}

// all wants every trial.
type all struct{ n, want uint64 }

func (a *all) Take(*Record) bool { a.n++; return true }
func (a *all) Missing() uint64   { return a.want - min(a.n, a.want) }

// DigestOf is Digest over the trials that a study wants.
func DigestOf(ctx context.Context, s Records, p Plan, wanted Chooser) (digest string, missing uint64, err error) {
	h := sha256.New()
	h.Write([]byte(digestDomain))
	var b []byte
	for r, err := range s.Scan(ctx, p.Study, 0, p.Trials) {
		if err != nil {
			return "", 0, fmt.Errorf("digest of %s: trial %d: %w", p.Study, r.Trial, err)
		}
		if !wanted.Take(&r) || r.Status != Done && r.Status != Failed {
			continue
		}
		b = binary.LittleEndian.AppendUint64(b[:0], r.Trial)
		b = binary.LittleEndian.AppendUint64(b, r.Point)
		b = binary.LittleEndian.AppendUint64(b, r.Replication)
		b = append(b, byte(r.Status))
		b = AppendResult(b, &r)
		h.Write(b)
	}
	if missing := wanted.Missing(); missing > 0 {
		return "", missing, nil
	}
	return hex.EncodeToString(h.Sum(nil)), 0, nil
}
