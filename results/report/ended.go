package report

import (
	"fmt"
	"strings"
)

// Ended counts how trials ended.
type Ended struct {
	Done, Failed, Dead, Overrun uint64
	Missing                     uint64 // no readable record
}

// Ended counts how the trials of a point ended; it needs points kept apart (see
// Lines).
func (m *Model) Ended(point int) Ended {
	c := &m.cells[point]
	return Ended{
		Done: c.done, Failed: c.failed, Dead: c.dead, Overrun: c.overrun,
		Missing: m.Planned(point) - min(m.Planned(point), c.records()),
	}
}

// Plus adds counts.
func (e Ended) Plus(o Ended) Ended {
	return Ended{e.Done + o.Done, e.Failed + o.Failed, e.Dead + o.Dead, e.Overrun + o.Overrun, e.Missing + o.Missing}
}

// Broken returns how many trials ended without a result.
func (e Ended) Broken() uint64 { return e.Failed + e.Dead + e.Overrun }

// Lost says what there is no score of, "3 failed, 1 missing"; "" for nothing.
func (e Ended) Lost() string {
	var parts []string
	for _, c := range []struct {
		n    uint64
		what string
	}{{e.Failed, "failed"}, {e.Dead, "dead"}, {e.Overrun, "overrun"}, {e.Missing, "missing"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(parts, ", ")
}
