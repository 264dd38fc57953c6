package stopping

import (
	"cmp"
	"math"
	"slices"
)

// candidates marks the points that may be confirmed.
func (o *Outcome) candidates() {
	s := o.study
	o.running = make([]uint64, len(s.Tasks))
	from := uint64(0)
	for _, b := range s.Blocks() {
		if s.CanConfirm(b.Arm) {
			o.running[b.Task] += b.To - from
			for i := from; i < b.To; i++ {
				o.at[i].candidate = true
			}
		}
		from = b.To
	}
}

// known notes that a candidate's score is known, and chooses the points of its
// task to confirm once all are.
func (o *Outcome) known(i uint64) {
	task, _ := o.study.Pair(i)
	if o.running[task]--; o.running[task] > 0 {
		return
	}
	best := o.best(task)
	o.chosen = append(o.chosen, best...)
	slices.Sort(o.chosen)
	for _, p := range best {
		o.confirm(p)
		for _, ref := range o.along.of(p) {
			o.confirm(uint64(ref))
		}
	}
}

// best returns the top candidates of a task by their scores, ascending. Of equal
// ones the first is better; one without a score is not among them.
func (o *Outcome) best(task int) []uint64 {
	var list []uint64
	from := uint64(0)
	for _, b := range o.study.Blocks() {
		for i := from; b.Task == task && i < b.To; i++ {
			if p := &o.at[i]; p.candidate && !math.IsNaN(p.score) {
				list = append(list, i)
			}
		}
		from = b.To
	}
	slices.SortStableFunc(list, func(a, b uint64) int {
		c := cmp.Compare(o.at[b].score, o.at[a].score)
		if o.study.Objective.Minimize {
			c = -c
		}
		return c
	})
	return list[:min(uint64(len(list)), o.study.Confirm.Top)]
}

// confirm makes a point want its further replications.
func (o *Outcome) confirm(i uint64) {
	if p := &o.at[i]; !p.confirmed {
		p.confirmed = true
		o.want(i, o.last, o.last+o.study.Confirm.Replications)
	}
}

// toConfirm returns how many trials of confirmation may yet be wanted.
func (o *Outcome) toConfirm() (n uint64) {
	for _, left := range o.running {
		if left > 0 {
			n += min(o.study.Confirm.Top, o.study.Points()) * o.eachRun
		}
	}
	return n
}
