package export

import (
	"fmt"
	"strconv"

	"overnight/jobs"
)

// points keeps what rows need of points, since trials go through all points
// once a replication.
type points struct {
	study *jobs.Study
	known map[uint64]*point
	work  jobs.Point
	free  point // for points beyond maxKnown
}

// maxKnown bounds how many points are kept: some 100 bytes a factor each.
const maxKnown = 100_000

// point is what a row needs of a point.
type point struct {
	task, arm int
	cells     []cell // of factors
}

// cell is the value of one factor: nothing, a number or a text.
type cell struct {
	kind   kind
	number float64
	whole  int64
	text   string
	truth  bool
}

type kind uint8

const (
	absent kind = iota
	number
	whole
	words
	boolean
)

func newPoints(s *jobs.Study) *points {
	return &points{study: s, known: map[uint64]*point{}}
}

func (ps *points) at(i uint64) (*point, error) {
	if p, ok := ps.known[i]; ok {
		return p, nil
	}
	if err := ps.study.Resolve(i, &ps.work); err != nil {
		return nil, fmt.Errorf("point %d of study %q: %w", i, ps.study.Name, err)
	}
	p := &ps.free
	if len(ps.known) < maxKnown {
		p = new(point)
		ps.known[i] = p
	}
	p.task, p.arm = ps.work.Task, ps.work.Arm
	if p.cells == nil {
		p.cells = make([]cell, len(ps.study.Factors))
	}
	clear(p.cells)
	for k := range ps.work.Levels {
		l := &ps.work.Levels[k]
		p.cells[l.Factor] = newCell(l)
	}
	return p, nil
}

// newCell is a level as tables have it: its name, but a number where the name
// is nothing but the number itself.
func newCell(l *jobs.PointLevel) cell {
	switch v := l.Value.(type) {
	case float64:
		if l.Level < 0 || sameNumber(l.Name, v) {
			return cell{kind: number, number: v}
		}
	case int64:
		if l.Level < 0 || l.Name == strconv.FormatInt(v, 10) {
			return cell{kind: whole, whole: v}
		}
	case bool:
		if l.Name == strconv.FormatBool(v) {
			return cell{kind: boolean, truth: v}
		}
	}
	return cell{kind: words, text: l.Name}
}

func sameNumber(name string, v float64) bool {
	x, err := strconv.ParseFloat(name, 64)
	return err == nil && x == v
}

func (c *cell) put(t *Table) {
	switch c.kind {
	case absent:
		t.Null()
	case number:
		t.Float(c.number)
	case whole:
		t.Int(c.whole)
	case words:
		t.Text(c.text)
	case boolean:
		t.Bool(c.truth)
	}
}
