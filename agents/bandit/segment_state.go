package bandit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"overnight/envs"
)

// AppendBinary appends the owners of the episode's sends, then segment by
// segment what its policy has not learned of, and its policy's state.
func (b *segments) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, version)
	dst = binary.AppendUvarint(dst, uint64(len(b.list)))
	dst = binary.AppendUvarint(dst, uint64(len(b.owner)))
	for _, s := range b.owner {
		dst = binary.AppendUvarint(dst, uint64(s))
	}
	for i := range b.list {
		g := &b.list[i]
		dst = append(dst, bit(g.open), bit(g.in.Allowed != nil))
		for _, m := range g.mask {
			dst = append(dst, bit(m))
		}
		dst = binary.AppendUvarint(dst, uint64(g.in.T))
		dst = binary.AppendUvarint(dst, uint64(g.action.Index))
		dst = appendFloat(appendFloat(dst, g.action.Prob), g.reward)
		dst = binary.AppendUvarint(dst, uint64(len(g.known)))
		for _, c := range g.known {
			dst = binary.AppendVarint(dst, int64(c.Step))
			dst = binary.AppendVarint(dst, int64(c.Index))
			dst = appendFloat(dst, c.Reward)
		}
		state, err := g.policy.AppendBinary(nil)
		if err != nil {
			return nil, fmt.Errorf("save segment %d: %w", i, err)
		}
		dst = binary.AppendUvarint(dst, uint64(len(state)))
		dst = append(dst, state...)
	}
	return dst, nil
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func appendFloat(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// UnmarshalBinary restores the state of the same policies, segments and arms.
// Where it returns an error, nothing has changed.
func (b *segments) UnmarshalBinary(src []byte) error {
	before, err := b.AppendBinary(nil)
	if err != nil {
		return err
	}
	if err := b.restore(src); err != nil {
		if undo := b.restore(before); undo != nil {
			return errors.Join(err, undo)
		}
		return fmt.Errorf("restore segment_tables: %w", err)
	}
	return nil
}

func (b *segments) restore(src []byte) error {
	r := reader{b: src}
	if v := r.byte(); v != version {
		return fmt.Errorf("state of version %d, this build reads %d", v, version)
	}
	if n, steps := r.uvarint(), r.uvarint(); n != uint64(len(b.list)) || steps != uint64(len(b.owner)) {
		return fmt.Errorf("state of %d segments and %d sends, want %d and %d", n, steps, len(b.list), len(b.owner))
	}
	for i := range b.owner {
		b.owner[i] = int32(r.index(len(b.list)))
	}
	for i := range b.list {
		g := &b.list[i]
		g.open = r.byte() == 1
		masked := r.byte() == 1
		for j := range g.mask {
			g.mask[j] = r.byte() == 1
		}
		g.in = envs.Step{T: r.index(len(b.owner))}
		if masked {
			g.in.Allowed = g.mask
		}
		g.action = envs.Action{Index: r.index(len(g.mask)), Prob: r.float()}
		g.reward = r.float()
		g.known = g.known[:0]
		for range r.index(len(b.owner) + 1) {
			g.known = append(g.known, envs.Credit{Step: int32(r.varint()), Index: int32(r.varint()), Reward: r.float()})
		}
		state := r.bytes(r.uvarint())
		if r.err != nil {
			return r.err
		}
		for _, c := range g.known {
			if c.Step < -1 || int(c.Step) >= len(b.owner) || c.Index < -1 || int(c.Index) >= len(g.mask) {
				return fmt.Errorf("state has an outcome of step %d and arm %d", c.Step, c.Index)
			}
		}
		if err := g.policy.UnmarshalBinary(state); err != nil {
			return fmt.Errorf("segment %d: %w", i, err)
		}
	}
	if len(r.b) > 0 {
		return fmt.Errorf("state has %d bytes too many", len(r.b))
	}
	return nil
}

// reader reads what AppendBinary wrote; after the first error it yields zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	r.b = nil
	if r.err == nil {
		r.err = errors.New("state is cut short or damaged")
	}
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if v := r.bytes(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) float() float64 {
	if v := r.bytes(8); v != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(v))
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// index reads an integer in [0, n).
func (r *reader) index(n int) int {
	v := r.uvarint()
	if r.err == nil && v >= uint64(n) {
		r.fail()
		return 0
	}
	return int(v)
}
