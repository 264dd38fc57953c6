package policygradient

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"overnight/agents/nn"
)

// version begins the encoding of a state.
const version = 1

// AppendBinary appends parameters, the optimizer's moments, the episodes of the
// unfinished batch, the number of updates and the last diagnostics. Activations
// are not among them: they are computed again.
func (r *reinforce[T]) AppendBinary(b []byte) ([]byte, error) {
	if r.err != nil {
		return nil, fmt.Errorf("save reinforce: %w", r.err)
	}
	var t T
	b = append(b, version, byte(unsafe.Sizeof(t)))
	b = binary.AppendUvarint(b, uint64(r.net.Len()))
	b = binary.AppendUvarint(b, r.updates)
	b = nn.AppendFloats(b, r.diagnostics[:]...)
	b = r.net.AppendVector(b, r.net.Params)
	b = r.adam.AppendState(b, r.net)
	b = binary.AppendUvarint(b, uint64(len(r.ends)))
	start := 0
	for _, end := range r.ends {
		b = binary.AppendUvarint(b, uint64(end-start))
		for row := start; row < end; row++ {
			b = nn.AppendFloats(b, r.tape.Input(row)...)
			b = nn.AppendFloats(b, r.drawn[row*r.n:][:r.n]...)
			b = nn.AppendFloats(b, r.rewards[row])
		}
		start = end
	}
	return b, nil
}

// UnmarshalBinary restores what AppendBinary wrote, into an agent with the same
// parameters and environment.
func (r *reinforce[T]) UnmarshalBinary(b []byte) error {
	if err := r.unmarshal(b); err != nil {
		return fmt.Errorf("restore reinforce: %w", err)
	}
	return nil
}

func (r *reinforce[T]) unmarshal(b []byte) error {
	var t T
	switch {
	case len(b) < 2:
		return errShort
	case b[0] != version:
		return fmt.Errorf("state of version %d, this build reads %d", b[0], version)
	case b[1] != byte(unsafe.Sizeof(t)):
		return fmt.Errorf("state of float%d, this agent computes in float%d", 8*int(b[1]), 8*unsafe.Sizeof(t))
	}
	b = b[2:]
	size, b, err := uvarint(b)
	if err != nil {
		return err
	}
	if size != uint64(r.net.Len()) {
		return fmt.Errorf("state of a network of %d parameters, this one has %d", size, r.net.Len())
	}
	updates, b, err := uvarint(b)
	if err != nil {
		return err
	}
	r.updates, r.err = updates, nil
	if b, err = nn.ReadFloats(b, r.diagnostics[:]); err != nil {
		return err
	}
	if b, err = r.net.ReadVector(b, r.net.Params); err != nil {
		return err
	}
	if b, err = r.adam.ReadState(b, r.net); err != nil {
		return err
	}
	r.spread()
	return r.readBatch(b)
}

func (r *reinforce[T]) readBatch(b []byte) error {
	episodes, b, err := uvarint(b)
	if err != nil {
		return err
	}
	if episodes >= uint64(r.p.Batch) {
		return fmt.Errorf("state of %d episodes, a batch has %d", episodes, r.p.Batch)
	}
	r.rows, r.ends = 0, r.ends[:0]
	for range episodes {
		var steps uint64
		if steps, b, err = uvarint(b); err != nil {
			return err
		}
		if steps > uint64(r.horizon) {
			return fmt.Errorf("state of an episode of %d steps, there are %d", steps, r.horizon)
		}
		for range steps {
			if b, err = nn.ReadFloats(b, r.tape.Input(r.rows)); err != nil {
				return err
			}
			if b, err = nn.ReadFloats(b, r.drawn[r.rows*r.n:][:r.n]); err != nil {
				return err
			}
			if b, err = nn.ReadFloats(b, r.rewards[r.rows:][:1]); err != nil {
				return err
			}
			r.net.Forward(r.tape, r.rows)
			r.rows++
		}
		r.ends = append(r.ends, r.rows)
	}
	if len(b) > 0 {
		return fmt.Errorf("state has %d bytes too many", len(b))
	}
	return nil
}

var errShort = errors.New("state is cut short")

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errShort
	}
	return v, b[n:], nil
}
