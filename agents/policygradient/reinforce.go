// Package policygradient holds agents that follow the gradient of a policy
// network's expected return. Start with Factory, which makes `reinforce`.
//
// REINFORCE: R. J. Williams, "Simple statistical gradient-following algorithms
// for connectionist reinforcement learning", Machine Learning 8 (1992); Sutton
// and Barto, "Reinforcement Learning: An Introduction" (2018), section 13.3 and,
// for the baseline, 13.4. The details, in the order in which they come below:
//
//  1. All normals of an episode are drawn when it begins, from its key: number
//     n*t + i belongs to step t and dimension i, whatever the policy does.
//  2. Heads: normals around the network's outputs, with one log standard
//     deviation a dimension that the state does not move. Greedy acts by the
//     mean.
//  3. Activations stay on a tape, so the update needs no second forward pass:
//     parameters only change between batches.
//  4. Credits: returns-to-go, or what the action itself generates.
//  5. Advantages: credits less a baseline, divided by their spread.
//  6. Loss: -mean(log-prob * advantage) - entropy_weight * mean(entropy), the
//     means over all steps of the batch.
//  7. Adam with PyTorch's bias correction; gradient clipping by global norm.
//  8. A gradient that is not finite stops the run: Err.
//
// Every sum runs in ascending order of steps and dimensions, so a training has
// the same bits on every machine.
package policygradient

import (
	"fmt"
	"math"

	"overnight/agents"
	"overnight/agents/nn"
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/rng"
)

// reinforce learns by REINFORCE, its network in arithmetic of T.
type reinforce[T fp.Float] struct {
	p           Params
	n, horizon  int  // numbers of an action, steps of an episode
	softmax     bool // the head
	keepClipped bool // log-probabilities are of the clipped action
	own         bool // credits are what actions generate
	low, width  []float64
	sizes       []int

	net  *nn.Net[T] // its extra parameters are the log standard deviations
	std  []T
	adam nn.Adam[T]
	grad []nn.Block[T]

	// The episode.
	mode      agents.Mode
	stream    rng.Stream
	noise     []float64 // [step][n]
	step      int
	generated float64

	// The batch: rows are steps, episode after episode.
	tape    *nn.Tape[T] // and one row more, for acting without learning
	drawn   []T         // [row][n]: the actions that log-probabilities are of
	rewards []float64   // by row
	rows    int         // so far
	ends    []int       // of the whole episodes among them
	weights []float64   // by row: credits, then advantages

	updates     uint64
	diagnostics [4]float64
	err         error

	raw, shares      []T // of one action
	spreadGrad       []T // with respect to the log standard deviations
	daySum, dayCount []float64
}

var (
	_ agents.Agent            = (*reinforce[float32])(nil)
	_ agents.NeedsAttribution = (*reinforce[float32])(nil)
	_ agents.Diagnostics      = (*reinforce[float32])(nil)
	_ agents.Failing          = (*reinforce[float32])(nil)
	_ agents.Updater          = (*reinforce[float32])(nil)
)

// Begin draws the episode's normals. Steps of a training episode that was broken
// off are forgotten.
func (r *reinforce[T]) Begin(episode rng.Key, m agents.Mode) {
	r.mode, r.step = m, 0
	if m == agents.Train {
		r.rows = r.lastEnd()
	}
	if m != agents.Greedy {
		r.stream.Seed(episode)
		r.stream.Normals(r.noise)
	}
}

func (r *reinforce[T]) lastEnd() int {
	if len(r.ends) == 0 {
		return 0
	}
	return r.ends[len(r.ends)-1]
}

// Act sends the observation through the network, draws, and turns what was drawn
// into an action.
func (r *reinforce[T]) Act(in *envs.Step, a *envs.Action) {
	row, raw := r.tape.Rows()-1, r.raw
	if r.mode == agents.Train {
		row, raw = r.rows, r.drawn[r.rows*r.n:][:r.n]
	}
	x := r.tape.Input(row)
	for i, v := range in.Obs[:len(x)] {
		x[i] = T(v)
	}
	mean := r.net.Forward(r.tape, row)
	if r.mode == agents.Greedy {
		copy(raw, mean)
	} else {
		z := r.noise[r.step*r.n:][:r.n]
		for i, m := range mean {
			raw[i] = m + T(r.std[i]*T(z[i]))
		}
	}
	r.step++
	values := a.Values[:len(raw)]
	if r.softmax {
		nn.SoftmaxOf(r.shares, raw)
		for i, share := range r.shares {
			values[i] = float64(share)
		}
		return
	}
	for i, v := range raw {
		v = fp.Clamp01(v)
		if r.keepClipped {
			raw[i] = v
		}
		values[i] = float64(v)
	}
	for i, low := range r.low { // of a box
		values[i] = low + float64(r.width[i]*values[i])
	}
}

// UsesAttribution tells whether credit is own.
func (r *reinforce[T]) UsesAttribution() bool { return r.own }

// Attribute notes what the action just taken will bring in all.
func (r *reinforce[T]) Attribute(generated float64) { r.generated = generated }

// Learn notes the reward and, when the last episode of a batch ends, updates.
func (r *reinforce[T]) Learn(_ *envs.Step, _ *envs.Action, out *envs.Step) {
	r.rewards[r.rows] = out.Reward
	if r.own {
		r.rewards[r.rows] = r.generated
	}
	r.rows++
	if !out.Done {
		return
	}
	r.ends = append(r.ends, r.rows)
	if len(r.ends) == r.p.Batch {
		if r.err == nil {
			r.update()
		}
		r.rows, r.ends = 0, r.ends[:0]
	}
}

func (r *reinforce[T]) update() {
	r.credit()
	r.advantage()
	r.descend()
}

// descend makes one step of the optimizer from the batch and its advantages.
func (r *reinforce[T]) descend() {
	loss, entropy := r.loss()
	norm := r.net.Backward(r.tape, r.rows, r.grad)
	r.updates++
	if !(norm <= math.MaxFloat32) {
		r.err = fmt.Errorf("update %d: the gradient is %v long, so the policy has diverged; lower learning_rate, set grad_clip, or write log_std: {mode: clamped}", r.updates, norm)
		return
	}
	scale := nn.ClipScale(norm, T(r.p.GradClip))
	if r.p.Optimizer == "sgd" {
		r.net.Descend(r.grad, T(T(r.p.LearningRate)*scale))
	} else {
		r.adam.Step(r.net, r.grad, scale)
	}
	r.spread()
	sum := 0.0
	for i := range r.n {
		sum += float64(*r.net.Extra(r.net.Params, i))
	}
	r.diagnostics = [...]float64{loss, entropy, float64(norm), sum / float64(r.n)}
}

// loss fills the gradient with respect to the network's outputs and to the log
// standard deviations, and returns the loss and the entropy. For a normal,
//
//	log p(a) = -(a - m)^2 / (2 s^2) - log s - log(2 pi)/2
//	d/dm = (a - m)/s^2    d/dlog s = (a - m)^2/s^2 - 1    entropy = log s + (1 + log(2 pi))/2
func (r *reinforce[T]) loss() (loss, entropy float64) {
	const halfLog2Pi = 0.918938533204672741780329736406
	logs := 0.0
	for i := range r.n {
		logs += float64(*r.net.Extra(r.net.Params, i))
	}
	count, constant := float64(r.rows), float64(float64(r.n)*halfLog2Pi)
	spread := r.spreadGrad
	clear(spread)
	for row := range r.rows {
		share := r.weights[row] / count
		weight := T(share)
		mean, g := r.tape.Output(row)[:len(spread)], r.tape.Gradient(row)[:len(spread)]
		drawn, std := r.drawn[row*r.n:][:len(spread)], r.std[:len(spread)]
		squares := T(0)
		for i := range spread {
			z := (drawn[i] - mean[i]) / std[i]
			square := T(z * z)
			squares += square
			g[i] = -weight * (z / std[i])
			spread[i] -= T(weight * (square - 1))
		}
		logProb := float64(-0.5*float64(squares)) - logs - constant
		loss -= float64(logProb * share)
	}
	entropy = logs + float64(float64(r.n)*(0.5+halfLog2Pi))
	loss -= float64(r.p.EntropyWeight * entropy)
	for i, s := range spread {
		s -= T(r.p.EntropyWeight)
		if r.p.LogStd.Mode == "fixed" {
			s = 0
		}
		*r.net.Extra(r.grad, i) = s
	}
	return loss, entropy
}

// spread makes the standard deviations from their logarithms, which it first
// puts within their bounds.
func (r *reinforce[T]) spread() {
	for i := range r.std {
		log := r.net.Extra(r.net.Params, i)
		if r.p.LogStd.Mode == "clamped" {
			*log = max(T(r.p.LogStd.Low), min(T(r.p.LogStd.High), *log))
		}
		r.std[i] = fp.Exp(*log)
	}
}

// Err tells of an update that was not finite.
func (r *reinforce[T]) Err() error { return r.err }

// Updates counts the updates made.
func (r *reinforce[T]) Updates() uint64 { return r.updates }

// DiagnosticNames names what Diagnose writes.
func (r *reinforce[T]) DiagnosticNames() []string {
	return []string{"loss", "entropy", "grad_norm", "log_std"}
}

// Diagnose writes loss, entropy and length of the gradient of the last update,
// and the mean log standard deviation after it; NaN before the first.
func (r *reinforce[T]) Diagnose(into []float64) { copy(into, r.diagnostics[:]) }
