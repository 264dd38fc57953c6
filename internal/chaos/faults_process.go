package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"overnight/internal/daemon"
)

// lease is how long a process must be silent to be taken for lost, and a little.
const lease = 12 * time.Second

// victims chooses AtOnce of the workers.
func (l *lab) victims() []*daemon.Process {
	var out []*daemon.Process
	for _, i := range l.rng.Perm(len(l.workers))[:min(l.AtOnce, len(l.workers))] {
		out = append(out, l.workers[i])
	}
	return out
}

// forget removes a worker that is gone.
func (l *lab) forget(gone *daemon.Process) {
	for i, p := range l.workers {
		if p == gone {
			l.workers = append(l.workers[:i], l.workers[i+1:]...)
			return
		}
	}
}

func killWorkers(_ context.Context, l *lab, mark func()) (time.Time, string, error) {
	start := time.Now()
	for _, p := range l.victims() {
		p.Kill()
		l.forget(p)
	}
	mark()
	for len(l.workers) < l.Workers {
		if err := l.startWorker(); err != nil {
			return start, "", err
		}
	}
	return start, "", nil
}

func killSlot(_ context.Context, l *lab, mark func()) (time.Time, string, error) {
	parent := l.coords[0]
	if l.Engine != Embedded {
		parent = l.victims()[0]
	}
	children, err := childrenOf(parent.PID())
	if err != nil {
		return time.Time{}, "", err
	}
	if len(children) == 0 {
		return time.Time{}, "", errors.New("no slot has a process")
	}
	start := time.Now()
	if err := syscall.Kill(children[l.rng.IntN(len(children))], syscall.SIGKILL); err != nil {
		return start, "", fmt.Errorf("kill a slot's process: %w", err)
	}
	mark()
	return start, "", nil
}

// childrenOf returns the processes that a process started, from /proc.
func childrenOf(pid int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var out []int
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent ...; a name may hold anything.
		rest := string(b[strings.LastIndexByte(string(b), ')')+1:])
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err != nil {
				return nil, err
			}
			out = append(out, child)
		}
	}
	return out, nil
}

func killCoordinator(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	start := time.Now()
	for _, p := range l.coords {
		p.Kill()
	}
	l.coords = nil
	mark()
	pause(ctx, l.between(0, time.Second))
	return start, "", l.startCoordinator()
}

func drainCoordinator(_ context.Context, l *lab, mark func()) (time.Time, string, error) {
	start := time.Now()
	for _, p := range l.coords {
		p.Signal(syscall.SIGTERM)
	}
	for _, p := range l.coords {
		select {
		case <-p.Done():
		case <-time.After(20 * time.Second):
			return start, "", errors.New("the coordinator did not end within 20 s of SIGTERM")
		}
	}
	l.coords = nil
	mark()
	return start, "", l.startCoordinator()
}

func killRedis(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	mark()
	l.redis.Kill()
	pause(ctx, time.Second)
	start := time.Now()
	return start, "", l.redis.Restart()
}

func killNATS(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	mark()
	l.nats.Kill()
	pause(ctx, time.Second)
	start := time.Now()
	return start, "", l.startNATS()
}

func pauseWorkers(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	start := time.Now()
	victims := l.victims()
	for _, p := range victims {
		stopTree(p, syscall.SIGSTOP)
	}
	mark()
	pause(ctx, lease)
	for _, p := range victims {
		stopTree(p, syscall.SIGCONT)
	}
	return start, "", nil
}

// stopTree signals a worker and its children: a machine that sleeps.
func stopTree(p *daemon.Process, s syscall.Signal) {
	children, err := childrenOf(p.PID())
	p.Signal(s)
	if err != nil {
		return
	}
	for _, c := range children {
		_ = syscall.Kill(c, s) // it may have ended
	}
}

func pauseCoordinator(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	for _, p := range l.coords {
		p.Signal(syscall.SIGSTOP)
	}
	mark()
	pause(ctx, lease)
	start := time.Now()
	for _, p := range l.coords {
		p.Signal(syscall.SIGCONT)
	}
	return start, "", nil
}

// drain stops a worker in order and starts another.
func (l *lab) drain(p *daemon.Process) error {
	if err := p.Stop(20 * time.Second); err != nil {
		return fmt.Errorf("a worker that was drained: %w", err)
	}
	l.forget(p)
	return l.startWorker()
}

func drainWorker(_ context.Context, l *lab, mark func()) (time.Time, string, error) {
	start := time.Now()
	mark()
	return start, "", l.drain(l.victims()[0])
}

func rollingRestart(_ context.Context, l *lab, mark func()) (time.Time, string, error) {
	start := time.Now()
	all := append([]*daemon.Process(nil), l.workers...)
	for _, p := range all {
		mark()
		if err := l.drain(p); err != nil {
			return start, "", err
		}
	}
	return start, fmt.Sprintf("%d restarts each", len(all)), nil
}
