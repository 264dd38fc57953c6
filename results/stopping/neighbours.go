package stopping

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"overnight/jobs"
)

// neighbours says which points of one arm stand beside each point of the others:
// the same task, and the same level of every shared and environment factor that
// both have.
type neighbours struct {
	group  []int32   // by point; -1: nothing stands beside it
	groups []group   // of points that have the same beside them
	serves [][]int32 // by point of the arm from first on, the groups it stands beside
	first  []span    // the arm's points
}

// group is refs, points of the arm, and users, the points that they stand beside.
// What is judged by it is kept by group: of two arms with factors of their own
// alone, every point stands beside every other.
type group struct {
	refs, users []uint32

	open  uint32 // users that may go on
	stage uint8  // which refs were asked for
	crowd *crowd // nil of one ref: there may be millions of these
}

// crowd is what is kept of several refs.
type crowd struct {
	reached []uint32  // by stage, how many refs have a record of all replications before it
	means   []float64 // over refs, of the first replications
}

// span is points of the arm, and where they begin in serves.
type span struct{ from, to, at uint64 }

// of returns the points beside a point.
func (n *neighbours) of(i uint64) []uint32 {
	if g := n.groupOf(i); g != nil {
		return g.refs
	}
	return nil
}

// groupOf returns the group of which a point is a user, nil for none.
func (n *neighbours) groupOf(i uint64) *group {
	if n == nil || n.group[i] < 0 {
		return nil
	}
	return &n.groups[n.group[i]]
}

// judge begins to keep what points are judged by, and calls serve with the refs of
// each group that has users.
func (n *neighbours) judge(stages int, serve func(ref uint32)) {
	if n == nil {
		return
	}
	for i := range n.groups {
		g := &n.groups[i]
		if g.open = uint32(len(g.users)); g.open == 0 {
			continue
		}
		if len(g.refs) > 1 {
			g.crowd = &crowd{reached: make([]uint32, stages)}
		}
		for _, ref := range g.refs {
			serve(ref)
		}
	}
}

// served yields the groups with users that have a point among their refs.
func (n *neighbours) served(i uint64) iter.Seq[*group] {
	return func(yield func(*group) bool) {
		if n == nil {
			return
		}
		for _, s := range n.first {
			if i < s.from || i >= s.to {
				continue
			}
			for _, g := range n.serves[s.at+i-s.from] {
				if len(n.groups[g].users) > 0 && !yield(&n.groups[g]) {
					return
				}
			}
		}
	}
}

// reach notes that a point has reached a stage.
func (n *neighbours) reach(i uint64, stage int) {
	for g := range n.served(i) {
		if g.crowd != nil {
			g.crowd.reached[stage]++
		}
	}
}

// users calls fn with the points that a point stands beside, where all that stand
// there have reached a stage.
func (n *neighbours) users(i uint64, stage int, fn func(uint64)) {
	for g := range n.served(i) {
		if g.crowd != nil && int(g.crowd.reached[stage]) < len(g.refs) {
			continue
		}
		for _, u := range g.users {
			fn(uint64(u))
		}
	}
}

// most returns how many points stand beside one at most.
func (n *neighbours) most() (most uint64) {
	if n == nil {
		return 0
	}
	for i := range n.groups {
		most = max(most, uint64(len(n.groups[i].refs)))
	}
	return most
}

// meet finds the points of the arm with a label that stand beside others; nil for
// the label "". It resolves every point, which takes about a microsecond each.
func meet(s *jobs.Study, label string) (*neighbours, error) {
	if label == "" {
		return nil, nil
	}
	arm := slices.IndexFunc(s.Arms, func(a jobs.Arm) bool { return a.Label == label })
	n := &neighbours{group: slices.Repeat([]int32{-1}, int(s.Points()))}
	type stretch struct {
		jobs.Block
		from uint64
	}
	var blocks []stretch
	from := uint64(0)
	for _, b := range s.Blocks() {
		blocks = append(blocks, stretch{b, from})
		from = b.To
	}
	var p jobs.Point
	for _, ref := range blocks {
		if ref.Arm != arm {
			continue
		}
		at := uint64(len(n.serves))
		n.first = append(n.first, span{ref.from, ref.To, at})
		n.serves = append(n.serves, make([][]int32, ref.To-ref.from)...)
		for _, b := range blocks {
			if b.Task != ref.Task || b.Arm == arm {
				continue
			}
			factors, err := common(s, ref.from, b.from)
			if err != nil {
				return nil, err
			}
			number := map[string]int32{}
			for i := ref.from; i < ref.To; i++ {
				if err := resolve(s, i, &p); err != nil {
					return nil, err
				}
				k := key(&p, factors)
				g, ok := number[k]
				if !ok {
					g = int32(len(n.groups))
					number[k] = g
					n.groups = append(n.groups, group{})
				}
				n.groups[g].refs = append(n.groups[g].refs, uint32(i))
				n.serves[at+i-ref.from] = append(n.serves[at+i-ref.from], g)
			}
			for i := b.from; i < b.To; i++ {
				if err := resolve(s, i, &p); err != nil {
					return nil, err
				}
				if g, ok := number[key(&p, factors)]; ok {
					n.group[i] = g
					n.groups[g].users = append(n.groups[g].users, uint32(i))
				}
			}
		}
	}
	return n, nil
}

func resolve(s *jobs.Study, i uint64, p *jobs.Point) error {
	if err := s.Resolve(i, p); err != nil {
		return fmt.Errorf("point %d of study %s: %w", i, s.Name, err)
	}
	return nil
}

// common returns the factors, not an arm's own, that two points both have. They
// are the same at all points of a task and an arm.
func common(s *jobs.Study, a, b uint64) ([]int, error) {
	var p, q jobs.Point
	if err := resolve(s, a, &p); err != nil {
		return nil, err
	}
	if err := resolve(s, b, &q); err != nil {
		return nil, err
	}
	var both []int
	for _, l := range p.Levels {
		if s.Factors[l.Factor].Arm == "" && slices.ContainsFunc(q.Levels, func(m jobs.PointLevel) bool { return m.Factor == l.Factor }) {
			both = append(both, l.Factor)
		}
	}
	return both, nil
}

// key is equal where a point has the same levels of factors, which ascend.
func key(p *jobs.Point, factors []int) string {
	var k []byte
	for _, l := range p.Levels {
		if _, ok := slices.BinarySearch(factors, l.Factor); !ok {
			continue
		}
		k = binary.AppendVarint(k, int64(l.Level))
		if l.Level < 0 {
			k = append(append(k, l.Name...), 0)
		}
	}
	return string(k)
}
