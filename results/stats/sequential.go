package stats

import (
	"cmp"
	"math"
	"slices"

	"overnight/internal/rng"
)

// Looks declares a test that looks at the data several times.
type Looks struct {
	// At are the numbers of pairs to look at, ascending, declared before the first
	// look.
	At []int
	// Alpha is the chance of a false rejection over all looks. Defaults to 0.05.
	Alpha float64
	// Draws of sign patterns. Defaults to PermutationDraws.
	Draws int
	// Key is the address of the draws.
	Key rng.Key
}

// Decision is what a sequential test came to.
type Decision struct {
	Reject bool
	// N is the look that rejected, or the last one that there were pairs for; 0
	// where there was none.
	N    int
	Mean float64 // of the differences at N; as an estimate it is biased by the stop
	// Boundary is what |Mean| had to exceed at N.
	Boundary float64
	// First is the first look whose number of pairs can reject at all, 0 for none.
	First int
}

// Sequential tests at each look whether paired differences lie symmetrically
// about 0 and stops at the first rejection. It is the group-sequential
// permutation test of AdaStop (Mathieu et al., TMLR 2024) for pairs: signs are
// flipped at random o.Draws times, and look k rejects what lies
// strictly above the boundary that leaves k/K*alpha of all sign patterns, those
// seen included, rejected by then. The seen pattern is one of equally likely
// ones, so a false rejection has a chance of at most alpha at any n, for any
// distribution that is symmetric about 0. A look depends on the pairs up to it
// alone; looks beyond the pairs at hand are not made yet.
func Sequential(d []float64, o Looks) Decision {
	if o.Alpha == 0 {
		o.Alpha = .05
	}
	if o.Draws == 0 {
		o.Draws = PermutationDraws
	}
	d = Present(d)
	if !slices.IsSorted(o.At) {
		panic("stats: looks that do not ascend")
	}
	s := sequence{d: d, sums: make([]float64, o.Draws+1), streams: make([]signs, o.Draws+1)}
	for b := range s.sums {
		s.alive = append(s.alive, b)
		if b > 0 { // pattern 0 is the one seen
			s.streams[b].stream = rng.New(o.Key.At(uint64(b - 1)))
		}
	}
	var out Decision
	for k, n := range o.At {
		share := float64(k+1) / float64(len(o.At)) * o.Alpha
		if out.First == 0 && math.Ldexp(2, -n) <= share {
			out.First = n
		}
		if n > len(d) || out.Reject {
			continue
		}
		boundary := s.look(n, int(share*float64(len(s.sums))))
		out.N, out.Mean, out.Boundary = n, s.sums[0]/float64(n), boundary/float64(n)
		out.Reject = len(s.alive) == 0 || s.alive[0] != 0
	}
	return out
}

// sequence is the state of a sequential test: the sum of differences under each
// pattern of signs, and the patterns that no look has rejected, ascending.
type sequence struct {
	d        []float64
	upTo     int
	sums     []float64
	streams  []signs
	alive    []int
	rejected int
}

type signs struct {
	stream rng.Stream
	bits   uint64
}

// look adds the differences up to n to the sums and rejects as many patterns as
// leave at most budget rejected in all. It returns the boundary of |sum|.
func (s *sequence) look(n, budget int) float64 {
	slack := 0.0
	for _, v := range s.d[:n] {
		slack += 1e-12 * math.Abs(v)
	}
	for _, b := range s.alive {
		g := &s.streams[b]
		for i := s.upTo; i < n; i++ {
			v := s.d[i]
			if b > 0 {
				if i%64 == 0 {
					g.bits = g.stream.Uint64()
				}
				if g.bits&1 == 1 {
					v = -v
				}
				g.bits >>= 1
			}
			s.sums[b] += v
		}
	}
	s.upTo = n
	far := slices.Clone(s.alive)
	slices.SortFunc(far, func(a, b int) int {
		return cmp.Compare(math.Abs(s.sums[b]), math.Abs(s.sums[a]))
	})
	left := budget - s.rejected
	if left >= len(far) {
		left = len(far) - 1
	}
	boundary := math.Abs(s.sums[far[left]]) + slack
	kept := s.alive[:0]
	for _, b := range s.alive {
		if math.Abs(s.sums[b]) <= boundary {
			kept = append(kept, b)
		}
	}
	s.rejected += len(s.alive) - len(kept)
	s.alive = kept
	return boundary
}
