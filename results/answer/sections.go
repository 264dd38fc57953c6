package answer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"

	"overnight/results"
	"overnight/results/figure"
	"overnight/results/page"
	"overnight/results/report"
	"overnight/results/stats"
)

// maxTableRows bounds the rows of a table in the page.
const maxTableRows = 200

// drawn is what a builder of package figure returns.
func drawn(f figure.Figure, ok bool) []figure.Figure {
	if !ok {
		return nil
	}
	return []figure.Figure{f}
}

// sections lays out the page, from the answer to the details. A section without
// anything to show is left out.
func (b *builder) sections(ctx context.Context) error {
	m := b.Model
	runs, counted, err := b.read(ctx)
	if err != nil {
		return err
	}
	sends, days, err := b.again(ctx)
	if err != nil {
		return err
	}
	for _, lay := range []func(){
		func() { b.doc.Lead = append(drawn(figure.KPI(m, runs, counted)), drawn(figure.Arms(m, b.arms))...) },
		func() { b.comparison(ctx) },
		func() { b.add("sends", "Send by send", again, sends) },
		b.repeats,
		func() { b.add("learning", "How they learn", "", figure.Learning(runs), b.speeds(runs)...) },
		func() { b.factors(runs) },
		b.sensitivity,
		b.points,
		func() { b.add("days", "Day by day", again, days) },
		b.unplayed,
		b.failures,
	} {
		if ctx.Err() != nil {
			break
		}
		lay()
	}
	return ctx.Err()
}

// again draws what trials show that are run again, or notes why there is nothing.
func (b *builder) again(ctx context.Context) (sends, days []figure.Figure, err error) {
	if b.Play == nil || b.Model.Tally.Done == 0 {
		return nil, nil, nil
	}
	sends, days, err = figure.Again(ctx, b.Model, b.Play)
	var not *figure.Unplayed
	if errors.As(err, &not) {
		b.Unplayed = not.Why
		return nil, nil, nil
	}
	return sends, days, err
}

// unplayed says which pictures are left out, why, and how to have them.
func (b *builder) unplayed() {
	if b.Unplayed == "" || b.Model.Tally.Done == 0 {
		return
	}
	name := b.Model.Study.Name
	b.doc.Sections = append(b.doc.Sections, page.Section{ID: "unplayed", Title: "What agents did", Text: []string{
		fmt.Sprintf("Pictures of what agents did are left out, since logs are not stored and %s. On the command line overnight report %s -o %s.html makes them.", b.Unplayed, name, name),
	}})
}

// again says where pictures of replayed trials are from.
const again = "Logs are not stored: a few trials an arm were run again for these pictures."

// read collects from the records what the model does not keep, and has a model of
// each metric that figure.KPI counts.
func (b *builder) read(ctx context.Context) (*figure.Runs, []*report.Model, error) {
	runs := figure.NewRuns(b.Model)
	if b.Records == nil {
		return runs, nil, nil
	}
	var counted []*report.Model
	all := b.watched(ctx, runs) // for the first model, so that records are read once
	if b.Model.Study.Trials() <= report.MaxTrials {
		for _, metric := range figure.CountedMetrics(b.Model.Study) {
			m, err := report.Build(b.Model.Study, all, report.Options{Metric: metric})
			if err != nil {
				return nil, nil, err
			}
			counted, all = append(counted, m), b.Records
		}
	}
	if len(counted) > 0 {
		return runs, counted, nil
	}
	for _, err := range all {
		if err != nil && !errors.Is(err, results.ErrDamaged) { // those are counted by the model
			return nil, nil, fmt.Errorf("read records: %w", err)
		}
	}
	return runs, nil, nil
}

// watched yields the records and adds them to runs on the way.
func (b *builder) watched(ctx context.Context, runs *figure.Runs) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for r, err := range b.Records {
			switch {
			case ctx.Err() != nil:
				yield(r, ctx.Err())
				return
			case err == nil:
				runs.Add(&r)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// add appends a section, unless there is nothing in it.
func (b *builder) add(id, title, text string, figures []figure.Figure, tables ...page.Table) {
	if len(figures) == 0 && len(tables) == 0 {
		return
	}
	s := page.Section{ID: id, Title: title, Figures: figures, Tables: tables}
	if text != "" {
		s.Text = []string{text}
	}
	b.doc.Sections = append(b.doc.Sections, s)
}

// table turns one of report's tables into one of the page.
func table(id string, t report.Table, all bool) (page.Table, bool) {
	s := report.SheetOf(t, all)
	p := page.Table{ID: id, Caption: s.Title, Rows: s.Rows, Notes: s.Notes}
	for _, c := range s.Columns {
		p.Columns = append(p.Columns, page.Column{Name: c.Name, Number: c.Number})
	}
	if len(p.Rows) > maxTableRows {
		p.Notes = append(p.Notes, fmt.Sprintf("The first %d of %d rows.", maxTableRows, len(p.Rows)))
		p.Rows = p.Rows[:maxTableRows]
	}
	return p, len(p.Rows) > 0
}

func tables(list ...page.Table) []page.Table { return list }

// comparison shows who does better, arm beside arm.
func (b *builder) comparison(ctx context.Context) {
	m := b.Model
	if m.Tally.Done == 0 {
		return
	}
	var list []page.Table
	if t, ok := table("arms-table", b.arms, true); ok {
		list = append(list, t)
	}
	if m.Baseline() >= 0 {
		if c, err := m.Compare(report.CompareOptions{Stop: ctx.Err}); err == nil {
			if t, ok := table("compare-table", c, true); ok {
				list = append(list, t)
			}
		}
	}
	b.add("arms", "Who does better", "", drawn(figure.Profiles(m)), list...)
}

// repeats shows where replications stopped, and the points that were run again to
// confirm them.
func (b *builder) repeats() {
	m := b.Model
	var list []page.Table
	if c := m.Confirmation(); len(c.Rows()) > 0 {
		if t, ok := table("confirmation-table", c, true); ok {
			list = append(list, t)
		}
	}
	if lines := m.StoppingLines(); len(lines) > 0 {
		if t, ok := table("stopping-table", m.Precision(), true); ok {
			t.Notes = append(t.Notes, lines[1:]...) // the table's own notes have the first
			list = append(list, t)
		}
	}
	b.add("repeats", "How far to trust the best, and when runs were enough", "", drawn(figure.Confirmed(m)), list...)
}

// factors shows what each factor does.
func (b *builder) factors(runs *figure.Runs) {
	m := b.Model
	var figs []figure.Figure
	figs = append(figs, drawn(figure.Effects(m))...)
	figs = append(figs, drawn(figure.Lost(m, runs))...)
	figs = append(figs, drawn(figure.Heat(m))...)
	figs = append(figs, drawn(figure.Slices(m))...)
	figs = append(figs, drawn(figure.Contours(m))...)
	b.add("factors", "Factors, one and two at a time", "", figs)
}

// sensitivity shows which factors matter, and how much is luck.
func (b *builder) sensitivity() {
	if b.sens == nil {
		return
	}
	var list []page.Table
	if t, ok := table("sensitivity-table", b.sens, true); ok {
		list = tables(t)
	}
	b.add("sensitivity", "What matters, and how much is luck", "", figure.Sensitivity(b.Model, b.sens), list...)
}

// points shows every point, or the best of many.
func (b *builder) points() {
	m := b.Model
	if m.Tally.Done == 0 {
		return
	}
	var list []page.Table
	if t, err := m.PointTable(); err == nil {
		if t, ok := table("points-table", t, m.Study.Points() <= maxTableRows); ok {
			list = append(list, t)
		}
	}
	b.add("points", "Point by point", "", drawn(figure.ParallelCoordinates(m)), list...)
}

// failures shows what went wrong, if anything did.
func (b *builder) failures() {
	lines := b.Model.Troubles()
	if len(lines) == 0 {
		return
	}
	b.doc.Sections = append(b.doc.Sections, page.Section{ID: "failures", Title: "What failed or is missing", Text: lines, Figures: drawn(figure.Failed(b.Model))})
}

// speeds is the table of how high and how fast arms learn.
func (b *builder) speeds(runs *figure.Runs) []page.Table {
	rows := figure.Speeds(runs)
	if len(rows) == 0 {
		return nil
	}
	m := b.Model
	t := page.Table{
		ID: "learning-table", Caption: "How high and how fast they learn: " + map[string]string{
			figure.EvaluationCurve: "returns of the evaluations along the way", figure.TrainingCurve: "returns of training episodes, with exploration in them"}[rows[0].Curve],
		Columns: []page.Column{{Name: "arm"}, {Name: "mean height", Number: true}, {Name: "at the end", Number: true}, {Name: "replications above the baseline", Number: true}, {Name: "episodes until then, median", Number: true}},
		Notes: []string{
			"Mean height: the area under the curve over its length, so level and speed in one number. All points of a replication are taken together.",
		},
	}
	if len(m.Study.Tasks) > 1 {
		t.Columns = append([]page.Column{{Name: "task"}}, t.Columns...)
	}
	if m.Baseline() >= 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Above the baseline: the mean curve of a replication reaches the mean final return of %s. A replication that never does counts as later than all others; intervals of the median are between order statistics.", m.Study.Baseline))
	}
	for _, r := range rows {
		say := func(e stats.Estimated) string { return report.Say(e.Value, e.Low, e.High) }
		cells := []string{m.Study.Arms[r.Arm].Label, say(r.Height), say(r.Last), "-", "-"}
		if r.To.Runs > 0 {
			cells[3] = fmt.Sprintf("%d of %d", r.To.Reached, r.To.Runs)
			if cells[4] = strings.ReplaceAll(say(r.To.Median), "+Inf", "never"); math.IsInf(r.To.Median.Value, 1) {
				cells[4] = "more than half never"
			}
		}
		if len(m.Study.Tasks) > 1 {
			cells = append([]string{m.Study.Tasks[r.Task].Label}, cells...)
		}
		t.Rows = append(t.Rows, cells)
	}
	return []page.Table{t}
}
