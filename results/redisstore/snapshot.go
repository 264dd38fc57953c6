package redisstore

import (
	"context"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"strconv"
)

// directSegments is how many segments of a ledger are asked for without a look
// which there are.
const directSegments = 1024

// marks are segments of a ledger by their number. A segment without any is not
// there.
type marks map[uint64]string

// snapshot reads a study's head and the ledger of trials from <= i < to, at one
// moment.
func (s *Store) snapshot(ctx context.Context, study string, from, to uint64) (*head, marks, error) {
	h, err := s.lastHead(ctx, study)
	if err != nil {
		return nil, nil, err
	}
	for range maxTries {
		now, m, err := s.trySnapshot(ctx, h, from, to, nil)
		if err != nil || m != nil {
			return now, m, err
		}
		h = now
	}
	return nil, nil, errChanged
}

// trySnapshot makes a snapshot of a study that should be as in h, at once after a
// change of its plan where one is given (see snapshot.lua). Where it is not as in
// h, there are no marks.
func (s *Store) trySnapshot(ctx context.Context, h *head, from, to uint64, change []any) (*head, marks, error) {
	study := h.plan.Study
	wanted, known, err := s.segments(ctx, h, from, min(to, h.plan.Trials))
	if err != nil {
		return nil, nil, err
	}
	names := []string{h.keys.plan(), h.parts()}
	for _, n := range wanted {
		names = append(names, h.segment(n))
	}
	args := []any{len(headFields)}
	for _, field := range headFields {
		args = append(args, field)
	}
	v, err := s.run(ctx, s.scripts.snapshot, names, append(args, change...)...)
	if err != nil {
		return nil, nil, err
	}
	reply, ok := v.([]any)
	if !ok || len(reply) != 3 {
		return nil, nil, errors.New("a snapshot has another form")
	}
	fields, _ := reply[0].([]any)
	parts, _ := reply[1].(int64)
	texts, _ := reply[2].([]any)
	now, err := s.readHead(study, fields)
	if err != nil {
		s.heads.Delete(study)
		return nil, nil, err
	}
	s.heads.Store(study, now)
	if now.inc != h.inc || now.plan.Trials != h.plan.Trials || known >= 0 && known != parts || len(texts) != len(wanted) {
		return now, nil, nil
	}
	m := make(marks, len(wanted))
	for i, n := range wanted {
		if text, _ := texts[i].(string); text != "" {
			m[n] = text
		}
	}
	return now, m, nil
}

// segments returns the segments of trials from <= i < to, without those that are
// not there where there are many, and then how many parts the study had.
func (s *Store) segments(ctx context.Context, h *head, from, to uint64) (wanted []uint64, parts int64, err error) {
	if from >= to {
		return nil, -1, nil
	}
	first, last := from/segmentTrials, (to-1)/segmentTrials
	if last-first < directSegments {
		for n := first; n <= last; n++ {
			wanted = append(wanted, n)
		}
		return wanted, -1, nil
	}
	names, err := within(ctx, func() ([]string, error) { return s.rdb.SMembers(ctx, h.parts()).Result() })
	if err != nil {
		return nil, 0, err
	}
	for _, name := range names {
		if n, err := strconv.ParseUint(name, 10, 64); err == nil && first <= n && n <= last {
			wanted = append(wanted, n)
		}
	}
	slices.Sort(wanted)
	return wanted, int64(len(names)), nil
}

// count returns how many trials are marked.
func (m marks) count() (n uint64) {
	for _, text := range m {
		for i := range len(text) {
			n += uint64(bits.OnesCount8(text[i]))
		}
	}
	return n
}

// has tells whether a trial is marked.
func (m marks) has(trial uint64) bool {
	at := trial % segmentTrials
	text := m[trial/segmentTrials]
	return at/8 < uint64(len(text)) && text[at/8]>>(at%8)&1 != 0
}

// pieces calls fn with windows of the marked trials from <= i < to, in order,
// until it returns false.
func (m marks) pieces(from, to uint64, fn func([]piece) bool) {
	numbers := make([]uint64, 0, len(m))
	for n := range m {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var window []piece
	for _, n := range numbers {
		text := []byte(m[n])
		for len(text)%maskBytes != 0 {
			text = append(text, 0)
		}
		for at := 0; at < len(text); at += maskBytes {
			p := piece{bucket: n*segmentSize + uint64(at/maskBytes)}
			p.mask[0] = binary.LittleEndian.Uint64(text[at:])
			p.mask[1] = binary.LittleEndian.Uint64(text[at+8:])
			p.clip(from, to)
			if p.count() == 0 {
				continue
			}
			if window = append(window, p); len(window) == windowBuckets {
				if !fn(window) {
					return
				}
				window = nil
			}
		}
	}
	if len(window) > 0 {
		fn(window)
	}
}

// clip takes trials out that are not from <= i < to.
func (p *piece) clip(from, to uint64) {
	first := p.bucket * bucketTrials
	if first >= from && first+bucketTrials <= to {
		return
	}
	for i := range uint64(bucketTrials) {
		if trial := first + i; trial < from || trial >= to {
			p.mask[i/64] &^= 1 << (i % 64)
		}
	}
}
