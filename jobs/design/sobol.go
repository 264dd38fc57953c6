package design

import (
	_ "embed"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"overnight/internal/rng"
)

// Sobol is the kind of design whose rows are a Sobol sequence with the direction
// numbers of Joe and Kuo (SIAM J. Sci. Comput. 30, 2008, file new-joe-kuo-6),
// under nested uniform scrambling (Owen, 1995).
const Sobol = "sobol"

// MaxSequence bounds the rows of Sobol and Halton sequences and of Latin
// hypercubes.
const MaxSequence = 1 << 32

// MaxDimensions bounds the dimensions of Sobol and Halton sequences.
const MaxDimensions = 1000

// ErrDimensions is what New says of a sequence of too many dimensions.
var ErrDimensions = fmt.Errorf("a Sobol or Halton sequence has at most %d dimensions, and saltelli takes two a factor", MaxDimensions)

// joeKuo holds dimensions 2 to MaxDimensions, one a line: degree and coefficients
// of the primitive polynomial, and the initial numbers m_1, ..., m_degree.
//
// Its licence, joe-kuo.LICENSE, asks that the notice goes with the binary.
//
//go:embed joe-kuo.txt
var joeKuo string

// sobol is a scrambled sequence; each dimension has direction numbers and a key.
type sobol []dimension

type dimension struct {
	v   [32]uint32 // direction numbers, the first digit highest
	key rng.Key
}

// newSobol makes one dimension a name.
func newSobol(seed uint64, names []string) (sobol, error) {
	if len(names) > MaxDimensions {
		return nil, fmt.Errorf("%w, not %d", ErrDimensions, len(names))
	}
	s := make(sobol, len(names))
	rest := joeKuo
	for i, name := range names {
		var line string
		if i > 0 {
			line, rest, _ = strings.Cut(rest, "\n")
		}
		v, err := directions(line)
		if err != nil {
			return nil, fmt.Errorf("direction numbers of dimension %d: %w", i+1, err)
		}
		s[i] = dimension{v, rng.Root(seed, "design/sobol/"+name)}
	}
	return s, nil
}

// directions computes the direction numbers of a line of joeKuo by the recurrence
// of Bratley and Fox (ACM TOMS 14, 1988); no line stands for van der Corput's
// sequence, the first dimension.
func directions(line string) (v [32]uint32, err error) {
	if line == "" {
		for k := range v {
			v[k] = 1 << (31 - k)
		}
		return v, nil
	}
	fields := strings.Fields(line)
	n := make([]uint32, len(fields))
	for i, f := range fields {
		x, err := strconv.ParseUint(f, 10, 32)
		if err != nil {
			return v, err
		}
		n[i] = uint32(x)
	}
	degree := int(n[0])
	a, m := n[1], n[2:]
	if degree != len(m) {
		return v, fmt.Errorf("%d numbers for degree %d", len(m), degree)
	}
	for k := range v {
		if k < degree {
			v[k] = m[k] << (31 - k)
			continue
		}
		v[k] = v[k-degree] ^ v[k-degree]>>degree
		for j := 1; j < degree; j++ {
			if a>>(degree-1-j)&1 == 1 {
				v[k] ^= v[k-j]
			}
		}
	}
	return v, nil
}

// digits returns the 32 binary digits of a row's unscrambled coordinate.
func (d *dimension) digits(row uint64) (x uint32) {
	for r := uint32(row); r != 0; r &= r - 1 {
		x ^= d.v[bits.TrailingZeros32(r)]
	}
	return x
}

// At returns a coordinate of a row below MaxSequence.
func (s sobol) At(row uint64, column int) float64 {
	d := &s[column]
	return owen(d.digits(row), d.key)
}

// owen scrambles 32 binary digits: each is flipped or not by a bit that belongs to
// the digits above it, and what comes below them is random. Below MaxSequence
// rows no digit of the sequence lies there, so the scrambling is the whole one.
func owen(x uint32, key rng.Key) float64 {
	out := uint32(0)
	for level := 0; level < 32; level += 4 {
		// One hash has the bits of the 15 nodes of the next four digits' tree.
		h := key.At(1<<level | uint64(x)>>(32-level))[0]
		digits, node := x>>(28-level)&15, uint32(1)
		for b := 3; b >= 0; b-- {
			bit := digits >> b & 1
			out = out<<1 | bit ^ uint32(h>>node)&1
			node = node<<1 | bit
		}
	}
	return Unit(uint64(out)<<32 | key.At(1<<32 | uint64(x))[0]>>32)
}
