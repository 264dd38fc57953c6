package bandit

import (
	"math"

	"overnight/envs"
)

// contest works out how likely each of several arms is to have the highest of
// independent draws from their posteriors (Thompson sampling's propensities, the
// probability of being the best as far as is known):
//
//	P(i) = integral of density_i(y) times the product of below_j(y), j not i
//
// by Gauss and Legendre's rule with 8 nodes in panels as wide as the narrowest
// posterior there. The sum of all is 1 but for the error of the rule, and is
// divided out.
type contest struct {
	arms   []posterior // those that are allowed
	index  []int
	equal  bool // no arm has any spread
	nodes  [][2]float64
	before []float64
}

// newContest returns the contest of the arms that are allowed.
func newContest(in *envs.Step, k int, of func(i int) posterior) *contest {
	c := &contest{equal: true}
	for i := range k {
		if allowed(in, i) {
			p := of(i)
			c.arms, c.index = append(c.arms, p), append(c.index, i)
			c.equal = c.equal && p.sd == 0
		}
	}
	c.nodes, c.before = make([][2]float64, len(c.arms)), make([]float64, len(c.arms)+1)
	return c
}

// gauss holds the positive nodes and the weights of the rule with 8 nodes on
// [-1, 1] (Abramowitz and Stegun 1964, table 25.4).
var gauss = [4][2]float64{
	{0.1834346424956498, 0.3626837833783620}, {0.5255324099163290, 0.3137066458778873},
	{0.7966664774136267, 0.2223810344533745}, {0.9602898564975363, 0.1012285362903763},
}

// best writes how likely each arm is to have the highest draw. With over at
// least 0, the place of an arm among those allowed, it is how likely each other
// arm is to have the second highest, where that one has the highest.
func (c *contest) best(over int, into []float64) {
	clear(into)
	if c.equal {
		at := 0
		for j := range c.arms {
			if at == over || j != over && c.arms[j].mean > c.arms[at].mean {
				at = j
			}
		}
		into[c.index[at]] = 1
		return
	}
	low, high := math.Inf(-1), math.Inf(-1)
	for j := range c.arms {
		if j != over { // the highest is at least the highest bottom
			low, high = max(low, c.arms[j].bottom), max(high, c.arms[j].crest)
		}
	}
	if low == lowestOdds && c.arms[0].odds {
		c.ties(over, low, into)
	}
	for y := low; y < high; {
		half := float64(0.5 * (min(y+c.panel(y), high) - y))
		middle := y + half
		for _, g := range gauss {
			c.add(over, middle-float64(half*g[0]), float64(half*g[1]), into)
			c.add(over, middle+float64(half*g[0]), float64(half*g[1]), into)
		}
		if next := y + float64(2*half); next > y {
			y = next
		} else {
			break
		}
	}
	if high == highestOdds && c.arms[0].odds {
		c.ties(over, high, into)
	}
	total := 0.0
	for _, p := range into {
		total += p
	}
	for i := range into {
		into[i] /= total
	}
}

// panel returns how far the densities may be followed from y in one panel.
func (c *contest) panel(y float64) float64 {
	wide := math.Inf(1)
	for j := range c.arms {
		p := &c.arms[j]
		switch z := (y - p.mean) / p.sd; {
		case y < p.bottom: // of over alone: all others begin at or below the first panel
			wide = min(wide, p.bottom-y)
		case y >= p.crest:
		case z < -4 || z > 4:
			wide = min(wide, float64(4*p.sd))
		default:
			wide = min(wide, p.sd)
		}
	}
	return wide
}

// add adds the densities at y of the highest draw, times a weight.
func (c *contest) add(over int, y, weight float64, into []float64) {
	n := len(c.arms)
	c.before[0] = weight
	for j := range c.arms {
		below, density := c.arms[j].at(y)
		if j == over {
			below, density = 1-below, 0
		}
		c.nodes[j] = [2]float64{below, density}
		c.before[j+1] = float64(c.before[j] * below)
	}
	after := 1.0
	for j := n - 1; j >= 0; j-- {
		into[c.index[j]] += float64(float64(c.before[j]*c.nodes[j][1]) * after)
		after = float64(after * c.nodes[j][0])
	}
}

// ties adds draws that floating point can't tell from 0 or 1, at one end of the
// log odds: the lowest of the arms that have such a draw plays.
func (c *contest) ties(over int, end float64, into []float64) {
	rest := 1.0
	if over >= 0 {
		below, _ := c.arms[over].at(end)
		rest = 1 - below
	}
	for j := range c.arms {
		if j == over {
			continue
		}
		below, _ := c.arms[j].at(end)
		if end > 0 {
			into[c.index[j]] += float64(rest * (1 - below))
			rest = float64(rest * below)
			continue
		}
		rest = float64(rest * below)
	}
	if end < 0 {
		first := 0
		if over == 0 {
			first = 1
		}
		into[c.index[first]] += rest
	}
}

// topTwo turns the chances of being the best into the propensities of top-two
// sampling: the leader i with its probability, else the first of 100 further
// draws that another arm j wins, P(j) (1 - P(i)^100) / (1 - P(i)), else the
// runner-up of the last, in which i won.
func (c *contest) topTwo(leader float64, into []float64) {
	best, second := append([]float64(nil), into...), make([]float64, len(into))
	for i := range into {
		into[i] = float64(leader * best[i])
	}
	for at, i := range c.index {
		again, won := 0.0, 1.0 // sum of P(i)^m for m < 100, and P(i)^100
		for range 100 {
			again += won
			won = float64(won * best[i])
		}
		if won > 1e-12 {
			c.best(at, second)
		} else {
			clear(second)
		}
		other := float64((1 - leader) * best[i])
		for _, j := range c.index {
			if j != i {
				into[j] += float64(other * (float64(again*best[j]) + float64(won*second[j])))
			}
		}
	}
}
