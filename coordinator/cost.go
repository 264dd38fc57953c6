package coordinator

import (
	"sort"
	"time"

	"overnight/jobs"
)

// costs estimates how long trials take, per stretch of points of one task and
// arm: arms cost different amounts, points of one arm much the same.
type costs struct {
	points uint64
	blocks []block
	known  int     // blocks
	sum    float64 // of their estimates
}

type block struct {
	to   uint64        // points before it
	each time.Duration // moving average; 0: not known
	n    uint64
}

func (c *costs) init(s *jobs.Study) {
	c.points = s.Points()
	for _, b := range s.Blocks() {
		c.blocks = append(c.blocks, block{to: b.To})
	}
}

func (c *costs) find(point uint64) *block {
	i := sort.Search(len(c.blocks), func(i int) bool { return c.blocks[i].to > point })
	return &c.blocks[i]
}

// observe takes in how long a trial of a point took.
func (c *costs) observe(point uint64, took time.Duration) {
	if point >= c.points {
		return
	}
	b := c.find(point)
	took = max(took, time.Microsecond/2)
	b.n++
	if b.each == 0 {
		c.known++
	}
	c.sum -= float64(b.each)
	// The first ones weigh fully, then a new one weighs a fiftieth.
	b.each += time.Duration(float64(took-b.each) / float64(min(b.n, 50)))
	b.each = max(b.each, 1)
	c.sum += float64(b.each)
}

// guess returns a trial's estimate, or the average of what is known of others, 0
// where nothing is.
func (c *costs) guess(trial uint64) time.Duration {
	if each := c.find(trial % c.points).each; each > 0 || c.known == 0 {
		return each
	}
	return max(time.Duration(c.sum/float64(c.known)), 1)
}

// of returns a trial's estimate, for how many trials from it on it holds, and how
// many a job should hold at most: a few observations don't justify a job of
// thousands.
func (c *costs) of(trial uint64) (each time.Duration, run, most uint64) {
	point := trial % c.points
	b := c.find(point)
	return b.each, b.to - point, 8*b.n + 1
}

// mean returns the average over all points, 0 where a block has none yet.
func (c *costs) mean() time.Duration {
	var sum float64
	var from uint64
	for _, b := range c.blocks {
		if b.each == 0 {
			return 0
		}
		sum += float64(b.each) * float64(b.to-from)
		from = b.to
	}
	return time.Duration(sum / float64(c.points))
}

// left estimates how long slots need for what is missing, 0 where that is not
// known.
func (c *costs) left(missing uint64, slots int) time.Duration {
	return time.Duration(float64(c.mean()) * float64(missing) / float64(max(slots, 1)))
}

// target is how much work the next job should hold: less towards the tail, so
// that all slots end together.
func (c *costs) target(missing uint64, slots int, full time.Duration) time.Duration {
	left := c.left(missing, slots)
	if left == 0 {
		return full
	}
	return min(full, max(left/4, 2*time.Millisecond))
}

// meter measures a rate over the last seconds, by the time since the run began.
type meter struct {
	second [8]int64 // of each bucket
	n      [8]int
}

func (m *meter) add(at time.Duration, n int) {
	s := int64(at / time.Second)
	i := s % int64(len(m.n))
	if m.second[i] != s {
		m.second[i], m.n[i] = s, 0
	}
	m.n[i] += n
}

func (m *meter) perSecond(now time.Duration) float64 {
	sum, oldest := 0, now
	for i, s := range m.second {
		at := time.Duration(s) * time.Second
		if now-at < time.Duration(len(m.n))*time.Second && m.n[i] > 0 {
			sum += m.n[i]
			oldest = min(oldest, at)
		}
	}
	if d := (now - oldest).Seconds(); d > 0.2 {
		return float64(sum) / d
	}
	return 0
}
