package guard

import (
	"math"

	"overnight/envs"
)

// masks returns what environment and frequency cap allow, and what of that the
// policy may choose; nil: all. An episode's first step clears the episode.
func (g *guarded) masks(in *envs.Step) (open, mine []bool) {
	b := &g.book
	if in.T == 0 {
		b.begin()
	}
	open = in.Allowed
	if f := &g.p.Frequency; f.Cap > 0 && allows(open, g.none) && b.capped(int(in.Obs[g.recipient]), in.T, f.Cap, f.Within) {
		return g.only, g.only
	}
	if g.p.ShareCap == 1 || b.stopped > 0 {
		return open, open
	}
	// At most ceil(c t) of the first t sends: never too few for t sends in all, as
	// c >= 1/k. The rounding of c t must not add one.
	most := int64(math.Ceil(float64(g.p.ShareCap*float64(b.t+1)) - 1e-9))
	left := false
	for i, n := range b.sends {
		g.mask[i] = allows(open, i) && (n < most || i == g.none)
		left = left || g.mask[i]
	}
	if !left {
		return open, open
	}
	return open, g.mask
}

// allows says whether a mask, nil for all, has action i.
func allows(mask []bool, i int) bool { return mask == nil || mask[i] }

// count returns how many of k actions a mask has.
func count(mask []bool, k int) int {
	if mask == nil {
		return k
	}
	n := 0
	for _, ok := range mask {
		if ok {
			n++
		}
	}
	return n
}

// nth returns the n-th action, from 0, of a mask.
func nth(mask []bool, n int) int {
	if mask == nil {
		return n
	}
	for i, ok := range mask {
		if ok {
			if n == 0 {
				return i
			}
			n--
		}
	}
	panic("guard: the environment allows no action")
}
