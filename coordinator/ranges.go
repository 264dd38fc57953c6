package coordinator

import (
	"slices"

	"overnight/jobs"
	"overnight/results"
)

// sorted puts ranges in ascending order and joins those that touch.
func sorted(rs []jobs.Range) []jobs.Range {
	slices.SortFunc(rs, func(a, b jobs.Range) int {
		if a.From < b.From {
			return -1
		}
		return 1
	})
	out := rs[:0]
	for _, r := range rs {
		if n := len(out); n > 0 && r.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, r.To)
			continue
		}
		out = append(out, r)
	}
	return out
}

// below returns the parts of ranges under n.
func below(rs []jobs.Range, n uint64) []jobs.Range {
	var out []jobs.Range
	for _, r := range rs {
		if r.To = min(r.To, n); r.From < r.To {
			out = append(out, r)
		}
	}
	return out
}

// minus returns what is in a and not in b; both ascend.
func minus(a, b []jobs.Range) []jobs.Range {
	var out []jobs.Range
	for _, r := range a {
		for len(b) > 0 && b[0].To <= r.From {
			b = b[1:]
		}
		for _, x := range b {
			if x.From >= r.To {
				break
			}
			if r.From < x.From {
				out = append(out, jobs.Range{From: r.From, To: x.From})
			}
			r.From = max(r.From, x.To)
		}
		if r.From < r.To {
			out = append(out, r)
		}
	}
	return out
}

// advance moves pos over the trials that have a record and tells whether none
// is left.
func advance(trials []jobs.Range, pos *uint64, l *results.Ledger) bool {
	for _, rg := range trials {
		if rg.To <= *pos {
			continue
		}
		*pos = l.Missing(max(*pos, rg.From))
		if *pos < rg.To {
			return false
		}
	}
	return true
}
