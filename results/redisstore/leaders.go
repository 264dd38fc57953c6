package redisstore

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// buildTime is how long others leave the making of a leaderboard to whoever began
// it.
const buildTime = time.Minute

// Leaders implements results.Leaderboard, from a sum a point that commits keep: a
// study of a million points has 12 MB of them. After Discard of a record that
// counted, or a change of the objective, the first call reads all records anew.
// A point whose mean is no number (it has records of +Inf and of -Inf) does not
// lead.
func (s *Store) Leaders(ctx context.Context, study string, n int, least bool) ([]results.Leader, error) {
	what := fmt.Sprintf("leaders of study %q", study)
	for range maxTries {
		h, err := s.head(ctx, study)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if o := h.plan.Objective; o < 0 || o >= len(h.plan.Metrics) {
			return nil, fmt.Errorf("%s: its objective is number %d of %d metrics", what, o, len(h.plan.Metrics))
		}
		if n <= 0 {
			return nil, nil
		}
		top := &podium{n: n, least: least}
		if h.complete {
			ok, err := s.readBoard(ctx, h, top)
			if err != nil {
				return nil, s.failure(what, err)
			}
			if !ok {
				continue
			}
			return top.leaders(), nil
		}
		sums, err := s.build(ctx, study)
		if err != nil {
			return nil, s.failure(what, err)
		}
		for number, b := range sums {
			for i := range b {
				top.add(number*blockPoints+uint64(i), b[i].n, b[i].sum)
			}
		}
		return top.leaders(), nil
	}
	return nil, s.failure(what, errChanged)
}

// podium keeps the best n points of those that are added.
type podium struct {
	n     int
	least bool
	all   []results.Leader
}

func (t *podium) add(point uint64, n uint32, sum float64) {
	mean := sum / float64(n)
	if n == 0 || mean != mean {
		return
	}
	t.all = append(t.all, results.Leader{Point: point, N: uint64(n), Mean: mean})
	if len(t.all) > 2*t.n+1024 {
		t.all = t.leaders()
	}
}

func (t *podium) leaders() []results.Leader {
	slices.SortFunc(t.all, func(a, b results.Leader) int {
		by := cmp.Compare(b.Mean, a.Mean)
		if t.least {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(a.Point, b.Point))
	})
	return t.all[:min(t.n, len(t.all))]
}

// readBoard adds the points of the leaderboard. It returns false where that was
// given up meanwhile.
func (s *Store) readBoard(ctx context.Context, h *head, top *podium) (bool, error) {
	blocks, err := s.blocks(ctx, h)
	if err != nil {
		return false, err
	}
	for some := range slices.Chunk(blocks, 64) {
		replies := make([]*redis.StringCmd, len(some))
		err := s.pipelined(ctx, func(p redis.Pipeliner) error {
			for i, n := range some {
				replies[i] = p.Get(ctx, h.block(h.board, n))
			}
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			return false, err
		}
		for i, n := range some {
			b := []byte(replies[i].Val())
			for at := 0; at+pointBytes <= len(b); at += pointBytes {
				top.add(n*blockPoints+uint64(at/pointBytes), binary.LittleEndian.Uint32(b[at:]), math.Float64frombits(binary.LittleEndian.Uint64(b[at+4:])))
			}
		}
	}
	now, err := within(ctx, func() ([]any, error) { return s.rdb.HMGet(ctx, h.keys.plan(), "inc", "board").Result() })
	if err != nil {
		return false, err
	}
	return now[0] == h.inc && now[1] == number(h.board), nil
}

// blocks returns the numbers of the leaderboard's blocks that there may be.
func (s *Store) blocks(ctx context.Context, h *head) (blocks []uint64, err error) {
	if n := (h.plan.Points + blockPoints - 1) / blockPoints; n <= 256 {
		for i := range n {
			blocks = append(blocks, i)
		}
		return blocks, nil
	}
	parts, err := within(ctx, func() ([]string, error) { return s.rdb.SMembers(ctx, h.parts()).Result() })
	for _, part := range parts {
		if text, ok := strings.CutPrefix(part, "b"); ok {
			if n, err := strconv.ParseUint(text, 10, 64); err == nil {
				blocks = append(blocks, n)
			}
		}
	}
	return blocks, err
}

// sums are the sums of points, by block.
type sums map[uint64]*[blockPoints]pointSum

// build sums the records of a study, and makes the leaderboard of it that commits
// then add to; unless somebody else does so just now.
func (s *Store) build(ctx context.Context, study string) (sums, error) {
	s.builds.Lock()
	defer s.builds.Unlock()
	h, err := s.head(ctx, study)
	if err != nil {
		return nil, err
	}
	mine := false
	if !s.boardless {
		mine, err = within(ctx, func() (bool, error) { return s.rdb.SetNX(ctx, h.building(), "1", buildTime).Result() })
		if err != nil && !strings.HasPrefix(err.Error(), "OOM") { // when it is full, it can still be read
			return nil, err
		}
	}
	if mine {
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_, err := within(ctx, func() (int64, error) { return s.rdb.Del(ctx, h.building()).Result() })
			if err != nil {
				s.options.Log.Debug("the leaderboard can't be made for a while")
			}
		}()
	}
	h, m, err := s.startBoard(ctx, h, mine)
	if err != nil {
		return nil, err
	}
	all := make(sums)
	r := s.reader(h, false)
	m.pieces(0, h.plan.Trials, func(window []piece) bool {
		var items []item
		if items, err = r.records(ctx, window); err != nil {
			return false
		}
		for i := range items {
			all.add(h.plan.Objective, &items[i])
		}
		return true
	})
	if err != nil || !mine {
		return all, err
	}
	return all, s.installBoard(ctx, h, all)
}

func (all sums) add(objective int, it *item) {
	if it.err != nil || it.Status != results.Done || objective < 0 || objective >= len(it.Metrics) || it.Metrics[objective] != it.Metrics[objective] {
		return
	}
	b := all[it.Point/blockPoints]
	if b == nil {
		b = new([blockPoints]pointSum)
		all[it.Point/blockPoints] = b
	}
	at := &b[it.Point%blockPoints]
	at.point = it.Point
	at.n++
	at.sum += it.Metrics[objective]
}

// startBoard makes a new leaderboard the one that commits add to, where change
// says, and returns the ledger of that moment.
func (s *Store) startBoard(ctx context.Context, h *head, change bool) (*head, marks, error) {
	study := h.plan.Study
	if !change {
		return s.snapshot(ctx, study, 0, ^uint64(0))
	}
	for range maxTries {
		next := *h
		next.rev, next.board, next.boards = newID(), h.boards+1, h.boards+1
		fields, err := next.fields()
		if err != nil {
			return nil, nil, err
		}
		now, m, err := s.trySnapshot(ctx, h, 0, ^uint64(0), append([]any{h.inc, h.rev, next.rev}, fields...))
		if err != nil || m != nil && now.rev == next.rev {
			return now, m, err
		}
		h = now
	}
	return nil, nil, errChanged
}

// boardBlocks is how many blocks one script adds.
const boardBlocks = 32

// installBoard adds sums to the leaderboard that h began, and notes that it is
// complete; unless another has taken its place.
func (s *Store) installBoard(ctx context.Context, h *head, all sums) error {
	var merged []pointSum
	for _, b := range all {
		for i := range b {
			if b[i].n > 0 {
				merged = append(merged, b[i])
			}
		}
	}
	merged = mergeSums(merged)
	for first := true; first || len(merged) > 0; first = false {
		n := 0
		for blocks := 0; n < len(merged); n++ {
			if n == 0 || merged[n].point/blockPoints != merged[n-1].point/blockPoints {
				if blocks++; blocks > boardBlocks {
					break
				}
			}
		}
		a := &arguments{keys: []string{h.keys.plan(), h.parts(), h.call()}, place: make(map[string]int)}
		last := "0"
		if n == len(merged) {
			last = "1"
		}
		a.add(h.inc, number(h.board), last, againTime.Milliseconds())
		h.addRuns(a, merged[:n])
		merged = merged[n:]
		done, err := s.runInt(ctx, s.scripts.addPoints, a.keys, a.args...)
		if err != nil || done == 0 {
			return err
		}
	}
	return nil
}
