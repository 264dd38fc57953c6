package offpolicy

// model has the mean outcome of each action in each group so far.
type model struct {
	actions   int
	cells     []moments // [group][action]
	all       moments
	low, high float64 // of the outcomes, and 0
}

// moments are sums of outcomes.
type moments struct{ n, sum, squares float64 }

func newModel(groups, actions int) model {
	return model{actions: actions, cells: make([]moments, groups*actions)}
}

// predict writes the means for a group: those of the outcomes so far and, as if
// it were one more outcome, of the mean of all.
func (m *model) predict(group int, into []float64) {
	prior := 0.0
	if m.all.n > 0 {
		prior = m.all.sum / m.all.n
	}
	for i := range into {
		c := &m.cells[group*m.actions+i]
		into[i] = (c.sum + prior) / (c.n + 1)
	}
}

func (m *model) learn(d *Decision) {
	m.cells[d.Group*m.actions+d.Action].add(d.Outcome)
	m.all.add(d.Outcome)
	m.low, m.high = min(m.low, d.Outcome), max(m.high, d.Outcome)
}

func (s *moments) add(y float64) {
	s.n++
	s.sum += y
	s.squares += y * y
}

// guess returns a cell's first and second moment with z^2 outcomes more, half of
// them as low as any seen and half as high: of outcomes 0 and 1 the centre of
// Wilson's interval (Agresti and Coull 1998). It keeps a variance from being 0
// because nothing was seen yet.
func (m *model) guess(cell int, z float64) (mean, square float64) {
	c, more := &m.cells[cell], z*z
	mean = (c.sum + more*(m.low+m.high)/2) / (c.n + more)
	square = (c.squares + more*(m.low*m.low+m.high*m.high)/2) / (c.n + more)
	return mean, square
}
