package figure

import (
	"fmt"

	"overnight/results/report"
	"overnight/results/stats"
)

// Confirmed shows the points that `confirm` ran again, with the score by which
// each was chosen beside that of its fresh runs, a panel a task; false where there
// are none.
func Confirmed(m *report.Model) (Figure, bool) {
	f := Figure{ID: "confirmed", Title: "The best points, run again"}
	s, _ := read(m)
	rows := m.Confirmation().Rows()
	for task := range m.Study.Tasks {
		p := Panel{Name: s.on(task, ""), Kind: Intervals, X: Axis{Label: "point"}, Y: Axis{Label: s.label()}, Better: s.better()}
		chosen, again := Series{Name: "when chosen", Color: -1}, Series{Name: "confirmed", Color: 0}
		for _, r := range rows {
			if r.Task != s.taskName(task) {
				continue
			}
			p.X.Categories = append(p.X.Categories, fmt.Sprintf("%s (point %d)", s.describe(int(r.Point)), r.Point))
			chosen.score(&r.Selection)
			again.score(&r.Confirmed)
			if f.Caption == "" {
				f.Caption = fmt.Sprintf("%s was chosen with %s; fresh runs give %s.", p.X.Categories[0],
					report.Say(float64(r.Selection.Score), float64(r.Selection.Low), float64(r.Selection.High)),
					report.Say(float64(r.Confirmed.Score), float64(r.Confirmed.Low), float64(r.Confirmed.High)))
			}
		}
		if len(p.X.Categories) > 0 {
			p.Series = []Series{chosen, again}
			f.Panels = append(f.Panels, p)
		}
	}
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	f.Note = "Luck had a part in the choice, so the score when chosen is too good on average; the confirmed one is of runs that had none in it."
	return f, len(f.Panels) > 0
}

// score appends a score with its interval.
func (v *Series) score(of *report.Scored) {
	y, low, high := bounded(stats.Estimated{Value: float64(of.Score), Interval: stats.Interval{Low: float64(of.Low), High: float64(of.High)}})
	v.Y, v.Low, v.High = append(v.Y, y), append(v.Low, low), append(v.High, high)
	v.Text = append(v.Text, fmt.Sprintf("%s, %s", report.Say(float64(y), float64(low), float64(high)), plural(int(of.N), "run")))
}
