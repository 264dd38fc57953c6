package live

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/results"
)

// Leader is a point by its mean so far.
type Leader struct {
	Point  uint64         `json:"point"`
	Task   string         `json:"task"`
	Arm    string         `json:"arm"`
	Levels map[string]any `json:"levels,omitempty"`
	N      uint64         `json:"n"`
	Mean   float64        `json:"mean"`
	// Reference marks points of the oracle, which others are measured by.
	Reference bool `json:"reference,omitempty"`
}

// Describe fills in what the leader's point is.
func (l *Leader) Describe(s *jobs.Study) (err error) {
	l.Task, l.Arm, l.Levels, err = Describe(s, l.Point)
	_, arm := s.Pair(l.Point)
	l.Reference = err == nil && s.Oracle(arm)
	return err
}

// Objective returns the metric of which Leaders has means, and "maximize" or
// "minimize".
func (v *View) Objective() (metric, goal string) {
	if v.study.Objective.Minimize {
		return v.study.Objective.Metric, "minimize"
	}
	return v.study.Objective.Metric, "maximize"
}

// Leaders returns the best n points by the mean of the objective so far, the
// oracle's behind all others.
func (v *View) Leaders(n int) ([]Leader, error) {
	reference := func(p uint64) int {
		if v.study.Oracle(v.lines[v.lineOf[p]].arm) {
			return 1
		}
		return 0
	}
	better := func(a, b uint64) int {
		x, y := v.cells[a].mean, v.cells[b].mean
		if v.study.Objective.Minimize {
			x, y = y, x
		}
		return cmp.Or(cmp.Compare(reference(a), reference(b)), cmp.Compare(y, x), cmp.Compare(a, b))
	}
	best := make([]uint64, 0, n+1)
	for p := range uint64(len(v.cells)) {
		if v.cells[p].n == 0 || len(best) == n && better(p, best[n-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(best, p, better)
		best = slices.Insert(best, i, p)
		best = best[:min(len(best), n)]
	}
	list := make([]Leader, len(best))
	for i, p := range best {
		list[i] = Leader{Point: p, N: v.cells[p].n, Mean: v.cells[p].mean}
		if err := list[i].Describe(v.study); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Describe says what a point is: its task, its arm, and the level of each factor
// by the factor's name.
func Describe(s *jobs.Study, point uint64) (task, arm string, levels map[string]any, err error) {
	if point >= s.Points() {
		return "", "", nil, fmt.Errorf("point %d of %d", point, s.Points())
	}
	var pt jobs.Point
	if err := s.Resolve(point, &pt); err != nil {
		return "", "", nil, err
	}
	levels = map[string]any{}
	for _, l := range pt.Levels {
		var x any = l.Name
		switch value := l.Value.(type) {
		case bool, int64, string:
			x = value
		case float64:
			if !math.IsInf(value, 0) && value == value {
				x = value
			}
		}
		levels[s.Factors[l.Factor].Name] = x
	}
	return s.Tasks[pt.Task].Label, s.Arms[pt.Arm].Label, levels, nil
}

// maxFailing bounds how many failing points are kept.
const maxFailing = 10_000

// failed takes in the record of a trial that did not end well.
func (v *View) failed(r *results.Record) {
	f := v.failing[r.Point]
	if f == nil {
		if len(v.failing) == maxFailing {
			return
		}
		f = &Failure{Point: r.Point}
		v.failing[r.Point] = f
	}
	f.Trials++
	if f.Trials == 1 || r.Trial > f.Trial {
		f.Trial, f.Status, f.Error = r.Trial, r.Status.String(), firstLine(r.Error)
	}
}

// firstLine returns at most 300 characters of an error's first line.
func firstLine(s string) string {
	l, _, _ := strings.Cut(s, "\n")
	l = strings.ToValidUTF8(l, "\uFFFD")
	if r := []rune(l); len(r) > 300 {
		return string(r[:297]) + "..."
	}
	return l
}

// Failures returns n failing points, those whose last failure is the latest
// first, and how many points fail.
func (v *View) Failures(n int) (list []Failure, points int, err error) {
	all := make([]*Failure, 0, len(v.failing))
	for _, f := range v.failing {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *Failure) int { return cmp.Compare(b.Trial, a.Trial) })
	list = []Failure{}
	for _, f := range all[:min(n, len(all))] {
		c := *f
		if c.Task, c.Arm, c.Levels, err = Describe(v.study, c.Point); err != nil {
			return nil, 0, err
		}
		list = append(list, c)
	}
	return list, len(all), nil
}
