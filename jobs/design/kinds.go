package design

import (
	"fmt"
	"slices"
	"strings"
)

// Spec is what a study file says of a design.
type Spec struct {
	Kind   string
	Points uint64 // rows; base samples of Saltelli, trajectories of Morris; 0 of OAT and CCD
	Second bool   // Saltelli: second order as well
	Levels int    // Morris: of the grid of a range
	Start  uint64 // LHS: which of the first Starts hypercubes; see Choose
}

// Column is a factor that a design draws.
type Column struct {
	// Name is the address of the column's values: together with the seed, they
	// depend on it alone in most kinds.
	Name string
	// Dimension numbers the names of the whole design; columns of one name share it.
	Dimension int
	// Levels is how many levels the factor has; 0 of a range.
	Levels int
	// Endless tells that the range has no ends: a normal distribution.
	Endless bool
	// Place is what the column adds to Rows.Group in OAT and CCD; see Places. 0 of
	// columns whose rows count as one.
	Place uint64
}

// Rows are the rows of a design over some of its columns.
type Rows interface {
	// Len is the number of rows.
	Len() uint64
	// Group numbers the rows that belong together: a base sample, a trajectory, or
	// else the row alone.
	Group(row uint64) uint64
	// Fill writes a row's coordinates, from 0 to 1, one a column.
	Fill(row uint64, into []float64)
}

// Kinds returns the kinds that New makes.
func Kinds() []string {
	return []string{Random, LHS, Sobol, Halton, Saltelli, Morris, OAT, CCD}
}

// Drawn tells whether a kind draws its rows at random, so that it has a number of
// points; OAT and CCD have none.
func Drawn(kind string) bool {
	return slices.Contains(Kinds(), kind) && kind != OAT && kind != CCD
}

// Design is a design made for a study.
type Design struct {
	spec  Spec
	seed  uint64
	names []string
	cube  cube
}

// cube gives coordinates in the open unit interval.
type cube interface {
	At(row uint64, dimension int) float64
}

// New makes a design with one dimension a name.
func New(spec Spec, seed uint64, names []string) (*Design, error) {
	d := &Design{spec: spec, seed: seed, names: names}
	if !slices.Contains(Kinds(), spec.Kind) {
		return nil, fmt.Errorf("there is no design %q; there are %s", spec.Kind, strings.Join(Kinds(), ", "))
	}
	if err := spec.check(); err != nil {
		return nil, err
	}
	var err error
	switch spec.Kind {
	case Random:
		d.cube = newRandom(seed, names)
	case LHS:
		d.cube = newLHS(seed, names, spec.Points, spec.Start)
	case Sobol:
		d.cube, err = newSobol(seed, names)
	case Halton:
		d.cube, err = newHalton(seed, names)
	case Saltelli:
		twice := make([]string, 0, 2*len(names))
		for _, n := range names {
			twice = append(twice, n+"/a", n+"/b")
		}
		d.cube, err = newSobol(seed, twice)
	}
	return d, err
}

// MaxPoints is how many points a design that is drawn has at most.
func MaxPoints(kind string) uint64 {
	switch kind {
	case LHS, Sobol, Halton, Saltelli:
		return MaxSequence
	}
	return MaxRows
}

// check refuses numbers that no design of the kind has.
func (s *Spec) check() error {
	most := MaxPoints(s.Kind)
	switch {
	case Drawn(s.Kind) && (s.Points == 0 || s.Points > most):
		return fmt.Errorf("a design %s of %d points: there must be 1 to %d", s.Kind, s.Points, most)
	case !Drawn(s.Kind) && s.Points != 0:
		return fmt.Errorf("a design %s of %d points: its factors decide how many there are", s.Kind, s.Points)
	case s.Second && s.Kind != Saltelli:
		return fmt.Errorf("a design %s has no second order", s.Kind)
	case s.Kind == Morris && (s.Levels < 2 || s.Levels > MaxLevels || s.Levels%2 == 1):
		return fmt.Errorf("a design morris with %d levels: there must be an even number from 2 to %d", s.Levels, MaxLevels)
	case s.Kind != Morris && s.Levels != 0:
		return fmt.Errorf("a design %s has no levels of its own", s.Kind)
	case s.Start != 0 && (s.Kind != LHS || s.Start >= Starts || s.Points > MaxMaximin):
		return fmt.Errorf("a design %s of %d points with start %d", s.Kind, s.Points, s.Start)
	}
	return nil
}

// Rows returns the rows over some columns, at least one; the error says which of
// them the design can't have.
func (d *Design) Rows(columns []Column) (Rows, error) {
	for i := range columns {
		if why, _ := d.spec.Refuses(&columns[i]); why != "" {
			return nil, fmt.Errorf("%s %s", columns[i].Name, why)
		}
	}
	dims := make([]int, len(columns))
	for i, c := range columns {
		if c.Dimension < 0 || c.Dimension >= len(d.names) {
			return nil, fmt.Errorf("column %s of dimension %d of %d", c.Name, c.Dimension, len(d.names))
		}
		dims[i] = c.Dimension
	}
	var rows Rows
	switch d.spec.Kind {
	case Saltelli:
		rows = &saltelli{d.cube.(sobol), dims, d.spec.Points, d.spec.Second}
	case Morris:
		if len(columns) > maxScreened {
			return nil, fmt.Errorf("a design morris of %d factors: there must be at most %d", len(columns), maxScreened)
		}
		rows = newMorris(d.seed, columns, d.spec)
	case OAT:
		rows = newOAT(columns)
	case CCD:
		if n := len(columns); n < 2 || n > MaxComposite {
			return nil, fmt.Errorf("%w, not %d", ErrComposite, n)
		}
		rows = newCCD(columns)
	default:
		return &sample{d.cube, dims, d.spec.Points}, nil
	}
	if rows.Len() > MaxRows {
		return nil, fmt.Errorf("a design %s of %d rows: there must be 1 to %d", d.spec.Kind, rows.Len(), uint64(MaxRows))
	}
	return rows, nil
}

// Refuses tells why the design can't have a factor, and what to write instead;
// both are "" where it can.
func (s *Spec) Refuses(c *Column) (why, instead string) {
	switch {
	case s.Kind == Morris && c.Levels == 1:
		return "has one level, and design morris changes every factor", "write two levels or more, or the value alone"
	case s.Kind == Morris && c.Endless, s.Kind == CCD && c.Endless:
		return "is normal and so has no ends, to which design " + s.Kind + " goes", "write uniform: [low, high], such as the mean and two standard deviations each way"
	case s.Kind == CCD && c.Levels > 0:
		return "has levels, and design ccd needs a range: its low end, its middle and its high end", "write uniform: [low, high], or put the factor into a part {kind: grid, of: [...]} beside this one"
	}
	return "", ""
}

// sample reads a cube row by row.
type sample struct {
	cube   cube
	dims   []int
	points uint64
}

func (s *sample) Len() uint64 { return s.points }

func (s *sample) Group(row uint64) uint64 { return row }

func (s *sample) Fill(row uint64, into []float64) {
	for c, dim := range s.dims {
		into[c] = s.cube.At(row, dim)
	}
}
