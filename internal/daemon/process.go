// Package daemon starts other programs, redis-server and nats-server among them,
// for the tests and for `overnight chaos`: each in a process group of its own,
// with its output in a file, killed when this process ends. Start with Start.
package daemon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Process is a running program.
type Process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when it has ended

	mu  sync.Mutex
	err error
}

// Start starts a program whose output, both kinds, is appended to the file log.
// env is added to the environment.
func Start(log string, env []string, name string, args ...string) (*Process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(name, args...), log: f, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = attributes()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), f.Close())
	}
	go func() {
		err := p.cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		_ = f.Close()
		close(p.done)
	}()
	return p, nil
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err returns how the process ended, nil for exit status 0; only after Done.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Signal sends a signal; nothing happens where the process has ended.
func (p *Process) Signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = p.cmd.Process.Signal(s)
	}
}

// Kill ends the process with SIGKILL and waits for it.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Stop asks the process to end with SIGTERM, waits, and kills it after a while.
// It returns how it ended.
func (p *Process) Stop(within time.Duration) error {
	p.Signal(syscall.SIGTERM)
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-p.done:
		return p.Err()
	case <-t.C:
		p.Kill()
		return fmt.Errorf("it did not end within %v of SIGTERM", within)
	}
}

// FreePort returns a TCP port of 127.0.0.1 that nobody listened on just now. It
// lies below the ports that systems give to outgoing connections, so that none
// of these takes it before it is used.
func FreePort() (int, error) {
	var last error
	for range 100 {
		port := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("no free port between 20000 and 30000 found: %w", last)
}

// WaitPort waits until somebody accepts connections at addr.
func WaitPort(addr string, within time.Duration) error {
	end := time.Now().Add(within)
	for {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("nobody listens on %s after %v: %w", addr, within, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
