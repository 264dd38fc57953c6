package jobs

import (
	"crypto/sha256"
	"encoding/binary"

	"overnight/internal/param"
)

// Streams returns the addresses of a trial's random numbers.
func (s *Study) Streams(p *Point, replication uint64) Streams {
	a := Streams{Seed: s.Seed, Replication: replication}
	switch s.Paired {
	case PairedRow:
		a.Scope = p.Row + 1
	case PairedNone:
		key := s.PointKey(p)
		a.Scope = binary.LittleEndian.Uint64(key[:]) | 1
	}
	return a
}

// PointKey hashes what a point's results depend on beside random numbers: the
// environment and the agent with all their parameters (data files stand there by
// their hash), train, evaluate, record and the engine. What an agent that does
// not learn never meets is left out.
func (s *Study) PointKey(p *Point) [sha256.Size]byte {
	b := make([]byte, 0, 1024)
	b = append(b, "overnight point 1\x00"...)
	b = param.AppendCanonical(b, s.Tasks[p.Task].Env)
	b = param.AppendCanonical(b, p.Env)
	b = param.AppendCanonical(b, s.Arms[p.Arm].Agent)
	b = param.AppendCanonical(b, p.Agent)
	number := func(n uint64) { b = binary.LittleEndian.AppendUint64(b, n) }
	number(p.Train.Episodes)
	number(p.Train.Steps)
	number(p.Train.Updates)
	switch {
	case s.Evaluate.Online:
		b = append(b, 'o')
	case p.Train == Budget{}:
		b = append(b, 'e')
		number(s.Evaluate.Final)
	default:
		b = append(b, 'l')
		number(s.Evaluate.Final)
		number(s.Evaluate.Every)
		number(s.Evaluate.Episodes)
	}
	number(s.Record.CurvePoints)
	number(uint64(s.Engine))
	return sha256.Sum256(b)
}

// TrialKey hashes all that a trial's result depends on: its point and its
// streams. Trials with one key have one result, in whatever study.
func (s *Study) TrialKey(p *Point, replication uint64) [sha256.Size]byte {
	a := s.Streams(p, replication)
	key := s.PointKey(p)
	b := make([]byte, 0, 96)
	b = append(b, "overnight trial 1\x00"...)
	b = append(b, key[:]...)
	b = binary.LittleEndian.AppendUint64(b, a.Seed)
	b = binary.LittleEndian.AppendUint64(b, a.Scope)
	b = binary.LittleEndian.AppendUint64(b, a.Replication)
	return sha256.Sum256(b)
}
