package guard

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// version begins the encoding: version, lengths of the lists, numbers, lists,
// and the policy's state.
const version = 1

// numbers returns the single numbers of a book, in the order in which they are
// written.
func (b *book) numbers() []*int64 {
	return []*int64{
		&b.total, &b.held, &b.units[0], &b.units[1], &b.n[0], &b.n[1], &b.conversions[0], &b.conversions[1],
		&b.settled[0], &b.settled[1], &b.oldest, &b.stopped, &b.t, &b.whole, &b.ripe, &b.limit,
	}
}

func (b *book) lengths() [5]int {
	return [5]int{len(b.sends), len(b.steps), len(b.mails), len(b.stamps), len(b.met)}
}

// AppendBinary appends the book, then the policy's state.
func (g *guarded) AppendBinary(dst []byte) ([]byte, error) {
	b := &g.book
	dst = append(dst, version)
	for _, n := range b.lengths() {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	}
	for _, n := range b.numbers() {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(*n))
	}
	for _, n := range b.sends {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	dst = append(dst, b.steps...)
	for _, list := range [][]int32{b.mails, b.stamps} {
		for _, n := range list {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
		}
	}
	dst = append(dst, b.met...)
	dst, err := g.policy.AppendBinary(dst)
	if err != nil {
		return nil, fmt.Errorf("save the guarded policy: %w", err)
	}
	return dst, nil
}

// UnmarshalBinary restores the state of the same policy, rails and environment.
// Where it returns an error, nothing has changed.
func (g *guarded) UnmarshalBinary(src []byte) error {
	b := &g.book
	if len(src) == 0 || src[0] != version {
		return fmt.Errorf("state of a guard begins %x, want the version byte %d", src[:min(len(src), 1)], version)
	}
	lengths := b.lengths()
	head := 1 + 4*len(lengths)
	if len(src) < head {
		return errors.New("state of a guard is cut short")
	}
	for i, want := range lengths {
		if n := binary.LittleEndian.Uint32(src[1+4*i:]); n != uint32(want) {
			return fmt.Errorf("state of a guard has %d %s, want %d: it is of another environment or of other rails",
				n, [...]string{"actions", "steps of outcomes", "recipients with a frequency cap", "mails to remember", "recipients of a holdout"}[i], want)
		}
	}
	size := 8*(len(b.numbers())+len(b.sends)) + len(b.steps) + 4*(len(b.mails)+len(b.stamps)) + len(b.met)
	if len(src) < head+size {
		return fmt.Errorf("state of a guard is cut short: %d bytes, want at least %d", len(src), head+size)
	}
	var made book
	made.shape(lengths[0], lengths[1], lengths[2], 0, lengths[4])
	made.stamps = make([]int32, lengths[3])
	made.read(src[head : head+size])
	if err := made.sane(g.p.Frequency.Cap); err != nil {
		return err
	}
	if err := g.policy.UnmarshalBinary(src[head+size:]); err != nil {
		return fmt.Errorf("restore the guarded policy: %w", err)
	}
	*b = made
	return nil
}

// read fills a book of the right lengths.
func (b *book) read(src []byte) {
	for _, n := range b.numbers() {
		*n = int64(binary.LittleEndian.Uint64(src))
		src = src[8:]
	}
	for i := range b.sends {
		b.sends[i] = int64(binary.LittleEndian.Uint64(src))
		src = src[8:]
	}
	src = src[copy(b.steps, src):]
	for _, list := range [][]int32{b.mails, b.stamps} {
		for i := range list {
			list[i] = int32(binary.LittleEndian.Uint32(src))
			src = src[4:]
		}
	}
	copy(b.met, src)
}

// sane refuses numbers that no run leaves behind and that a later step would
// trip over.
func (b *book) sane(cap int) error {
	steps := int64(len(b.steps))
	for _, n := range b.numbers() {
		if *n < 0 && n != &b.oldest {
			return fmt.Errorf("state of a guard has the count %d", *n)
		}
	}
	if steps > 0 && (b.t > steps || b.whole > b.t || b.ripe > b.t || b.limit > steps || b.oldest < -1 || b.oldest >= steps) {
		return fmt.Errorf("state of a guard is at step %d of %d, with outcomes of %d and %d up to %d, the oldest %d", b.t, steps, b.whole, b.ripe, b.limit, b.oldest)
	}
	for _, s := range b.steps {
		if s >= isConverted<<1 {
			return fmt.Errorf("state of a guard has a send marked %#x", s)
		}
	}
	for i, n := range b.mails {
		if n < 0 {
			return fmt.Errorf("state of a guard has %d mails to recipient %d", n, i)
		}
		for _, at := range b.stamps[i*cap : (i+1)*cap] {
			if at < 0 || int64(at) >= max(b.t, 1) {
				return fmt.Errorf("state of a guard has a mail to recipient %d at step %d, before step %d", i, at, b.t)
			}
		}
	}
	for i, m := range b.met {
		if m > 1 {
			return fmt.Errorf("state of a guard marks recipient %d with %d", i, m)
		}
	}
	return nil
}
