package jobs

// Block is a stretch of points of one task and arm: what costs much the same.
type Block struct {
	Task, Arm int
	To        uint64 // its first point is the To of the block before
}

// Blocks returns the stretches of points in order.
func (s *Study) Blocks() []Block {
	l := s.layout
	out := make([]Block, len(l.pairs))
	for i, p := range l.pairs {
		out[i] = Block{Task: p.task, Arm: p.arm, To: l.points}
		if i > 0 {
			out[i-1].To = p.first
		}
	}
	return out
}
