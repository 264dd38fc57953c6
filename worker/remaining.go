package worker

import (
	"encoding/binary"
	"slices"

	"overnight/jobs"
)

// remaining is what is left of a job, in order.
type remaining struct{ list []jobs.Range }

func newRemaining(rs []jobs.Range) *remaining { return &remaining{slices.Clone(rs)} }

func (r *remaining) empty() bool          { return len(r.list) == 0 }
func (r *remaining) first() uint64        { return r.list[0].From }
func (r *remaining) ranges() []jobs.Range { return slices.Clone(r.list) }

// pop removes the first trial and returns it.
func (r *remaining) pop() uint64 {
	n := r.list[0].From
	r.take(n)
	return n
}

// take removes trial n, which must be the first, and tells whether it was.
func (r *remaining) take(n uint64) bool {
	if r.empty() || r.list[0].From != n {
		return false
	}
	r.list[0].From++
	if r.list[0].From == r.list[0].To {
		r.list = r.list[1:]
	}
	return true
}

func cutUvarint(b []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}
