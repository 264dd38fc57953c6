package figure

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"overnight/envs"
	"overnight/results/stats"
)

// Step is one step of a replayed episode. Its slices are valid during the call
// that gets it only.
type Step struct {
	Episode uint64
	Step    int
	Action  []float64 // the values, or the index alone for discrete actions
	Reward  float64
	Trace   []float64 // in the order of the spec's Trace; nil without one
	// What the agent believed of each discrete action before the step: an estimate
	// and a range around it, NaN where nothing is known; nil where it has none.
	Mean, Low, High []float64
}

// Wanted says what a Play shows of a trial.
type Wanted struct {
	Episodes uint64 // at most
	// Beliefs tells at which steps Mean, Low and High are wanted. Nil: at none.
	Beliefs func(step int) bool
}

// Play trains a trial's agent again and plays episodes of its final evaluation,
// greedily, or its one learning run where the study is online: begin gets the
// environment's spec once, then step every step.
type Play func(ctx context.Context, trial uint64, want Wanted, begin func(*envs.Spec) error, step func(Step) error) error

// maxDays is how many places a day-by-day curve has at most; longer episodes are
// shown in stretches.
const maxDays = 365

// played is what is kept of an arm's replayed episodes.
type played struct {
	Chosen
	episodes int

	channels []string // of the allocation; nil where there is none
	share    []int    // columns of the trace, or of the action
	traced   bool
	discrete bool
	effect   []int // columns of effectiveness, one a channel; nil
	spend    []int
	landed   int // -1: none

	rewards [][]float64 // by episode and day
	returns [][]float64 // (landed - spend) / spend by episode and day
	shares  [][]float64 // by channel and day: of the shown episode, of discrete actions the mean
	effects [][]float64
	corrs   [][]float64 // by channel and episode

	now struct{ share, effect [][]float64 } // of the current episode, by channel and day
}

// replay plays an arm's trials.
func replay(ctx context.Context, c Chosen, play Play, episodes uint64) (*played, error) {
	p := &played{Chosen: c, landed: -1}
	for _, trial := range c.Trials {
		last := uint64(math.MaxUint64)
		err := play(ctx, trial, Wanted{Episodes: episodes}, func(s *envs.Spec) error {
			if p.rewards == nil {
				p.layout(s)
			}
			return nil
		}, func(s Step) error {
			if s.Episode != last {
				p.close(trial)
				last = s.Episode
				p.rewards, p.returns = append(p.rewards, nil), append(p.returns, nil)
			}
			p.add(&s)
			return nil
		})
		p.close(trial)
		if err != nil {
			return nil, fmt.Errorf("replay trial %d: %w", trial, err)
		}
	}
	p.episodes = len(p.rewards)
	for i := range p.shares {
		for d := range p.shares[i] {
			if p.discrete {
				p.shares[i][d] /= float64(p.episodes)
			}
		}
	}
	return p, nil
}

// layout finds the columns of a trace: "share.", "spend." and "effectiveness."
// of each channel, and "landed". Without shares the action stands for them.
func (p *played) layout(s *envs.Spec) {
	columns := func(prefix string) (at []int, names []string) {
		for i, c := range s.Trace {
			if name, ok := strings.CutPrefix(c, prefix); ok {
				at, names = append(at, i), append(names, name)
			}
		}
		return at, names
	}
	p.share, p.channels = columns("share.")
	p.traced = len(p.share) > 0
	p.effect, _ = columns("effectiveness.")
	p.spend, _ = columns("spend.")
	p.landed = slices.Index(s.Trace, "landed")
	if !p.traced && s.Action.Kind != envs.Box && s.Action.N <= maxPanels {
		p.discrete = s.Action.Kind == envs.Discrete
		for i := range s.Action.N {
			name := fmt.Sprint(i)
			if i < len(s.Action.Names) {
				name = s.Action.Names[i]
			}
			p.share, p.channels = append(p.share, i), append(p.channels, name)
		}
	}
	if len(p.effect) != len(p.share) || !p.traced {
		p.effect = nil
	}
}

// add takes a step in.
func (p *played) add(s *Step) {
	e := len(p.rewards) - 1
	p.rewards[e] = append(p.rewards[e], s.Reward)
	if p.landed >= 0 && len(p.spend) > 0 && p.landed < len(s.Trace) {
		spent := 0.0
		for _, c := range p.spend {
			spent += s.Trace[c]
		}
		p.returns[e] = append(p.returns[e], (s.Trace[p.landed]-spent)/spent)
	}
	if len(p.channels) == 0 {
		return
	}
	if p.now.share == nil {
		p.now.share, p.now.effect = make([][]float64, len(p.channels)), make([][]float64, len(p.channels))
	}
	values, total := s.Action, 0.0
	if p.traced {
		values, total = s.Trace, 1
	} else if !p.discrete {
		for _, v := range values {
			total += max(v, 0)
		}
	}
	for i, c := range p.share {
		v := 0.0
		switch {
		case p.discrete:
			if int(values[0]) == i {
				v = 1
			}
		case total > 0:
			v = max(values[c], 0) / total
		}
		p.now.share[i] = append(p.now.share[i], v)
		if p.effect != nil {
			p.now.effect[i] = append(p.now.effect[i], s.Trace[p.effect[i]])
		}
	}
}

// close ends the current episode.
func (p *played) close(trial uint64) {
	if p.now.share == nil {
		return
	}
	if p.corrs == nil {
		p.corrs = make([][]float64, len(p.channels))
	}
	for i := range p.channels {
		if p.effect != nil {
			p.corrs[i] = append(p.corrs[i], correlation(p.now.share[i], p.now.effect[i]))
		}
	}
	switch {
	case p.discrete && p.shares == nil:
		p.shares = p.now.share
	case p.discrete:
		for i := range p.shares {
			for d := range min(len(p.shares[i]), len(p.now.share[i])) {
				p.shares[i][d] += p.now.share[i][d]
			}
		}
	case trial == p.Middle() && p.shares == nil:
		p.shares, p.effects = p.now.share, p.now.effect
	}
	p.now.share, p.now.effect = nil, nil
}

// correlation is Pearson's, NaN where one side does not vary.
func correlation(x, y []float64) float64 {
	if len(x) < 3 || flat(x) || flat(y) {
		return math.NaN()
	}
	return stat.Correlation(x, y, nil)
}

// flat tells whether values differ by rounding only.
func flat(x []float64) bool {
	low, high := slices.Min(x), slices.Max(x)
	return high-low <= 1e-9*max(math.Abs(low), math.Abs(high), 1e-300)
}

// bandOver returns by day the mean over episodes, with the range that holds the
// middle 80 % of them; cumulative sums up over days first. Long episodes are
// thinned to maxDays places.
func bandOver(episodes [][]float64, cumulative bool) (x, y, low, high []Num) {
	days := 0
	for _, e := range episodes {
		days = max(days, len(e))
	}
	sums := make([]float64, len(episodes))
	step := max((days+maxDays-1)/maxDays, 1)
	at := make([]float64, 0, len(episodes))
	for d := range days {
		at = at[:0]
		for i, e := range episodes {
			if d >= len(e) {
				continue // it has ended
			}
			sums[i] += e[d]
			v := e[d]
			if cumulative {
				v = sums[i]
			}
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				at = append(at, v)
			}
		}
		if (d+1)%step != 0 && d != days-1 || len(at) == 0 {
			continue
		}
		x, y = append(x, Num(d+1)), append(y, Num(stats.Mean(at)))
		low, high = append(low, Num(stats.Quantile(at, .1))), append(high, Num(stats.Quantile(at, .9)))
	}
	return x, y, low, high
}
