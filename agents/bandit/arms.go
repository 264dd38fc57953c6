package bandit

import (
	"encoding/binary"
	"fmt"
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// arms is the part that policies share: what was sent, what is known of its
// outcomes, and the encoding of all that. A policy embeds it, calls shape, and
// writes Act; one that keeps more than counts and sums asks shape for room and
// writes its own Learn over outcomes.
//
// All state lies in vec, so that AppendBinary knows it without being told.
type arms struct {
	// sent, n and sum are, arm by arm, the sends, the outcomes that are known,
	// and their total reward. Under delay n lags sent.
	sent, n, sum []float64
	scale        float64 // rewards are divided by it
	key          rng.Key
	mode         agents.Mode

	name     string
	credited bool
	vec      []float64      // sends, scalars, sent, n, sum, extra
	k        int            // arms
	scalars  int            // further numbers after the first
	score    []float64      // scratch: one number an arm, not state
	one      [1]envs.Credit // scratch of outcomes
}

// shape clears the policy for the arms of s. It makes room for perArm numbers
// an arm (see extra) and for more numbers (see more) beyond counts and sums.
func (b *arms) shape(name string, s *envs.Spec, perArm, more int) {
	k := s.Action.N
	size := 1 + more + (3+perArm)*k
	if cap(b.vec) < size {
		b.vec = make([]float64, size)
	}
	if cap(b.score) < k {
		b.score = make([]float64, k)
	}
	b.vec, b.score = b.vec[:size], b.score[:k]
	clear(b.vec)
	clear(b.score)
	b.name, b.k, b.scalars, b.credited, b.scale = name, k, more, s.Credited, 1
	b.sent, b.n, b.sum = b.perArm(0), b.perArm(1), b.perArm(2)
	b.key, b.mode = rng.Key{}, agents.Train
}

func (b *arms) perArm(j int) []float64 {
	at := 1 + b.scalars + j*b.k
	return b.vec[at : at+b.k : at+b.k]
}

// extra returns the j-th list of one number an arm that shape made room for.
func (b *arms) extra(j int) []float64 { return b.perArm(3 + j) }

// more returns the numbers beyond those of arms that shape made room for.
func (b *arms) more() []float64 { return b.vec[1 : 1+b.scalars : 1+b.scalars] }

// round is the t of the literature: 1 for the first send. Sends of a prior
// count.
func (b *arms) round() float64 { return b.vec[0] + 1 }

// pass counts another's send in t.
func (b *arms) pass() { b.vec[0]++ }

// Begin starts an episode. What was learned stays.
func (b *arms) Begin(episode rng.Key, m agents.Mode) { b.key, b.mode = episode, m }

// Learn counts the send and what has become known.
func (b *arms) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	b.send(a)
	for _, c := range b.outcomes(in, a, out) {
		b.n[c.Index]++
		b.sum[c.Index] += c.Reward / b.scale
	}
}

// send counts a send.
func (b *arms) send(a *envs.Action) {
	b.vec[0]++
	b.sent[a.Index]++
}

// outcomes returns what out makes known, each with the arm and the step of its
// send. An anonymous sum is taken for the outcome of the action just taken,
// which is all that a policy unaware of delay can do. Rewards are not scaled.
func (b *arms) outcomes(in *envs.Step, a *envs.Action, out *envs.Step) []envs.Credit {
	switch {
	case !b.credited:
		b.one[0] = envs.Credit{Step: int32(in.T), Index: int32(a.Index), Reward: out.Reward}
	case len(out.Credits) == 1 && out.Credits[0].Index < 0:
		b.one[0] = envs.Credit{Step: int32(in.T), Index: int32(a.Index), Reward: out.Credits[0].Reward}
	default:
		return out.Credits
	}
	return b.one[:]
}

// first plays an arm of which nothing is known, the least sent of those and
// the lowest index among equals, and says whether there was one.
func (b *arms) first(in *envs.Step, a *envs.Action) bool {
	at := -1
	for i, n := range b.n {
		if n == 0 && allowed(in, i) && (at < 0 || b.sent[i] < b.sent[at]) {
			at = i
		}
	}
	if at < 0 {
		return false
	}
	a.Index, a.Prob = at, 1
	return true
}

// greedy plays the arm with the best mean.
func (b *arms) greedy(in *envs.Step, a *envs.Action) { a.Index, a.Prob = b.bestMean(in), 1 }

// bestMean returns the allowed arm with the highest mean of its known outcomes.
// An arm of which nothing is known is chosen only where nothing is known of any.
func (b *arms) bestMean(in *envs.Step) int {
	at, best := -1, 0.0
	for i, n := range b.n {
		if n == 0 || !allowed(in, i) {
			continue
		}
		if m := b.sum[i] / n; at < 0 || m > best {
			at, best = i, m
		}
	}
	if at < 0 {
		return lowest(in, b.k)
	}
	return at
}

// highest plays the allowed arm with the highest score.
func (b *arms) highest(in *envs.Step, a *envs.Action) { a.Index, a.Prob = argmax(in, b.score), 1 }

// argmax returns the allowed arm with the highest score, the lowest index among
// equals.
func argmax(in *envs.Step, score []float64) int {
	if in.Allowed == nil && len(score) > 0 {
		at, best := 0, score[0]
		for i, s := range score {
			if s > best {
				at, best = i, s
			}
		}
		return at
	}
	at := -1
	for i, s := range score {
		if allowed(in, i) && (at < 0 || s > score[at]) {
			at = i
		}
	}
	if at < 0 {
		panic("bandit: the environment allows no arm")
	}
	return at
}

// allowed says whether arm i may be played.
func allowed(in *envs.Step, i int) bool { return in.Allowed == nil || in.Allowed[i] }

// count returns how many of k arms may be played.
func count(in *envs.Step, k int) int {
	if in.Allowed == nil {
		return k
	}
	n := 0
	for _, ok := range in.Allowed {
		if ok {
			n++
		}
	}
	return n
}

// nth returns the n-th, from 0, of k arms that may be played.
func nth(in *envs.Step, k, n int) int {
	if in.Allowed == nil {
		return n
	}
	for i := range k {
		if in.Allowed[i] {
			if n == 0 {
				return i
			}
			n--
		}
	}
	panic("bandit: the environment allows no arm")
}

// lowest returns the lowest arm that may be played.
func lowest(in *envs.Step, k int) int { return nth(in, k, 0) }

// Prior is what an earlier A/B test has shown.
type Prior struct {
	Successes []float64 `param:"successes" min:"0" doc:"Conversions of each arm in an earlier test. Not given: there was none."`
	Failures  []float64 `param:"failures" min:"0" doc:"Sends of each arm in that test that did not convert."`
}

// fits checks that a prior has one number for each arm.
func (p *Prior) fits(s *envs.Spec) error {
	for _, l := range []struct {
		path, other string
		of, with    []float64
	}{{"prior.successes", "prior.failures", p.Successes, p.Failures}, {"prior.failures", "prior.successes", p.Failures, p.Successes}} {
		switch {
		case l.of == nil && l.with != nil:
			return &param.Error{Path: l.path, What: "is not given, and " + l.other + " is", Instead: fmt.Sprintf("write both, %d numbers each", s.Action.N)}
		case l.of != nil && len(l.of) != s.Action.N:
			return &param.Error{Path: l.path, What: fmt.Sprintf("has length %d, and the environment has %d arms", len(l.of), s.Action.N), Instead: fmt.Sprintf("write a list of %d numbers", s.Action.N)}
		}
	}
	return nil
}

// earlier counts an earlier test as if its sends had been the first ones.
func (b *arms) earlier(p *Prior) {
	for i, s := range p.Successes {
		n := s + p.Failures[i]
		b.n[i], b.sent[i], b.sum[i] = n, n, s
		b.vec[0] += n
	}
}

// version begins the encoding of every policy: version, length and bytes of the
// name, count and bits of the numbers.
const version = 1

// AppendBinary appends the state.
func (b *arms) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, version, byte(len(b.name)))
	dst = append(dst, b.name...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(b.vec)))
	for _, v := range b.vec {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst, nil
}

// UnmarshalBinary restores the state of a policy of the same parameters and
// arms. Where it returns an error, nothing has changed.
func (b *arms) UnmarshalBinary(src []byte) error {
	head := 2 + len(b.name) + 4
	switch {
	case len(src) == 0 || src[0] != version:
		return fmt.Errorf("state of %s begins %x, want the version byte %d", b.name, src[:min(len(src), 1)], version)
	case len(src) < head || int(src[1]) != len(b.name) || string(src[2:head-4]) != b.name:
		return fmt.Errorf("state is not one of %s: it begins %q", b.name, src[:min(len(src), head)])
	}
	if n := binary.LittleEndian.Uint32(src[head-4:]); int64(n) != int64(len(b.vec)) || len(src) != head+8*len(b.vec) {
		return fmt.Errorf("state of %s holds %d numbers in %d bytes, want %d in %d", b.name, n, len(src), len(b.vec), head+8*len(b.vec))
	}
	for i := range b.vec {
		b.vec[i] = math.Float64frombits(binary.LittleEndian.Uint64(src[head+8*i:]))
	}
	return nil
}
