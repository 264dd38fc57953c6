package figure

import (
	"context"
	"fmt"
	"math"
	"slices"

	"overnight/envs"
)

// sendColumns says where a trace has what the pictures of sends are made of.
type sendColumns struct {
	names                  []string // of the actions
	converted, caused, gap int
	best                   int   // -1: none
	rates                  []int // of each action; -1: none
	context                []int // levels that tell recipients apart
	horizon                int
}

// sendsOf finds the columns: "converted", "caused", "gap", "best" and "rate." of
// each action. It returns nil where actions are not discrete, outcomes are not
// credited, or the trace lacks any of the first three.
func sendsOf(s *envs.Spec) *sendColumns {
	at := func(name string) int { return slices.Index(s.Trace, name) }
	c := &sendColumns{converted: at("converted"), caused: at("caused"), gap: at("gap"), best: at("best"), horizon: s.Horizon}
	if s.Action.Kind != envs.Discrete || !s.Credited || min(c.converted, c.caused, c.gap) < 0 || s.Horizon < 2 {
		return nil
	}
	for i := range s.Action.N {
		name := fmt.Sprint(i)
		if i < len(s.Action.Names) {
			name = s.Action.Names[i]
		}
		c.names = append(c.names, name)
		c.rates = append(c.rates, at("rate."+name))
	}
	for _, f := range s.Observation {
		if i := at(f.Name); i >= 0 && f.Levels > 0 && f.Name != "recipient" {
			c.context = append(c.context, i)
		}
	}
	return c
}

// rate is that of an action in a step's trace, 0 of one that converts nobody.
func (c *sendColumns) rate(trace []float64, action int) float64 {
	if c.rates[action] < 0 {
		return 0
	}
	return trace[c.rates[action]]
}

// nicePlaces returns about 25 places of a run of h sends: 1, 1.5, 2, 3, 4, 5, 6
// and 8 times powers of ten, and h.
func nicePlaces(h int) []int {
	var all []int
	for unit := 1.0; unit <= float64(h); unit *= 10 {
		for _, k := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
			if v := k * unit; v == math.Trunc(v) && int(v) < h {
				all = append(all, int(v))
			}
		}
	}
	all = all[max(0, len(all)-24):]
	return append(all, h)
}

// linePlaces returns the places of a line over a run of h sends: those of the
// slider, so that lines end there, others at even distances, and the start of the
// last decade.
func linePlaces(h int) []int {
	all := append(nicePlaces(h), max(h/10, 1))
	for i := 1; i <= 80; i++ {
		all = append(all, max(i*h/80, 1))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// sentRun is a run's sums by place.
type sentRun struct {
	converted, caused, gaps []float64
	rates                   []float64 // at its first send
}

// sent is what is kept of an arm's replayed runs.
type sent struct {
	Chosen
	*sendColumns
	places []int // of lines
	slider []int // of bars and dots
	runs   []sentRun

	// Of the run with the median score:
	sends, conversions [][]float64 // by place of the slider, then action
	mean               []float64   // rate of each action, mean over the run
	moves              bool        // rates change, for the same context
	vetoed             bool        // the action with the highest rate may not be taken
	money              bool        // conversions are not worth 1 each
	beliefs            []belief
}

// belief is what an agent believed before a send.
type belief struct {
	send                   int // counted from 1
	context                string
	mean, low, high, rates []float64
}

// resend plays an arm's runs.
func resend(ctx context.Context, c Chosen, play Play) (*sent, error) {
	s := &sent{Chosen: c}
	for _, trial := range c.Trials {
		var w *sendWatch
		want := Wanted{Episodes: 1}
		if trial == c.Middle() {
			want.Beliefs = func(step int) bool { return w.asks(step) }
		}
		err := play(ctx, trial, want, func(spec *envs.Spec) error {
			of := sendsOf(spec)
			if of == nil {
				return fmt.Errorf("it has other columns than a run before it")
			}
			if s.sendColumns == nil {
				s.sendColumns, s.places, s.slider = of, linePlaces(of.horizon), nicePlaces(of.horizon)
			}
			w = &sendWatch{of: s, middle: trial == c.Middle(), first: map[string][]float64{}}
			return nil
		}, func(step Step) error {
			if step.Step&1023 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			w.add(&step)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("replay trial %d: %w", trial, err)
		}
		w.close()
		s.runs = append(s.runs, w.run)
	}
	return s, nil
}

// sendWatch takes a run in, send by send.
type sendWatch struct {
	of     *sent
	middle bool
	run    sentRun
	n      int // sends so far

	converted, caused, gaps float64
	place, slide            int // the next ones
	sends, conversions      []float64
	first                   map[string][]float64 // rates of a context when it was first met
	sum                     []float64            // of rates
	key                     []byte
}

// manyBeliefs is how often beliefs are asked for where recipients differ: what is
// kept is of one kind of recipient.
const manyBeliefs = 10_000

// asks tells at which steps beliefs are wanted.
func (w *sendWatch) asks(step int) bool {
	if len(w.of.context) > 0 {
		return step%(w.of.horizon/manyBeliefs+1) == 0
	}
	_, ok := slices.BinarySearch(w.of.places, step+1)
	return ok
}

func (w *sendWatch) add(step *Step) {
	s := w.of
	w.n++
	converted := step.Trace[s.converted]
	w.converted += converted
	w.caused += step.Trace[s.caused]
	w.gaps += step.Trace[s.gap]
	if w.n == 1 {
		w.run.rates = s.ratesAt(step.Trace)
	}
	if w.middle {
		w.look(step, int(step.Action[0]), converted)
	}
	if w.place < len(s.places) && w.n == s.places[w.place] {
		w.place++
		w.run.converted = append(w.run.converted, w.converted)
		w.run.caused = append(w.run.caused, w.caused)
		w.run.gaps = append(w.run.gaps, w.gaps)
	}
}

func (c *sendColumns) ratesAt(trace []float64) []float64 {
	rates := make([]float64, len(c.names))
	for i := range rates {
		rates[i] = c.rate(trace, i)
	}
	return rates
}

// look takes in what is kept of one run alone.
func (w *sendWatch) look(step *Step, action int, converted float64) {
	s := w.of
	if w.sends == nil {
		w.sends, w.conversions, w.sum = make([]float64, len(s.names)), make([]float64, len(s.names)), make([]float64, len(s.names))
	}
	w.sends[action]++
	w.conversions[action] += converted
	s.money = s.money || converted > 0 && step.Trace[s.caused] != 1
	w.key = w.key[:0]
	for _, c := range s.context {
		w.key = append(w.key, byte(step.Trace[c]))
	}
	first, known := w.first[string(w.key)]
	if !known {
		first = s.ratesAt(step.Trace)
		w.first[string(w.key)] = first
	}
	best := math.Inf(1)
	if s.best >= 0 {
		best = s.rate(step.Trace, int(step.Trace[s.best]))
	}
	for i := range w.sum {
		rate := s.rate(step.Trace, i)
		w.sum[i] += rate
		s.moves = s.moves || rate != first[i]
		s.vetoed = s.vetoed || rate > best
	}
	if step.Mean != nil {
		s.beliefs = append(s.beliefs, belief{send: w.n, context: string(w.key), rates: s.ratesAt(step.Trace),
			mean: slices.Clone(step.Mean), low: slices.Clone(step.Low), high: slices.Clone(step.High)})
	}
	if w.slide < len(s.slider) && w.n == s.slider[w.slide] {
		w.slide++
		s.sends, s.conversions = append(s.sends, slices.Clone(w.sends)), append(s.conversions, slices.Clone(w.conversions))
	}
}

// close ends a run.
func (w *sendWatch) close() {
	if !w.middle || w.n == 0 {
		return
	}
	for i := range w.sum {
		w.sum[i] /= float64(w.n)
	}
	w.of.mean = w.sum
}
