package worker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"overnight/jobs"
	"overnight/results"
	"overnight/worker/trial"
)

// Child serves a supervisor on in and out until in ends: the other side of
// Isolation. It holds one slot.
func Child(ctx context.Context, cat *jobs.Catalog, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &child{cat: cat, out: bufio.NewWriterSize(out, 64<<10), runs: make(chan childRun, 1), cancel: func() {}}
	if err := c.send(frameHere, []byte{wireVersion}, true); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.flusher(ctx) })
	wg.Go(func() {
		for r := range c.runs {
			c.run(r)
		}
	})
	err := c.read(ctx, bufio.NewReader(in))
	c.interrupt()
	close(c.runs)
	cancel()
	wg.Wait()
	return err
}

type childRun struct {
	ctx        context.Context
	cancel     context.CancelFunc
	stop       chan struct{}
	study      *jobs.Study
	ranges     []jobs.Range
	alone      bool // flush every record at once
	checkpoint []byte
}

type child struct {
	cat    *jobs.Catalog
	save   time.Duration // between saves; set before the first run
	runs   chan childRun
	study  *jobs.Study
	runner *trial.Runner
	of     *jobs.Study // whose trials runner runs
	now    childRun    // what runner's callbacks belong to

	mu     sync.Mutex // out and the two below
	out    *bufio.Writer
	cancel context.CancelFunc
	stop   chan struct{}
}

func (c *child) send(kind byte, body []byte, flush bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := writeFrame(c.out, kind, body); err != nil {
		return err
	}
	if flush {
		return c.out.Flush()
	}
	return nil
}

// flusher bounds how long a record waits in the buffer: the supervisor takes
// the first trial without a record for the one in hand.
func (c *child) flusher(ctx context.Context) {
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.mu.Lock()
			_ = c.out.Flush() // a broken pipe ends read as well
			c.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

func (c *child) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel()
}

// read obeys the supervisor until its pipe closes.
func (c *child) read(ctx context.Context, in *bufio.Reader) error {
	var checkpoint []byte
	for {
		kind, body, err := readFrame(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch kind {
		case frameOptions:
			n, _, ok := cutUvarint(body)
			if !ok || c.study != nil {
				return errFrame
			}
			c.save = time.Duration(n)
		case framePlan:
			s, err := jobs.DecodeStudy(body, c.cat)
			if err != nil {
				return err
			}
			c.study = s
		case frameCheckpoint:
			checkpoint = body
		case frameRun:
			r, err := decodeRun(body)
			if err != nil || c.study == nil {
				return errFrame
			}
			runCtx, cancel := context.WithCancel(ctx)
			r.ctx, r.cancel, r.stop, r.study, r.checkpoint = runCtx, cancel, make(chan struct{}), c.study, checkpoint
			checkpoint = nil
			c.mu.Lock()
			c.cancel, c.stop = cancel, r.stop
			c.mu.Unlock()
			c.runs <- r
		case frameStop:
			c.mu.Lock()
			if c.stop != nil {
				close(c.stop)
				c.stop = nil
			}
			c.mu.Unlock()
		case frameInterrupt:
			c.interrupt()
		default:
			return errFrame
		}
	}
}

func (c *child) run(r childRun) {
	defer r.cancel()
	c.now = r
	if c.of != r.study {
		c.of = r.study
		c.runner = trial.New(r.study, c.cat, trial.Options{
			CheckpointAfter: c.save,
			Save: func(n uint64, state []byte) error {
				return c.send(frameKeep, append(binary.AppendUvarint(nil, n), state...), true)
			},
			Load: func(n uint64) []byte {
				if len(c.now.checkpoint) > 0 && n == c.now.ranges[0].From {
					return c.now.checkpoint
				}
				return nil
			},
		})
	}
	var buf []byte
	err := eachTrial(r.ctx, r.stop, r.ranges, func(n uint64) error {
		rec, err := c.runner.Run(r.ctx, n)
		if err != nil {
			return err
		}
		return c.sendRecord(&buf, &rec, r.alone)
	})
	why := ""
	switch {
	case errors.Is(err, trial.ErrInterrupted):
		why = "interrupted"
	case err != nil:
		why = err.Error()
	}
	_ = c.send(frameEnd, []byte(why), true) // a broken pipe ends read as well
}

func (c *child) sendRecord(buf *[]byte, rec *results.Record, flush bool) error {
	b, err := rec.AppendBinary((*buf)[:0])
	if err != nil {
		return err
	}
	*buf = b
	return c.send(frameRecord, b, flush)
}

func encodeRun(ranges []jobs.Range, alone bool) []byte {
	b := []byte{0}
	if alone {
		b[0] = 1
	}
	for _, r := range ranges {
		b = binary.AppendUvarint(b, r.From)
		b = binary.AppendUvarint(b, r.To)
	}
	return b
}

func decodeRun(b []byte) (childRun, error) {
	if len(b) < 1 {
		return childRun{}, errFrame
	}
	r := childRun{alone: b[0] == 1}
	b = b[1:]
	for len(b) > 0 {
		from, n := binary.Uvarint(b)
		if n <= 0 {
			return childRun{}, errFrame
		}
		to, m := binary.Uvarint(b[n:])
		if m <= 0 || to <= from {
			return childRun{}, errFrame
		}
		r.ranges = append(r.ranges, jobs.Range{From: from, To: to})
		b = b[n+m:]
	}
	if len(r.ranges) == 0 {
		return childRun{}, errFrame
	}
	return r, nil
}
