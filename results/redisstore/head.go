package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"overnight/results"
)

// castagnoli is the table of CRC-32C, which processors compute.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is what the hash of a study's plan holds, but for Body and Source.
type head struct {
	keys
	plan     results.Plan // without Body and Source
	inc      string       // incarnation: a new one for each Create
	rev      string       // revision: a new one for each change
	base     uint64       // Points when the study was created: where a record's point is expected
	board    uint64       // number of the leaderboard that commits add to; 0: none
	boards   uint64       // number of the last leaderboard
	bodySum  uint32       // CRC of Body and Source
	tally    results.Tally
	complete bool // the leaderboard has all records
}

// stored is the form of a plan's head. Times are nanoseconds since 1970; absent
// ones are the zero time.
type stored struct {
	Study      string   `json:"study"`
	Identity   string   `json:"identity,omitempty"`
	Engine     int      `json:"engine,omitempty"`
	Points     uint64   `json:"points,omitempty"`
	Trials     uint64   `json:"trials,omitempty"`
	Metrics    []string `json:"metrics,omitempty"`
	Objective  int      `json:"objective,omitempty"`
	Generation uint32   `json:"generation,omitempty"`
	State      string   `json:"state,omitempty"`
	Digest     string   `json:"digest,omitempty"`
	Created    *int64   `json:"created,omitempty"`
	Ended      *int64   `json:"ended,omitempty"`
	Epoch      uint32   `json:"epoch,omitempty"`
	Submitted  bool     `json:"submitted,omitempty"`
	Priority   int      `json:"priority,omitempty"`
	MaxSlots   int      `json:"max_slots,omitempty"`
	Keep       int64    `json:"keep,omitempty"`
	Wanted     uint64   `json:"wanted,omitempty"`
	Base       uint64   `json:"base,omitempty"`
	Boards     uint64   `json:"boards,omitempty"`
	Body       uint32   `json:"body_crc"`
}

// headFields are the fields of a plan's hash that readHead reads. The counters
// change with commits and are outside every CRC; Check counts again.
var headFields = [...]string{"inc", "rev", "head", "gen", "board", "ready",
	"done", "failed", "dead", "overrun", "dup", "differs", "stale", "us", "un", "ws", "wn"}

const firstCounter = 6

// newID returns a name that nobody has had.
func newID() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// fields returns the fields of h in the hash, as arguments.
func (h *head) fields() ([]any, error) {
	p := &h.plan
	for _, text := range append([]string{p.Study, p.Identity, p.Digest, string(p.State)}, p.Metrics...) {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("plan of study %q: %q is not UTF-8", p.Study, text)
		}
	}
	data, err := json.Marshal(stored{
		Study: p.Study, Identity: p.Identity, Engine: p.Engine, Points: p.Points, Trials: p.Trials, Metrics: p.Metrics,
		Objective: p.Objective, Generation: p.Generation, State: string(p.State), Digest: p.Digest,
		Created: nanos(p.Created), Ended: nanos(p.Ended), Epoch: p.Epoch, Submitted: p.Submitted,
		Priority: p.Priority, MaxSlots: p.MaxSlots, Keep: int64(p.Keep), Wanted: p.Wanted, Base: h.base, Boards: h.boards, Body: h.bodySum,
	})
	if err != nil {
		return nil, fmt.Errorf("encode the plan of study %q: %w", p.Study, err)
	}
	text := fmt.Sprintf("%08x%s", h.checksum(data), data)
	return []any{"head", text, "gen", number(uint64(p.Generation)), "board", number(h.board), "stamp", h.stamp()}, nil
}

func (h *head) checksum(data []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(h.inc), castagnoli), castagnoli, data)
}

// stamp changes with everything that an encoded batch of records depends on.
func (h *head) stamp() string {
	return fmt.Sprintf("%s:%d:%d:%d:%d", h.inc, h.plan.Generation, len(h.plan.Metrics), h.plan.Objective, h.board)
}

// readHead reads the values of headFields; results.ErrNotFound,
// results.ErrDamaged.
func (s *Store) readHead(study string, values []any) (*head, error) {
	var text [len(headFields)]string
	there := false
	for i, v := range values {
		if t, ok := v.(string); ok {
			text[i], there = t, true
		}
	}
	if !there {
		return nil, fmt.Errorf("study %q: %w", study, results.ErrNotFound)
	}
	damaged := func(what string) error {
		return fmt.Errorf("the plan of study %q is %w: %s; `overnight rm` removes the study", study, results.ErrDamaged, what)
	}
	h := &head{inc: text[0], rev: text[1], keys: s.studyKeys(study, text[0])}
	if len(text[2]) < 8 {
		return h, damaged("its head is gone")
	}
	data := []byte(text[2][8:])
	if fmt.Sprintf("%08x", h.checksum(data)) != text[2][:8] {
		return h, damaged("its head and the head's CRC differ")
	}
	var d stored
	if err := json.Unmarshal(data, &d); err != nil {
		return h, damaged(err.Error())
	}
	h.plan = results.Plan{
		Study: d.Study, Identity: d.Identity, Engine: d.Engine, Points: d.Points, Trials: d.Trials, Metrics: d.Metrics,
		Objective: d.Objective, Generation: d.Generation, State: results.State(d.State), Digest: d.Digest,
		Created: timeOf(d.Created), Ended: timeOf(d.Ended), Epoch: d.Epoch, Submitted: d.Submitted,
		Priority: d.Priority, MaxSlots: d.MaxSlots, Keep: time.Duration(d.Keep), Wanted: d.Wanted,
	}
	h.base, h.boards, h.bodySum = d.Base, d.Boards, d.Body
	h.board, _ = strconv.ParseUint(text[4], 10, 64)
	h.complete = h.board != 0 && text[5] == text[4]
	if d.Study != study || text[3] != number(uint64(d.Generation)) {
		return h, damaged("its fields contradict each other")
	}
	var err error
	if h.tally, err = readTally(text[firstCounter:]); err != nil {
		return h, damaged(err.Error())
	}
	return h, nil
}

// readTally reads the counters in the order of headFields.
func readTally(text []string) (t results.Tally, err error) {
	var n [11]uint64
	for i, v := range text {
		if v == "" {
			continue
		}
		if n[i], err = strconv.ParseUint(v, 10, 64); err != nil {
			return t, fmt.Errorf("its counter %q holds %q", headFields[firstCounter+i], v)
		}
	}
	return results.Tally{
		Done: n[0], Failed: n[1], Dead: n[2], Overrun: n[3], Duplicates: n[4], Differs: n[5], Stale: n[6],
		Used: duration(n[7], n[8]), Wasted: duration(n[9], n[10]),
	}, nil
}

// duration returns the time of seconds and nanoseconds, which have grown apart.
func duration(s, ns uint64) time.Duration {
	s, ns = s+ns/1e9, ns%1e9
	if s >= math.MaxInt64/1_000_000_000 {
		return math.MaxInt64
	}
	return time.Duration(s*1e9 + ns)
}

// head returns a study's head as it is now, and keeps it for commits.
func (s *Store) head(ctx context.Context, study string) (*head, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	values, err := within(ctx, func() ([]any, error) {
		return s.rdb.HMGet(ctx, s.studyKeys(study, "").plan(), headFields[:]...).Result()
	})
	if err != nil {
		return nil, s.failure(fmt.Sprintf("read the plan of study %q", study), err)
	}
	h, err := s.readHead(study, values)
	if err != nil {
		s.heads.Delete(study)
		return h, err
	}
	s.heads.Store(study, h)
	return h, nil
}

// lastHead returns the head as it was read last, or as it is now.
func (s *Store) lastHead(ctx context.Context, study string) (*head, error) {
	if h, ok := s.heads.Load(study); ok {
		return h.(*head), nil
	}
	return s.head(ctx, study)
}

func nanos(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.UnixNano()
	return &n
}

func timeOf(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return time.Unix(0, *n).UTC()
}

// created is what times of records are counted from.
func (h *head) created() int64 {
	if h.plan.Created.IsZero() {
		return 0
	}
	return h.plan.Created.UnixNano()
}
