package design

import "overnight/internal/rng"

// Morris is the kind of design for screening by elementary effects: trajectories
// through a grid in the cube that change one factor a step, in random order
// (Morris, Technometrics 33, 1991; mu* of Campolongo et al. 2007).
const Morris = "morris"

// DefaultLevels is the number of levels of a range's grid in a Morris design where
// the study file gives none; MaxLevels bounds it.
const (
	DefaultLevels = 4
	MaxLevels     = 1024
)

// maxScreened bounds the factors of a Morris design: a row takes time of their
// square.
const maxScreened = 1000

// MorrisRow says which trajectory a row of a Morris design over d columns belongs
// to, and which of its d + 1 points it is; point 0 is where the trajectory starts.
func MorrisRow(row uint64, d int) (trajectory uint64, step int) {
	n := uint64(d) + 1
	return row / n, int(row % n)
}

// Stepper is what Morris designs and designs of one factor at a time are beside
// Rows.
type Stepper interface {
	// Step returns the column in which a row differs from the row before it in its
	// trajectory, or from the base of one factor at a time, and by how much, where
	// a factor's lowest value is 0 and its highest 1; -1 and 0 of a trajectory's
	// first row, or of the base. Levels count as equally far from each other.
	Step(row uint64) (column int, by float64)
}

var _ Stepper = (*morris)(nil)

// morris computes each column's start and direction in a trajectory from the
// column's own key, and the order of the steps from the keys' hashes: another
// factor adds steps and changes no order among those that there are.
type morris struct {
	keys         []rng.Key
	sizes        []int // levels of each column's grid
	cells        []bool
	trajectories uint64
}

func newMorris(seed uint64, columns []Column, spec Spec) *morris {
	m := &morris{trajectories: spec.Points}
	for _, c := range columns {
		size := spec.Levels
		if c.Levels > 0 {
			size = c.Levels
		}
		m.keys = append(m.keys, rng.Root(seed, "design/morris/"+c.Name))
		m.sizes = append(m.sizes, size)
		m.cells = append(m.cells, c.Levels > 0)
	}
	return m
}

func (m *morris) Len() uint64 { return m.trajectories * (uint64(len(m.keys)) + 1) }

func (m *morris) Group(row uint64) uint64 { return row / (uint64(len(m.keys)) + 1) }

// start returns where a column starts in a trajectory and its step, both in
// levels. Steps are half of the grid, so that from an even number of levels each
// is as likely before and after (Morris 1991); from an odd one, they are half of
// what there is beside the middle.
func (m *morris) start(column int, hash uint64) (level, step int) {
	n := m.sizes[column]
	level, step = Level(Unit(hash), n), n/2
	down := level >= n-step
	if n%2 == 1 && level == n/2 {
		down = hash&1 == 1 // Unit drops this bit
	}
	if down {
		step = -step
	}
	return level, step
}

// coordinate is where a level lies: the grid of a range reaches both ends, and a
// factor's own levels are cells of equal size.
func (m *morris) coordinate(column, level int) float64 {
	n := float64(m.sizes[column])
	if m.cells[column] {
		return (float64(level) + 0.5) / n
	}
	return float64(level) / (n - 1)
}

func (m *morris) Fill(row uint64, into []float64) {
	trajectory, done := MorrisRow(row, len(m.keys))
	var few [16]rng.Key
	hashes := m.hashes(trajectory, few[:0])
	for c := range m.keys {
		level, step := m.start(c, hashes[c][1])
		if rank(hashes, c) < done {
			level += step
		}
		into[c] = m.coordinate(c, level)
	}
}

// Step implements Stepper.
func (m *morris) Step(row uint64) (column int, by float64) {
	trajectory, done := MorrisRow(row, len(m.keys))
	if done == 0 {
		return -1, 0
	}
	var few [16]rng.Key
	hashes := m.hashes(trajectory, few[:0])
	for c := range m.keys {
		if rank(hashes, c) == done-1 {
			_, step := m.start(c, hashes[c][1])
			return c, float64(step) / float64(m.sizes[c]-1)
		}
	}
	return -1, 0 // ranks are all different
}

func (m *morris) hashes(trajectory uint64, into []rng.Key) []rng.Key {
	for _, k := range m.keys {
		into = append(into, k.At(trajectory))
	}
	return into
}

// rank is the place of a column in the order of the steps.
func rank(hashes []rng.Key, column int) (n int) {
	h := hashes[column][0]
	for c := range hashes {
		if hashes[c][0] < h || hashes[c][0] == h && c < column {
			n++
		}
	}
	return n
}
