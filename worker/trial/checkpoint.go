package trial

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"overnight/results"
)

const checkpointVersion = 1

// save keeps the state of a trial between two episodes. A trial that can't be
// saved goes on: a checkpoint only saves time.
func (r *Runner) save(trial uint64, p *progress) {
	if r.o.Save == nil {
		return
	}
	b := []byte{checkpointVersion}
	b = binary.AppendUvarint(b, p.Episodes)
	b = binary.AppendUvarint(b, p.Steps)
	b = p.curves.append(b)
	b, err := r.agent.AppendBinary(b)
	if err != nil {
		return
	}
	_ = r.o.Save(trial, b)
}

// restore goes on from a trial's checkpoint, if there is one.
func (r *Runner) restore(trial uint64, p *progress) error {
	if r.o.Load == nil {
		return nil
	}
	b := r.o.Load(trial)
	if b == nil {
		return nil
	}
	d := decoder{b: b}
	if v := d.byte(); v != checkpointVersion {
		return fmt.Errorf("checkpoint of version %d, this build reads %d", v, checkpointVersion)
	}
	p.Episodes, p.Steps = d.uvarint(), d.uvarint()
	p.curves.decode(&d)
	if d.err != nil {
		return fmt.Errorf("read checkpoint: %w", d.err)
	}
	if err := r.agent.UnmarshalBinary(d.b); err != nil {
		return fmt.Errorf("read checkpoint: %w", err)
	}
	return nil
}

func (c *curves) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.sum))
	b = binary.AppendUvarint(b, c.n)
	b = binary.AppendUvarint(b, c.width)
	b = binary.AppendUvarint(b, c.seen)
	b = binary.AppendUvarint(b, c.checks)
	b = binary.AppendUvarint(b, uint64(len(c.list)))
	for _, l := range c.list {
		b = binary.AppendUvarint(b, uint64(len(l.X)))
		for i := range l.X {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(l.X[i]))
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(l.Y[i]))
		}
	}
	return b
}

func (c *curves) decode(d *decoder) {
	c.sum = d.float()
	c.n, c.width, c.seen, c.checks = d.uvarint(), d.uvarint(), d.uvarint(), d.uvarint()
	if d.err == nil && (c.width == 0 || c.checks == 0) {
		d.err = errShort
	}
	if n := d.uvarint(); d.err == nil && n != uint64(len(c.list)) {
		d.err = errors.New("another list of curves")
	}
	for i := range c.list {
		n := d.uvarint()
		if n > uint64(len(d.b))/16 {
			d.err = errShort
		}
		if d.err != nil {
			return
		}
		l := results.Curve{Name: c.list[i].Name, X: make([]float64, n), Y: make([]float64, n)}
		for j := range l.X {
			l.X[j], l.Y[j] = d.float(), d.float()
		}
		c.list[i] = l
	}
}

var errShort = errors.New("it is cut short")

// decoder reads what append wrote; after the first error it yields zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) byte() byte {
	if len(d.b) < 1 {
		d.err = errShort
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.err, d.b = errShort, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) float() float64 {
	if len(d.b) < 8 {
		d.err, d.b = errShort, nil
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	return v
}
