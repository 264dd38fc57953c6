package jobs

import (
	"fmt"
	"strings"

	"overnight/jobs/design"
)

// String describes a design on one line: "saltelli: 1024 base samples, second
// order".
func (d *Design) String() string {
	if d.Kind == CrossedDesign {
		parts := make([]string, len(d.Parts))
		for i := range d.Parts {
			parts[i] = d.Parts[i].String()
		}
		return strings.Join(parts, " x ")
	}
	text := d.Kind
	if len(d.Of) > 0 {
		text += " of " + enumerate(d.Of, 8)
	}
	switch {
	case d.Kind == design.Saltelli:
		text += fmt.Sprintf(": %d base samples", d.Points)
		if d.Second {
			text += ", second order"
		}
	case d.Kind == design.Morris:
		text += fmt.Sprintf(": %d trajectories, %d levels of a range", d.Points, d.Levels)
	case d.Kind == ListDesign:
		text += fmt.Sprintf(": %d rows", len(d.Rows))
	case drawn(d.Kind):
		text += fmt.Sprintf(": %d points", d.Points)
	}
	return text
}

// Notes says what is allowed in the study and better otherwise; `validate` shows
// it.
func (s *Study) Notes() (notes []string) {
	if t := s.Stopping; t != nil && t.CheckAt[0] < FewReplications {
		notes = append(notes, fmt.Sprintf("replications from %d on: intervals of points that stop below %d replications cover less than they say, most of all where scores are skewed; min: 20 to 30 is safer", t.CheckAt[0], FewReplications))
	}
	note := func(d *Design) {
		if n := d.Points; (d.Kind == design.Sobol || d.Kind == design.Saltelli) && n&(n-1) != 0 {
			low := uint64(1)
			for 2*low < n {
				low *= 2
			}
			notes = append(notes, fmt.Sprintf("design %s of %d points: a Sobol sequence is balanced at powers of two, such as %d or %d", d.Kind, n, low, 2*low))
		}
	}
	note(&s.Design)
	for i := range s.Design.Parts {
		note(&s.Design.Parts[i])
	}
	return notes
}
