package design

// Saltelli is the kind of design for variance-based sensitivity indices: base
// samples A and B of all factors, and for each factor j the sample AB_j, which is
// A with the column j of B (Saltelli et al., Computer Physics Communications 181,
// 2010). With second order, also BA_j: B with the column j of A (Saltelli 2002).
const Saltelli = "saltelli"

// Block is what a row of a Saltelli design belongs to.
type Block int

// The blocks of a Saltelli design, in the order of a base sample's rows.
const (
	BlockA  Block = iota
	BlockB        // independent of A
	BlockAB       // A with one column of B
	BlockBA       // B with one column of A
)

// SaltelliRows returns how many rows a base sample of d columns takes: d + 2, with
// second order 2d + 2.
func SaltelliRows(d int, second bool) uint64 {
	if second {
		return 2*uint64(d) + 2
	}
	return uint64(d) + 2
}

// SaltelliRow says what a row of a Saltelli design over d columns is: its base
// sample, its block and, of AB and BA, the column that comes from the other
// matrix; -1 of A and B. The rows of a base sample follow each other: A, B,
// AB_0, ..., AB_(d-1), and with second order BA_0, ..., BA_(d-1).
func SaltelliRow(row uint64, d int, second bool) (base uint64, block Block, column int) {
	n := SaltelliRows(d, second)
	base = row / n
	switch k := int(row % n); {
	case k < 2:
		return base, Block(k), -1
	case k < d+2:
		return base, BlockAB, k - 2
	default:
		return base, BlockBA, k - 2 - d
	}
}

// saltelli reads a scrambled Sobol sequence of two dimensions a factor, one for A
// and the next for B, so that factors that come later move none.
type saltelli struct {
	cube   sobol
	dims   []int
	points uint64
	second bool
}

func (s *saltelli) Len() uint64 { return s.points * SaltelliRows(len(s.dims), s.second) }

func (s *saltelli) Group(row uint64) uint64 { return row / SaltelliRows(len(s.dims), s.second) }

func (s *saltelli) Fill(row uint64, into []float64) {
	base, block, column := SaltelliRow(row, len(s.dims), s.second)
	mostly := 0
	if block == BlockB || block == BlockBA {
		mostly = 1
	}
	for c, dim := range s.dims {
		from := mostly
		if c == column {
			from = 1 - mostly
		}
		into[c] = s.cube.At(base, 2*dim+from)
	}
}
