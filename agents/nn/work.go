package nn

// Work counts the operations of a forward and a backward pass over rows 0 to
// rows-1: two a product, zeros and idle ReLUs left out.
func (n *Net[T]) Work(t *Tape[T], rows int) (forward, backward int) {
	if n.kernels != nil {
		for i := range n.layers {
			t.acts[i].list(rows)
		}
	}
	for i := range n.layers {
		l, in, out := &n.layers[i], &t.acts[i], &t.acts[i+1]
		for r := range rows {
			forward += 2 * int(in.counts[r]) * l.out
			backward += 2 * int(in.counts[r]) * l.out
			if i > 0 {
				backward += 2 * int(out.counts[r]) * l.in
			}
		}
	}
	return forward, backward
}
