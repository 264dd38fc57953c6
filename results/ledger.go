package results

import "math/bits"

// Ledger is the set of trials that have a record: one bit a trial.
type Ledger struct {
	words []uint64
	n     uint64
	count uint64
}

// NewLedger returns an empty ledger for trials 0..n-1.
func NewLedger(n uint64) *Ledger {
	return &Ledger{words: make([]uint64, (n+63)/64), n: n}
}

// Len returns the number of trials it is for, Count how many it has.
func (l *Ledger) Len() uint64   { return l.n }
func (l *Ledger) Count() uint64 { return l.count }

// Has tells whether trial i has a record.
func (l *Ledger) Has(i uint64) bool { return i < l.n && l.words[i/64]>>(i%64)&1 != 0 }

// Add adds trial i and tells whether it was missing. Trials beyond Len are
// ignored.
func (l *Ledger) Add(i uint64) bool {
	if i >= l.n || l.Has(i) {
		return false
	}
	l.words[i/64] |= 1 << (i % 64)
	l.count++
	return true
}

// AddBits adds trial from+i for every bit i%8 of bits[i/8] that is set, the low
// bit first. from is a multiple of 64; trials beyond Len are ignored.
func (l *Ledger) AddBits(from uint64, set []byte) {
	for i, b := range set {
		at := from + 8*uint64(i)
		if b == 0 || at >= l.n {
			continue
		}
		if left := l.n - at; left < 8 {
			b &= 1<<left - 1
		}
		word := &l.words[at/64]
		fresh := uint64(b) << (at % 64) &^ *word
		*word |= fresh
		l.count += uint64(bits.OnesCount64(fresh))
	}
}

// Remove removes trial i.
func (l *Ledger) Remove(i uint64) {
	if l.Has(i) {
		l.words[i/64] &^= 1 << (i % 64)
		l.count--
	}
}

// Missing returns the first trial >= from that has no record, or Len.
func (l *Ledger) Missing(from uint64) uint64 {
	for w := from / 64; w < uint64(len(l.words)); w++ {
		free := ^l.words[w]
		if w == from/64 {
			free &= ^uint64(0) << (from % 64)
		}
		if free != 0 {
			return min(w*64+uint64(bits.TrailingZeros64(free)), l.n)
		}
	}
	return l.n
}

// Grow makes it a ledger for n trials, n at least Len.
func (l *Ledger) Grow(n uint64) {
	words := make([]uint64, (n+63)/64)
	copy(words, l.words)
	l.words, l.n = words, n
}
