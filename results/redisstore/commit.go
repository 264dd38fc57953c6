package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// Commit implements results.Records. Concurrent calls for one study are sent
// together. A call of more than some thousand records takes several steps: should
// one fail, those before are stored, and are answered as duplicates when the call
// is tried again.
func (s *Store) Commit(ctx context.Context, study string, generation uint32, rs []results.Record) ([]results.Verdict, error) {
	what := fmt.Sprintf("commit to study %q", study)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	h, err := s.check(ctx, study, rs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(rs) == 0 {
		return nil, nil
	}
	t := newTask(study, generation, rs)
	if _, err := t.encode(ctx, s, h); err != nil {
		return nil, s.failure(what, err)
	}
	if err := s.commits.do(ctx, t); err != nil {
		return nil, s.failure(what, err)
	}
	return t.verdicts, nil
}

// check refuses records that are not valid, by the plan as it was read last, or
// else as it is: others may have extended the study.
func (s *Store) check(ctx context.Context, study string, rs []results.Record) (*head, error) {
	h, err := s.lastHead(ctx, study)
	if err != nil {
		return nil, err
	}
	if validAll(&h.plan, rs) == nil {
		return h, nil
	}
	if h, err = s.head(ctx, study); err != nil {
		return nil, err
	}
	return h, validAll(&h.plan, rs)
}

// commitTogether answers tasks of one study and generation. It tries until all
// records are answered; only others who change the study all the time can keep it
// from that.
func (s *Store) commitTogether(ctx context.Context, tasks []*task) {
	var fits bool
	h, err := s.lastHead(ctx, tasks[0].study)
	last := 0
	for tries := 0; err == nil && tries < maxTries; tries++ {
		if h.plan.Generation != tasks[0].generation {
			// Perhaps the plan is newer than what was read of it.
			if h, err = s.head(ctx, tasks[0].study); err != nil {
				break
			}
		}
		fits, err = s.prepare(ctx, h, tasks)
		us := units(tasks)
		if left := unanswered(tasks); left != last {
			last, tries = left, 0
		}
		switch {
		case err != nil || !fits:
		case len(us) == 0:
			return
		case h.plan.Generation != tasks[0].generation:
			fits, err = s.commitStale(ctx, h, tasks[0].generation, us)
		default:
			fits, err = s.commitUnits(ctx, h, us)
		}
		if err == nil && !fits {
			if h, err = s.head(ctx, tasks[0].study); err == nil {
				stillValid(&h.plan, tasks)
			}
		}
	}
	for _, t := range tasks {
		for _, v := range t.verdicts {
			if v == 0 && t.err == nil {
				t.err = err
				if err == nil {
					t.err = errChanged
				}
			}
		}
	}
}

// unanswered counts the records that are left.
func unanswered(tasks []*task) (n int) {
	for _, t := range tasks {
		for _, v := range t.verdicts {
			if v == 0 {
				n++
			}
		}
	}
	return n
}

// prepare encodes what is not answered yet. It returns false where h is no longer
// how the plan is.
func (s *Store) prepare(ctx context.Context, h *head, tasks []*task) (bool, error) {
	for _, t := range tasks {
		if t.err != nil {
			continue
		}
		if ok, err := t.encode(ctx, s, h); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// commitStale counts units of another generation. It returns false where h is no
// longer how the plan is.
func (s *Store) commitStale(ctx context.Context, h *head, generation uint32, us []unit) (bool, error) {
	var seconds, nanoseconds int64
	for _, u := range us {
		seconds += int64(u.record().Elapsed / time.Second)
		nanoseconds += int64(u.record().Elapsed % time.Second)
	}
	done, err := s.runInt(ctx, s.scripts.stale, []string{h.keys.plan(), h.call()}, h.inc, number(uint64(generation)), len(us), seconds, nanoseconds, againTime.Milliseconds())
	if err != nil || done != 1 {
		return false, err
	}
	for _, u := range us {
		u.t.verdicts[u.i] = results.Stale
	}
	return true, nil
}

// commitUnits stores units, and answers those that it stores and those that come
// late. It returns false where h is no longer how the plan is.
func (s *Store) commitUnits(ctx context.Context, h *head, us []unit) (bool, error) {
	batches := s.batches(h, us)
	calls := make([]*call, len(batches))
	for i, b := range batches {
		calls[i] = b.call
	}
	err := s.runAll(ctx, calls, true)
	var unconfirmed *replicaError
	if errors.As(err, &unconfirmed) {
		return false, err
	}
	fits := true
	var late []there
	for _, b := range batches {
		reply, callErr := b.call.value()
		conflicts, ok := reply.([]any)
		if reply == int64(0) {
			b.forgetNames()
			s.names.Delete(h.plan.Study)
		}
		if callErr != nil || !ok {
			fits = fits && callErr != nil
			continue
		}
		late = append(late, b.answer(conflicts)...)
	}
	if err != nil || !fits || len(late) == 0 {
		return fits, err
	}
	return s.settle(ctx, h, late)
}

// forgetNames makes the tasks of a batch be encoded anew.
func (b *batch) forgetNames() {
	for _, c := range b.chunks {
		for _, u := range c.units {
			u.t.encoded = encoded{}
		}
	}
}

// there is a unit whose trial has a record.
type there struct {
	unit
	record string // "" where the ledger has it and nothing else
	marked bool   // the ledger has it
}

// answer sets the verdicts of what was stored and returns what came late. What
// was in a chunk with it stays unanswered, and is sent again.
func (b *batch) answer(conflicts []any) (late []there) {
	left := make(map[int64][]any)
	for _, c := range conflicts {
		if c, ok := c.([]any); ok && len(c) == 3 {
			n, _ := c[0].(int64)
			left[n] = c[1:]
		}
	}
	for i, c := range b.chunks {
		conflict, isLeft := left[int64(i+1)]
		if !isLeft {
			for _, u := range c.units {
				u.t.verdicts[u.i] = results.Committed
			}
			continue
		}
		slice, _ := conflict[0].(string)
		records, _ := conflict[1].([]any)
		for k, u := range c.units {
			at := u.record().Trial % bucketTrials
			l := there{unit: u, marked: at/8 < uint64(len(slice)) && slice[at/8]>>(at%8)&1 != 0}
			if k < len(records) {
				l.record, _ = records[k].(string)
			}
			if l.marked || l.record != "" {
				late = append(late, l)
			}
		}
	}
	return late
}

// settle answers units of trials that have a record. One whose CRC is wrong is
// removed: the first valid record wins, and that is none.
func (s *Store) settle(ctx context.Context, h *head, late []there) (bool, error) {
	a := &arguments{keys: []string{h.keys.plan(), h.call()}, place: make(map[string]int)}
	a.add(h.inc, number(uint64(h.plan.Generation)), againTime.Milliseconds())
	reader := s.reader(h, false)
	verdicts := make([]results.Verdict, 0, len(late))
	settled := make([]unit, 0, len(late))
	var damaged []uint64
	for _, l := range late {
		r := l.unit.record()
		bucket := r.Trial / bucketTrials
		read, err := s.named(ctx, reader, bucket, l.record)
		if err != nil && !errors.Is(err, results.ErrDamaged) {
			return false, err
		}
		if err != nil || !l.marked || read.Trial != r.Trial {
			damaged = append(damaged, r.Trial)
			continue
		}
		verdict, name := results.Differs, "differs"
		if sameResult(l.value(), l.record) {
			verdict, name = results.Duplicate, "dup"
		}
		a.add(a.key(h.records(bucket)), offsets[r.Trial%bucketTrials], l.record, name, int64(r.Elapsed/time.Second), int64(r.Elapsed%time.Second))
		verdicts = append(verdicts, verdict)
		settled = append(settled, l.unit)
	}
	if len(settled) > 0 {
		c := &call{script: s.scripts.settle, keys: a.keys, args: a.args}
		if err := s.runAll(ctx, []*call{c}, true); err != nil {
			return false, err
		}
		reply, _ := c.value()
		done, ok := reply.([]any)
		if !ok || len(done) != len(settled) {
			return false, nil
		}
		for i, u := range settled {
			if done[i] == int64(1) {
				u.t.verdicts[u.i] = verdicts[i]
			}
		}
	}
	if len(damaged) > 0 {
		s.options.Log.Warn("damaged records make room for new ones", zap.String("study", h.plan.Study), zap.Int("records", len(damaged)))
		return false, s.repair(ctx, h.plan.Study, damaged)
	}
	return true, nil
}

// sameResult compares the results of two stored records.
func sameResult(a, b string) bool {
	result := func(text string) (byte, string) {
		d := decoder{b: text}
		first := d.byte()
		d.byte()
		return first & maskResult, d.bytes(d.uvarint())
	}
	headA, resultA := result(a)
	headB, resultB := result(b)
	return headA == headB && resultA == resultB
}
