package figure

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"overnight/results/report"
	"overnight/results/stats"
)

// Chosen are trials of an arm that day-by-day pictures replay.
type Chosen struct {
	Task, Arm, Point int
	// Trials, by ascending score of the task's best learner; of the middle one a
	// single episode is shown.
	Trials []uint64
}

// Middle returns the trial of the replication with the median score.
func (c *Chosen) Middle() uint64 { return c.Trials[len(c.Trials)/2] }

// Choose picks what Days replays: on each task the environment's setting whose
// mean over arms is the median of all settings, and there each arm's best point.
// All arms play the same replications, so that with common random numbers they
// meet the same days: those at the middles of so many equal parts of the scores
// of the task's best learner (the median one for 1). Arms that don't run at the
// setting are left out. It depends on the records alone.
func Choose(m *report.Model, trials int) []Chosen {
	s, ok := read(m)
	if !ok || trials < 1 {
		return nil
	}
	var all []Chosen
	for task := range s.ofTasks {
		setting, ok := s.typical(task)
		if !ok {
			continue
		}
		first := len(all)
		var runs [][]float64
		var lead []float64
		for _, l := range s.ranked(task) {
			best := -1
			for k, p := range l.Points {
				if v := l.value[k]; s.setting(p) == setting && !math.IsNaN(v) && (best < 0 || m.Worse(l.value[best], v)) {
					best = k
				}
			}
			if best < 0 {
				continue
			}
			if lead == nil {
				lead = slices.Clone(l.runs[best])
			}
			all = append(all, Chosen{Task: task, Arm: l.Arm, Point: l.Points[best]})
			runs = append(runs, l.runs[best])
		}
		of := all[first:]
		common := slices.Clone(lead) // without the replications that an arm lacks
		for _, r := range runs {
			for i := range common {
				if math.IsNaN(r[i]) {
					common[i] = math.NaN()
				}
			}
		}
		for i := range of {
			from := common
			if len(stats.Present(common)) == 0 {
				from = runs[i]
			}
			for _, r := range spread(from, trials) {
				of[i].Trials = append(of[i].Trials, uint64(r)*m.Study.Points()+uint64(of[i].Point))
			}
		}
		slices.SortFunc(of, func(a, b Chosen) int { return a.Arm - b.Arm })
	}
	return all
}

// rankChosen returns what was made of chosen trials: learners first, by their
// score, the oracle last.
func rankChosen[T any](m *report.Model, all []T, of func(T) *Chosen) []T {
	score := func(c *Chosen) float64 { return stats.Statistic(m.Statistic()).Of(m.Scores([]int{c.Point})) }
	class := func(c *Chosen) int {
		switch {
		case c.Arm == oracle(m):
			return 2
		case !m.Learns(c.Point):
			return 1
		}
		return 0
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(x, y T) int {
		a, b := of(x), of(y)
		switch {
		case class(a) != class(b):
			return class(a) - class(b)
		case m.Worse(score(b), score(a)):
			return -1
		case m.Worse(score(a), score(b)):
			return 1
		}
		return 0
	})
	return all
}

// setting is the key of the levels of a point's environment factors.
func (s *study) setting(point int) string {
	var k []byte
	for f := range s.m.Study.Factors {
		if of := &s.m.Study.Factors[f]; of.Arm == "" && !of.Shared {
			k = binary.LittleEndian.AppendUint32(k, uint32(int32(s.m.Level(point, f).Number)))
		}
	}
	return string(k)
}

// typical returns the environment's setting on a task whose mean over arms is the
// median of those at which most arms run.
func (s *study) typical(task int) (string, bool) {
	type at struct {
		key   string
		arms  int
		means []float64
	}
	var settings []*at
	find := map[string]*at{}
	for _, i := range s.ofTasks[task] {
		l := &s.lines[i]
		of := map[string][]float64{}
		var order []string
		for k, p := range l.Points {
			if math.IsNaN(l.value[k]) {
				continue
			}
			key := s.setting(p)
			if of[key] == nil {
				order = append(order, key)
			}
			of[key] = append(of[key], l.value[k])
		}
		for _, key := range order {
			a := find[key]
			if a == nil {
				a = &at{key: key}
				find[key] = a
				settings = append(settings, a)
			}
			a.arms++
			if l.Arm != oracle(s.m) {
				a.means = append(a.means, stats.Mean(of[key]))
			}
		}
	}
	if len(settings) == 0 {
		return "", false
	}
	most := slices.MaxFunc(settings, func(a, b *at) int { return cmp.Compare(a.arms, b.arms) }).arms
	settings = slices.DeleteFunc(settings, func(a *at) bool { return a.arms < most })
	slices.SortStableFunc(settings, func(a, b *at) int { return cmp.Compare(stats.Mean(a.means), stats.Mean(b.means)) })
	return settings[(len(settings)-1)/2].key, true
}

// spread returns the replications at the middles of n equal parts of the scores,
// by ascending score, without repeats.
func spread(runs []float64, n int) []int {
	var order []int
	for r, v := range runs {
		if !math.IsNaN(v) {
			order = append(order, r)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(runs[a], runs[b]) })
	var out []int
	for i := range n {
		out = append(out, order[(2*i+1)*len(order)/(2*n)])
	}
	return slices.Compact(out)
}
