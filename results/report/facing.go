package report

import (
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results/stats"
)

// facing is the runs of a line and of another arm beside them. Every difference
// between two arms is made from one, so that no two tables differ.
type facing struct {
	points, theirs []int        // the line's that have something beside them, and that
	x, y           stats.Scores // theirs averaged within a replication where there are several
	paired         bool         // run by run; what lacks the other side is taken out
	rows           bool         // the units are rows of the design, see Model.overRows
	lacking        int          // pairs that lack one side
}

// part is which replications are compared.
type part int

const (
	wholeStudy part = iota
	oddRuns
)

// face puts the runs of a line beside another arm's.
func (m *Model) face(l line, beside [][]int, runs part) facing {
	var f facing
	f.points, f.x, f.y = m.against(l, beside)
	for i := range beside {
		f.theirs = append(f.theirs, beside[i]...)
	}
	slices.Sort(f.theirs)
	f.theirs = slices.Compact(f.theirs)
	f.rows = m.overRows(f.points) && m.overRows(f.theirs)
	f.paired = m.Study.Paired != jobs.PairedNone || f.rows // rows are alike in more than noise
	if f.paired {
		m.cutAtStops(f.x, beside)
	}
	if runs == oddRuns {
		f.x, f.y = half(f.x, 1), half(f.y, 1)
	}
	if f.paired {
		f.lacking = pairUp(f.x, f.y)
	}
	return f
}

// units returns both sides with their independent units as replications.
func (f *facing) units(s stats.Statistic) (x, y stats.Scores) {
	if !f.rows {
		return f.x, f.y
	}
	return RowUnits(f.x, s), RowUnits(f.y, s)
}

// difference estimates the objective's summary of one side less the other's.
func (m *Model) difference(f facing, address []uint64) stats.Estimated {
	s := m.statistic()
	x, y := f.units(s)
	e := stats.Difference(x, y, s, m.options("results/compare/difference", 2*len(f.x)*m.reps, address...))
	e.Value = s.Of(f.x) - s.Of(f.y)
	return e
}

// duelAddress tells apart the random draws about two arms.
func (m *Model) duelAddress(l line, other int) []uint64 {
	return []uint64{uint64(l.arm), uint64(other), uint64(l.task + 1), 0, 0}
}

// cutAtStops takes out of x the runs after what is beside them has stopped: such
// pairs are not lacking. x has the points that have something beside them.
func (m *Model) cutAtStops(x stats.Scores, beside [][]int) {
	if !m.Stops() {
		return
	}
	at := 0
	for _, theirs := range beside {
		if len(theirs) == 0 {
			continue
		}
		runs := x[at]
		at++
		for _, q := range theirs {
			for r := int(min(m.Planned(q), uint64(len(runs)))); r < len(runs); r++ {
				runs[r] = math.NaN()
			}
		}
	}
}

// half returns the replications of odd (1) or even (0) number.
func half(x stats.Scores, odd int) stats.Scores {
	h := make(stats.Scores, len(x))
	for p, runs := range x {
		for r := odd; r < len(runs); r += 2 {
			h[p] = append(h[p], runs[r])
		}
	}
	return h
}

// pairUp takes out of both sides what the other lacks and returns how many pairs
// lacked one side.
func pairUp(x, y stats.Scores) int {
	lacking := 0
	for p := range x {
		for r := range x[p] {
			switch a, b := math.IsNaN(x[p][r]), math.IsNaN(y[p][r]); {
			case a && !b:
				y[p][r] = math.NaN()
				lacking++
			case b && !a:
				x[p][r] = math.NaN()
				lacking++
			}
		}
	}
	return lacking
}
