package natsstore

import (
	"encoding/binary"
	"fmt"

	"overnight/results"
)

// A ledger is the number of its trials, and then for each block of trials a
// byte: that none has a record, that all have one, or that a bitmap of the block
// follows, the lowest trial in the lowest bit.
const (
	blockTrials = 1 << 15
	emptyBlock  = 0
	fullBlock   = 1
	mixedBlock  = 2

	maxLedger = 1 << 34 // trials: 2 GB in memory
)

func encodeLedger(l *results.Ledger) []byte {
	b := binary.AppendUvarint(nil, l.Len())
	bits := make([]byte, blockTrials/8)
	for from := uint64(0); from < l.Len(); from += blockTrials {
		to := min(from+blockTrials, l.Len())
		if l.Missing(from) >= to {
			b = append(b, fullBlock)
			continue
		}
		clear(bits)
		found := false
		for i := from; i < to; i++ {
			if l.Has(i) {
				bits[(i-from)/8] |= 1 << ((i - from) % 8)
				found = true
			}
		}
		if !found {
			b = append(b, emptyBlock)
			continue
		}
		b = append(append(b, mixedBlock), bits[:(to-from+7)/8]...)
	}
	return b
}

func decodeLedger(b []byte) (*results.Ledger, error) {
	r := reader{b: b}
	n := r.uvarint()
	if n > maxLedger {
		return nil, fmt.Errorf("a ledger of %d trials, more than %d", n, uint64(maxLedger))
	}
	if blocks := (n + blockTrials - 1) / blockTrials; r.err == nil && blocks > uint64(len(r.b)) {
		return nil, fmt.Errorf("a ledger of %d trials in %d bytes", n, len(b))
	}
	l := results.NewLedger(n)
	for from := uint64(0); from < n && r.err == nil; from += blockTrials {
		to := min(from+blockTrials, n)
		switch form := r.byte(); form {
		case emptyBlock:
		case fullBlock:
			for i := from; i < to; i++ {
				l.Add(i)
			}
		case mixedBlock:
			bits := r.take((to - from + 7) / 8)
			for i := from; i < to && bits != nil; i++ {
				if bits[(i-from)/8]>>((i-from)%8)&1 != 0 {
					l.Add(i)
				}
			}
		default:
			r.fail(fmt.Errorf("block of form %d", form))
		}
	}
	return l, r.end()
}
