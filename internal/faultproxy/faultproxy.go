// Package faultproxy passes TCP connections on to a target, late, cut or not at
// all. Start with New and Proxy.Set.
package faultproxy

import (
	"net"
	"sync"
	"time"
)

// Mode is what a proxy does to its connections.
type Mode struct {
	Refuse bool          // new connections end at once
	Stall  bool          // connections stay open and nothing passes: half-open
	Delay  time.Duration // of everything that passes, each way
}

// Proxy listens on a port of 127.0.0.1.
type Proxy struct {
	l      net.Listener
	target string

	mu      sync.Mutex
	mode    Mode
	changed chan struct{} // closed when mode changes
	conns   map[net.Conn]struct{}
	closed  bool
	wg      sync.WaitGroup
}

// New returns a proxy before target, as HOST:PORT, that passes everything on.
func New(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{l: l, target: target, changed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	p.wg.Go(func() { p.accept(l) })
	return p, nil
}

// Addr is where it listens.
func (p *Proxy) Addr() string { return p.l.Addr().String() }

// Also listens on another address of this machine until stop is called.
func (p *Proxy) Also(host string) (port string, stop func(), err error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", nil, err
	}
	p.wg.Go(func() { p.accept(l) })
	_, port, err = net.SplitHostPort(l.Addr().String())
	return port, func() { _ = l.Close() }, err
}

// Set changes what the proxy does; with cut, open connections are reset.
func (p *Proxy) Set(m Mode, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	close(p.changed)
	p.changed = make(chan struct{})
	if !cut {
		return
	}
	for c := range p.conns {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset, not an orderly end
		}
		_ = c.Close()
	}
}

// Open returns how many connections are open, both ends of each counted.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Close resets all connections and waits until nothing runs any more.
func (p *Proxy) Close() {
	_ = p.l.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Set(Mode{Refuse: true}, true)
	p.wg.Wait()
}

func (p *Proxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

// keep remembers a connection, or closes it where there is to be none.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.mode.Refuse {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) serve(c net.Conn) {
	if !p.keep(c) {
		return
	}
	defer p.drop(c)
	t, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil || !p.keep(t) {
		return
	}
	defer p.drop(t)
	var both sync.WaitGroup
	both.Go(func() { p.pass(t, c) })
	both.Go(func() { p.pass(c, t) })
	both.Wait()
}

// chunk is what was read at a time.
type chunk struct {
	b  []byte
	at time.Time
}

// pass copies what comes from one side to the other until either ends. Reading
// goes on while chunks wait for their time: a delay costs no throughput.
func (p *Proxy) pass(to, from net.Conn) {
	defer from.Close()
	way := make(chan chunk, 256)
	var writing sync.WaitGroup
	writing.Go(func() {
		defer to.Close()
		for c := range way {
			p.hold(c.at)
			if _, err := to.Write(c.b); err != nil {
				_ = from.Close()
				for range way { // the reader may be waiting
				}
				return
			}
		}
	})
	for {
		b := make([]byte, 32<<10)
		n, err := from.Read(b)
		if n > 0 {
			way <- chunk{b[:n], time.Now()}
		}
		if err != nil {
			break
		}
	}
	close(way)
	writing.Wait()
}

// hold waits for as long as the mode wants what came at a time to wait.
func (p *Proxy) hold(at time.Time) {
	for {
		p.mu.Lock()
		mode, changed, closed := p.mode, p.changed, p.closed
		p.mu.Unlock()
		wait := time.Until(at.Add(mode.Delay))
		switch {
		case closed || !mode.Stall && wait <= 0:
			return
		case mode.Stall:
			<-changed
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-changed:
		}
		t.Stop()
	}
}
