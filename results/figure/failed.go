package figure

import (
	"fmt"
	"math"

	"overnight/results/report"
)

// maxFailedPoints is how many points a panel of Failed names.
const maxFailedPoints = 30

// Failed shows the points at which trials failed, died, ran over a limit or are
// missing, in counts; false where all have a result.
func Failed(m *report.Model) (Figure, bool) {
	f := Figure{ID: "failed", Title: "Failed and missing trials"}
	type bad struct {
		point int
		report.Ended
	}
	var points []bad
	arms := make([]report.Ended, len(m.Study.Arms))
	lines := m.Lines()
	for _, l := range lines {
		for _, p := range l.Points {
			e := m.Ended(p)
			arms[l.Arm] = arms[l.Arm].Plus(e)
			if e.Broken()+e.Missing > 0 {
				points = append(points, bad{p, e})
			}
		}
	}
	if lines == nil {
		for i, r := range m.ArmTable().Rows() {
			if i < len(arms) {
				arms[i] = report.Ended{Failed: r.Failed, Dead: r.Dead, Overrun: r.Overrun, Missing: r.Missing}
			}
		}
	}
	var total report.Ended
	for _, e := range arms {
		total = total.Plus(e)
	}
	if total.Broken()+total.Missing == 0 {
		return f, false
	}
	kinds := func(of []report.Ended) []Series {
		var out []Series
		for i, name := range []string{"failed", "dead", "overrun", "missing"} {
			v, some := Series{Name: name, Color: []int{1, 3, 4, -1}[i]}, false
			for _, e := range of {
				n := []uint64{e.Failed, e.Dead, e.Overrun, e.Missing}[i]
				if n == 0 {
					v.Y = append(v.Y, Num(math.NaN()))
					continue
				}
				v.Y, some = append(v.Y, Num(n)), true
			}
			if some {
				out = append(out, v)
			}
		}
		return out
	}
	p := Panel{Name: "by arm", Kind: Bars, X: Axis{Label: "arm"}, Y: Axis{Label: "trials"}, Series: kinds(arms), Better: "low"}
	for _, a := range m.Study.Arms {
		p.X.Categories = append(p.X.Categories, a.Label)
	}
	f.Panels = append(f.Panels, p)
	if len(points) > 0 {
		p := Panel{Name: "by point", Kind: Bars, X: Axis{Label: "point"}, Y: Axis{Label: "trials"}, Better: "low"}
		var of []report.Ended
		for _, b := range points[:min(len(points), maxFailedPoints)] {
			p.X.Categories = append(p.X.Categories, fmt.Sprintf("%s (point %d)", m.Describe(b.point), b.point))
			of = append(of, b.Ended)
		}
		p.Series = kinds(of)
		f.Panels = append(f.Panels, p)
		if len(points) > maxFailedPoints {
			f.Note = fmt.Sprintf("The first %d of %d such points.", maxFailedPoints, len(points))
		}
	}
	f.Caption = fmt.Sprintf("Of %d planned trials %s", m.Tally.Planned, total.Lost())
	if n := len(points); n > 0 {
		f.Caption += fmt.Sprintf(", at %d of %d points", n, m.Study.Points())
	}
	f.Caption += ". No other picture has them."
	if len(m.Failures) > 0 {
		f.Caption += fmt.Sprintf(" The first error, of trial %d: %s.", m.Failures[0].Trial, m.Failures[0].Error)
	}
	return f, true
}
