package worker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
	"overnight/worker/trial"
)

// Isolation runs trials in child processes, one a slot, so that a trial that
// takes its process down takes nobody else's work along and limits can be
// enforced.
//
// A child that dies makes its job suspect: what is left of it runs trial by
// trial, each record on its way before the next trial begins. Three deaths
// there make the trial in hand Dead. Only deaths seen here count: a machine that
// vanishes condemns nobody. A trial that exceeds a limit is Overrun.
type Isolation struct {
	// Command is the child's command line; it must call Child on its standard
	// input and output.
	Command []string
}

const deathsUntilDead = 3

// slots makes the worker's slots.
func (w *worker) slots(ctx context.Context) ([]slot, error) {
	list := make([]slot, w.Slots)
	for i := range list {
		if w.Isolate == nil {
			list[i] = &local{w: w, ctx: ctx}
		} else {
			list[i] = &isolated{w: w, ctx: ctx}
		}
	}
	return list, nil
}

// isolated is a slot whose trials run in a child process.
type isolated struct {
	w     *worker
	ctx   context.Context // outlives the work: for checkpoints
	proc  *process
	study *loaded // what proc knows
}

func (s *isolated) close() {
	if s.proc != nil {
		s.proc.end()
		s.proc = nil
	}
}

func (s *isolated) run(ctx context.Context, stop <-chan struct{}, study *loaded, ranges []jobs.Range, emit func(results.Record)) error {
	left := newRemaining(ranges)
	cause, err := s.runIn(ctx, stop, study, left, left.ranges(), false, emit)
	for err == nil && cause != nil && cause.overrun == "" {
		// The child died: the rest runs trial by trial.
		var next *death
		next, err = s.alone(ctx, stop, study, left, emit)
		cause = next
	}
	if err == nil && cause != nil {
		emit(s.verdict(study, left.pop(), results.Overrun, 1, cause.took, cause.overrun))
		if !left.empty() {
			return s.run(ctx, stop, study, left.ranges(), emit)
		}
	}
	return err
}

// alone runs what is left one trial at a time, and gives up those that kill
// their process again and again.
func (s *isolated) alone(ctx context.Context, stop <-chan struct{}, study *loaded, left *remaining, emit func(results.Record)) (*death, error) {
	deaths, spent := uint32(0), time.Duration(0)
	for !left.empty() {
		n := left.first()
		d, err := s.runIn(ctx, stop, study, left, []jobs.Range{{From: n, To: n + 1}}, true, emit)
		switch {
		case err != nil:
			return nil, err
		case d == nil:
			deaths, spent = 0, 0
		case d.overrun != "":
			return d, nil
		default:
			deaths++
			spent += d.took
			s.w.Log.Warn("a trial's process died", zap.String("study", study.name), zap.Uint64("trial", n), zap.Uint32("deaths", deaths), zap.String("how", d.how))
			if deaths == deathsUntilDead {
				emit(s.verdict(study, left.pop(), results.Dead, deaths, spent, d.how))
				deaths, spent = 0, 0
			}
		}
	}
	return nil, nil
}

func (s *isolated) verdict(study *loaded, n uint64, status results.Status, attempts uint32, took time.Duration, why string) results.Record {
	point, replication := study.study.Split(n)
	return results.Record{Trial: n, Point: point, Replication: replication, Status: status, Attempts: attempts, Elapsed: took, Error: results.ClipError(why), Finished: time.Now()}
}

// death is how a child ended before its run did.
type death struct {
	how     string        // exit status and last output
	overrun string        // not empty: killed by us, for exceeding a limit while the trial was known
	took    time.Duration // how long the trial in hand had run
}

// runIn runs ranges in the slot's child. It returns a death where the child
// died, and ErrInterrupted where ctx or stop ended the run.
func (s *isolated) runIn(ctx context.Context, stop <-chan struct{}, study *loaded, left *remaining, ranges []jobs.Range, alone bool, emit func(results.Record)) (*death, error) {
	if ctx.Err() != nil {
		return nil, trial.ErrInterrupted
	}
	select {
	case <-stop:
		return nil, trial.ErrInterrupted
	default:
	}
	if s.proc == nil {
		p, err := s.start(study)
		if err != nil {
			return nil, err
		}
		s.proc, s.study = p, nil
	}
	p := s.proc
	if s.study != study {
		p.write(framePlan, study.body)
		s.study = study
	}
	if len(ranges) == 1 && ranges[0].To-ranges[0].From == 1 {
		if b, err := s.w.Store.Checkpoint(s.ctx, study.name, study.generation, ranges[0].From); err == nil {
			p.write(frameCheckpoint, b)
		}
	}
	p.write(frameRun, encodeRun(ranges, alone))
	return s.follow(ctx, stop, study, left, alone, emit)
}

// follow reads what the child says until its run or its life ends.
func (s *isolated) follow(ctx context.Context, stop <-chan struct{}, study *loaded, left *remaining, alone bool, emit func(results.Record)) (*death, error) {
	p := s.proc
	limits := study.study.Limits
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	since := time.Now()
	done := ctx.Done()
	overrun, suspect, victim := "", false, uint64(0)
	ticked := since
	for {
		select {
		case f, ok := <-p.frames:
			if !ok {
				how := p.wait()
				s.proc = nil
				// A record that came after the decision clears its trial.
				if overrun != "" && !suspect && !left.empty() && left.first() == victim {
					return &death{overrun: overrun, took: max(0, time.Since(since))}, nil
				}
				if left.empty() {
					return nil, nil
				}
				return &death{how: how, took: max(0, time.Since(since))}, nil
			}
			switch f.kind {
			case frameRecord:
				var r results.Record
				if err := r.UnmarshalBinary(f.body); err != nil || !left.take(r.Trial) {
					p.kill()
					continue
				}
				emit(r) // may wait for the store; that is not the trial's time
				since = time.Now()
			case frameKeep:
				s.keep(study, f.body)
			case frameEnd:
				if why := string(f.body); why == "interrupted" {
					return nil, trial.ErrInterrupted
				} else if why != "" {
					return nil, errors.New(why)
				}
				return nil, nil
			}
		case <-stop:
			p.write(frameStop, nil)
			stop = nil
		case <-done:
			p.write(frameInterrupt, nil)
			done = nil
			wait := time.Second // an endless episode never looks
			if errors.Is(context.Cause(ctx), errCancelled) {
				wait = 200 * time.Millisecond // nothing of it would be kept
			}
			p.killAfter(wait)
		case <-tick.C:
			// A supervisor that slept (a stopped process, a stalled store) has not
			// watched: that time is nobody's.
			now := time.Now()
			if gap := now.Sub(ticked); gap > time.Second {
				since = since.Add(gap)
			}
			ticked = now
			if overrun != "" || left.empty() || len(p.frames) > 0 {
				continue
			}
			if ctx.Err() != nil && p.overdue() {
				p.kill()
				for range p.frames {
				}
				p.wait()
				s.proc = nil
				return nil, trial.ErrInterrupted
			}
			if limits.Time > 0 && time.Since(since) > limits.Time+100*time.Millisecond {
				overrun, victim = fmt.Sprintf("time limit of %v exceeded", limits.Time), left.first()
				p.kill()
			} else if limits.Memory > 0 {
				if rss := p.memory(); rss > limits.Memory {
					overrun = fmt.Sprintf("memory limit of %d MB exceeded: %d MB in use", limits.Memory/1e6, rss/1e6)
					suspect, victim = !alone, left.first() // earlier trials' garbage may be to blame
					p.kill()
				}
			}
		}
	}
}

func (s *isolated) keep(study *loaded, body []byte) {
	n, state, ok := cutUvarint(body)
	if !ok {
		return
	}
	if err := s.w.Store.SaveCheckpoint(s.ctx, study.name, study.generation, n, state); err != nil {
		s.w.Log.Warn("save checkpoint", zap.Uint64("trial", n), zap.Error(err))
	}
}

// start starts a child and waits until it answers.
func (s *isolated) start(study *loaded) (*process, error) {
	cmd := exec.Command(s.w.Isolate.Command[0], s.w.Isolate.Command[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	if m := study.study.Limits.Memory; m > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMEMLIMIT=%d", m*8/10))
	}
	setDeathSignal(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, in: bufio.NewWriter(in), stdin: in, frames: make(chan frame, 64)}
	cmd.Stderr = &p.tail
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start child: %w", err)
	}
	go p.read(out)
	f, ok := <-p.frames
	if !ok || f.kind != frameHere || len(f.body) != 1 || f.body[0] != wireVersion {
		p.kill()
		for range p.frames {
		}
		return nil, fmt.Errorf("start child %s: %s", strings.Join(s.w.Isolate.Command, " "), p.wait())
	}
	p.write(frameOptions, binary.AppendUvarint(nil, uint64(s.w.CheckpointAfter)))
	return p, nil
}

type frame struct {
	kind byte
	body []byte
}

// process is a running child.
type process struct {
	cmd    *exec.Cmd
	in     *bufio.Writer
	stdin  io.Closer
	frames chan frame // closed at its end
	tail   tail
	late   atomic.Bool
}

func (p *process) read(out io.Reader) {
	defer close(p.frames)
	r := bufio.NewReaderSize(out, 64<<10)
	for {
		kind, body, err := readFrame(r)
		if err != nil {
			return
		}
		p.frames <- frame{kind, body}
	}
}

// write sends a frame. An error means that the child is gone, which frames tells
// as well.
func (p *process) write(kind byte, body []byte) {
	if err := writeFrame(p.in, kind, body); err == nil {
		_ = p.in.Flush()
	}
}

func (p *process) kill()                     { _ = p.cmd.Process.Kill() }
func (p *process) overdue() bool             { return p.late.Load() }
func (p *process) killAfter(d time.Duration) { time.AfterFunc(d, func() { p.late.Store(true) }) }

// wait reaps the child and tells how it ended and what it printed last.
func (p *process) wait() string {
	_ = p.stdin.Close()
	err := p.cmd.Wait()
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	if t := p.tail.String(); t != "" {
		how += "; last output:\n" + t
	}
	return how
}

// end asks the child to go by closing its input.
func (p *process) end() {
	_ = p.stdin.Close()
	for range p.frames {
	}
	p.wait()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > tailSize {
		t.b = append(t.b[:0], t.b[len(t.b)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
