package sqlitestore

import (
	"errors"
	"path/filepath"
	"sync"

	"overnight/results/sqlitestore/internal/engine"
)

// maxIdle is how many connections a pool keeps open without use.
const maxIdle = 4

// pool keeps connections for reading.
type pool struct {
	open func() (*engine.Conn, error)

	mu     sync.Mutex
	idle   []*engine.Conn
	closed bool
}

// take returns a connection that is the caller's until put.
func (p *pool) take() (*engine.Conn, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.open()
}

func (p *pool) put(c *engine.Conn) {
	if c.InTransaction() {
		_ = c.Exec("ROLLBACK") // it only read
	}
	c.Trim()
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < maxIdle
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.Close() // nothing can be lost with a connection that read
	}
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.Close())
	}
	p.idle = nil
	return errors.Join(errs...)
}

// openReader opens a connection that can't write.
func (s *Store) openReader() (*engine.Conn, error) {
	c, err := engine.Open(filepath.Join(s.dir, fileName), false)
	if err != nil {
		return nil, s.failure("open the store for reading", err)
	}
	c.SetBusyTimeout(s.options.BusyTimeout)
	if err := c.Exec("PRAGMA query_only = ON"); err != nil {
		return nil, errors.Join(s.failure("open the store for reading", err), c.Close())
	}
	return c, nil
}

// read calls fn with a connection inside a read transaction: everything it reads
// is of one moment, and commits go on beside it.
func (s *Store) read(fn func(*engine.Conn) error) error {
	c, err := s.readers.take()
	if err != nil {
		return err
	}
	defer s.readers.put(c)
	if err := c.Exec("BEGIN"); err != nil {
		return s.failure("begin to read", err)
	}
	return fn(c) // put ends the transaction
}
