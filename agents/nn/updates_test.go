package nn

import (
	"math"

	"overnight/internal/fp"
	"overnight/internal/rng"
)

// actorCritic makes the updates of PPO (Schulman et al. 2017) as CleanRL's
// ppo_continuous_action.py does: normalised advantages of a minibatch, clipped
// ratios, half of the squared error of values, one global norm for both networks.
type actorCritic[T fp.Float] struct {
	actor, critic           *Net[T]
	a, c                    *Batch[T]
	actorGrad, criticGrad   []Block[T]
	actorAdam, criticAdam   Adam[T]
	obs, actions            []T // [row][...]
	old, advantage, returns []T // [row]
	order                   []int32
	std, z, weight          []T
}

const clip, valueWeight, longest = 0.2, 0.5, 0.5

func newActorCritic[T fp.Float](inputs, actions, width, rows, minibatch int, s *rng.Stream) *actorCritic[T] {
	p := &actorCritic[T]{
		actor:  New[T](Shape{Sizes: []int{inputs, width, width, actions}, Hidden: Tanh, Extra: actions}),
		critic: New[T](Shape{Sizes: []int{inputs, width, width, 1}, Hidden: Tanh}),
		obs:    make([]T, rows*inputs), actions: make([]T, rows*actions),
		old: make([]T, rows), advantage: make([]T, rows), returns: make([]T, rows),
		order: make([]int32, rows), std: make([]T, actions), z: make([]T, actions), weight: make([]T, minibatch),
	}
	p.actor.Init(rng.Key{s.Uint64(), 1})
	p.critic.Init(rng.Key{s.Uint64(), 2})
	p.a, p.c = p.actor.NewBatch(minibatch), p.critic.NewBatch(minibatch)
	p.actorGrad, p.criticGrad = p.actor.Vector(), p.critic.Vector()
	p.actorAdam = Adam[T]{LearningRate: 3e-4, Beta1: .9, Beta2: .999, Epsilon: 1e-5}
	p.criticAdam = p.actorAdam
	p.actorAdam.Reset(p.actor)
	p.criticAdam.Reset(p.critic)
	for _, v := range [][]T{p.obs, p.actions, p.advantage, p.returns} {
		for i := range v {
			v[i] = T(s.Normal())
		}
	}
	for i := range p.old { // near what the policy says, so that some ratios are clipped
		p.old[i] = T(-3.5 + .5*s.Normal())
		p.order[i] = int32(i)
	}
	return p
}

// update makes epochs passes over all rows in minibatches.
func (p *actorCritic[T]) update(epochs int, s *rng.Stream) {
	for range epochs {
		for i := len(p.order) - 1; i > 0; i-- {
			j := s.IntN(i + 1)
			p.order[i], p.order[j] = p.order[j], p.order[i]
		}
		for at := 0; at < len(p.order); at += p.a.Rows() {
			p.gradient(p.order[at:][:p.a.Rows()])
			na, nc := p.actor.Norm(p.actorGrad), p.critic.Norm(p.criticGrad)
			scale := ClipScale(T(math.Sqrt(float64(T(na*na)+T(nc*nc)))), T(longest))
			p.actorAdam.Step(p.actor, p.actorGrad, scale)
			p.criticAdam.Step(p.critic, p.criticGrad, scale)
		}
	}
}

// gradient returns the loss of some rows and leaves its gradient.
func (p *actorCritic[T]) gradient(rows []int32) (loss float64) {
	n := len(rows)
	for r, i := range rows {
		copy(p.a.Input(r), p.obs[int(i)*len(p.a.Input(r)):])
		copy(p.c.Input(r), p.a.Input(r))
	}
	p.actor.ForwardBatch(p.a, n)
	p.critic.ForwardBatch(p.c, n)
	logs := T(0)
	for i := range p.std {
		*p.actor.Extra(p.actorGrad, i) = 0
		log := *p.actor.Extra(p.actor.Params, i)
		logs += log
		p.std[i] = fp.Exp(log)
	}
	p.normalise(rows)
	for r, i := range rows {
		out, grad := p.a.Output(r), p.a.Gradient(r)
		actions := p.actions[int(i)*len(out):][:len(out)]
		log := -logs - T(float64(len(out))*0.918938533204672741780329736406)
		z := p.z[:len(actions)]
		for d, a := range actions {
			z[d] = (a - out[d]) / p.std[d]
			log -= T(T(z[d]*z[d]) / 2)
		}
		ratio, advantage := fp.Exp(log-p.old[i]), p.weight[r]
		free, bound := -advantage*ratio, -advantage*max(1-clip, min(1+clip, ratio))
		slope := T(0)
		if free >= bound {
			slope = free / T(n)
		}
		loss += float64(max(free, bound)) / float64(n)
		for d, z := range z {
			grad[d] = slope * z / p.std[d]
			*p.actor.Extra(p.actorGrad, d) += T(slope * (T(z*z) - 1))
		}
		miss := p.c.Output(r)[0] - p.returns[i]
		loss += float64(valueWeight*0.5*float64(miss)*float64(miss)) / float64(n)
		p.c.Gradient(r)[0] = T(valueWeight) * miss / T(n)
	}
	p.actor.BackwardBatch(p.a, n, p.actorGrad)
	p.critic.BackwardBatch(p.c, n, p.criticGrad)
	return loss
}

// normalise leaves the normalised advantages of some rows in weight.
func (p *actorCritic[T]) normalise(rows []int32) {
	sum, squares := T(0), T(0)
	for _, i := range rows {
		sum += p.advantage[i]
	}
	mean := sum / T(len(rows))
	for r, i := range rows {
		x := p.advantage[i] - mean
		p.weight[r] = x
		squares += T(x * x)
	}
	scale := T(math.Sqrt(float64(squares/T(len(rows)-1)))) + 1e-8
	for r := range rows {
		p.weight[r] /= scale
	}
}

// values makes the updates of DQN (Mnih et al. 2015) as CleanRL's dqn.py does: the
// mean squared error to reward + discount * the target network's best value.
type values[T fp.Float] struct {
	net, target       *Net[T]
	batch, next       *Batch[T]
	grad              []Block[T]
	adam              Adam[T]
	obs, after        []T // [row][...]
	action            []int32
	reward, discounts []T // of a row; 0 where the episode ended
}

func newValues[T fp.Float](sizes []int, rows, minibatch int, s *rng.Stream) *values[T] {
	shape := Shape{Sizes: sizes, Hidden: ReLU}
	inputs, actions := sizes[0], sizes[len(sizes)-1]
	v := &values[T]{
		net: New[T](shape), target: New[T](shape), adam: Adam[T]{LearningRate: 2.5e-4, Beta1: .9, Beta2: .999, Epsilon: 1e-8},
		obs: make([]T, rows*inputs), after: make([]T, rows*inputs), action: make([]int32, rows),
		reward: make([]T, rows), discounts: make([]T, rows),
	}
	v.net.Init(rng.Key{s.Uint64(), 1})
	v.target.Init(rng.Key{s.Uint64(), 2})
	v.batch, v.next, v.grad = v.net.NewBatch(minibatch), v.net.NewBatch(minibatch), v.net.Vector()
	v.adam.Reset(v.net)
	for _, x := range [][]T{v.obs, v.after, v.reward} {
		for i := range x {
			x[i] = T(s.Normal())
		}
	}
	for i := range v.action {
		v.action[i] = int32(s.IntN(actions))
		if s.IntN(20) > 0 {
			v.discounts[i] = 0.99
		}
	}
	return v
}

func (v *values[T]) update(s *rng.Stream, rows []int32) {
	for i := range rows {
		rows[i] = int32(s.IntN(len(v.action)))
	}
	v.gradient(rows)
	v.adam.Step(v.net, v.grad, 1)
}

// gradient returns the loss of some rows and leaves its gradient.
func (v *values[T]) gradient(rows []int32) (loss float64) {
	n := len(rows)
	for r, i := range rows {
		x := v.batch.Input(r)
		copy(x, v.obs[int(i)*len(x):])
		copy(v.next.Input(r), v.after[int(i)*len(x):][:len(x)])
	}
	v.target.ForwardBatch(v.next, n)
	v.net.ForwardBatch(v.batch, n)
	for r, i := range rows {
		best := v.next.Output(r)[0]
		for _, q := range v.next.Output(r)[1:] {
			best = max(best, q)
		}
		miss := v.batch.Output(r)[v.action[i]] - (v.reward[i] + T(v.discounts[i]*best))
		loss += float64(miss) * float64(miss) / float64(n)
		g := v.batch.Gradient(r)
		clear(g)
		g[v.action[i]] = 2 * miss / T(n)
	}
	v.net.BackwardBatch(v.batch, n, v.grad)
	return loss
}
