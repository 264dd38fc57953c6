package jobs

import "overnight/jobs/design"

// Sample says where a point of a design other than a grid or a list comes from;
// analyses of designs need it.
type Sample struct {
	Kind    string // of the part: "saltelli", "morris", ...
	Row     uint64 // of the part, for this arm; see design.SaltelliRow and design.MorrisRow
	Factors []int  // indices of Study.Factors that the part draws for this arm, in the order of its columns; read-only
	Stratum uint64 // tells the combinations of the other parts apart: within one, rows are one sample
	Second  bool   // saltelli: with second order

	// Changed is the index in Factors of the factor in which a row of morris differs
	// from the row before it, and a row of oat from row 0; -1 of a trajectory's first
	// row, of row 0, and in other designs. Step is by how much, where a factor's
	// lowest value is 0 and its highest 1.
	Changed int
	Step    float64
}

// Sample returns where a point comes from; ok is false where its arm has no factor
// in such a part. Of several parts it is that of kind saltelli or morris, else the
// first.
func (s *Study) Sample(point uint64) (sample Sample, ok bool) {
	if point >= s.layout.points {
		return Sample{}, false
	}
	p := s.layout.find(point)
	at := -1
	for i := range p.axes {
		if kind := p.axes[i].part.kind; computed(kind) && (at < 0 || !indexed(p.axes[at].part.kind) && indexed(kind)) {
			at = i
		}
	}
	if at < 0 {
		return Sample{}, false
	}
	digits := make([]uint64, len(p.radix))
	p.radix.Digits(point-p.first, digits)
	a := &p.axes[at]
	sample = Sample{Kind: a.part.kind, Row: digits[at], Factors: a.factors, Second: a.part.spec.Second, Changed: -1}
	for i, n := range digits {
		if i != at {
			sample.Stratum = sample.Stratum*p.radix[i] + n
		}
	}
	if steps, ok := a.draws.(design.Stepper); ok {
		sample.Changed, sample.Step = steps.Step(sample.Row)
	}
	return sample, true
}

// indexed tells whether a design is made for indices of sensitivity.
func indexed(kind string) bool { return kind == design.Saltelli || kind == design.Morris }
