package trial

import (
	"context"
	"crypto/sha256"
	"sync"

	"overnight/envs"
	"overnight/internal/param"
	"overnight/jobs"
)

// OracleCache remembers what the best policy earns on the evaluation episodes
// of an environment, so that the arms compared there compute it once. It may be
// shared between goroutines; what it returns does not depend on what it holds.
type OracleCache struct {
	mu   sync.Mutex
	size int
	vals map[oracleKey]float64
	ring []oracleKey
	next int
}

type oracleKey struct {
	env     [sha256.Size]byte
	streams jobs.Streams
	n       uint64
}

// NewOracleCache returns a cache of at most size values.
func NewOracleCache(size int) *OracleCache {
	return &OracleCache{size: size, vals: map[oracleKey]float64{}}
}

// best returns the mean return of the best policy over n evaluation episodes of
// the runner's environment.
func (c *OracleCache) best(ctx context.Context, r *Runner, n uint64) (float64, error) {
	k := oracleKey{sha256.Sum256(param.AppendCanonical([]byte(r.study.Tasks[r.point.Task].Env+"\x00"), r.point.Env)), r.streams, n}
	c.mu.Lock()
	v, ok := c.vals[k]
	c.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := r.playOracle(ctx, n)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.vals[k]; ok {
		return v, nil
	}
	if len(c.ring) < c.size {
		c.ring = append(c.ring, k)
	} else {
		delete(c.vals, c.ring[c.next])
		c.ring[c.next] = k
		c.next = (c.next + 1) % c.size
	}
	c.vals[k] = v
	return v, nil
}

func (r *Runner) playOracle(ctx context.Context, n uint64) (float64, error) {
	oracle := r.env.(envs.Oracle)
	key := r.streams.Root("env/eval")
	sum := 0.0
	for e := range n {
		if err := r.checkNow(ctx, e); err != nil {
			return 0, err
		}
		in, out := &r.in, &r.out
		r.env.Reset(key.At(e), in)
		total := 0.0
		for {
			oracle.Best(&r.act)
			r.env.Step(&r.act, out)
			total += out.Reward
			if out.Done {
				break
			}
			in, out = out, in
		}
		sum += total
	}
	return sum / float64(n), nil
}
