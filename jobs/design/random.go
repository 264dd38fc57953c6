package design

import "overnight/internal/rng"

// Random is the kind of design whose rows are independent and uniform.
const Random = "random"

// random hashes addresses: row r of a column needs no other row.
type random []rng.Key

func newRandom(seed uint64, columns []string) random {
	keys := make(random, len(columns))
	for i, name := range columns {
		keys[i] = rng.Root(seed, "design/random/"+name)
	}
	return keys
}

// At returns coordinate column of a row, above 0 and below 1.
func (r random) At(row uint64, column int) float64 {
	return Unit(r[column].At(row)[0])
}

// Unit maps 64 random bits to the middle of one of 2**52 cells of (0, 1).
func Unit(bits uint64) float64 {
	return float64(float64(bits>>12)*0x1p-52) + 0x1p-53
}
