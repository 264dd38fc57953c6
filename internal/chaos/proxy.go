package chaos

import (
	"net"
	"sync"
	"time"
)

// proxy passes TCP connections on to a target, or doesn't.
type proxy struct {
	l      net.Listener
	target string

	mu      sync.Mutex
	changed chan struct{} // closed when what follows changes
	refuse  bool          // new connections end at once
	stall   bool          // connections stay open and nothing passes: half-open
	delay   time.Duration // of each chunk
	conns   map[net.Conn]struct{}
	closed  bool
	wg      sync.WaitGroup
}

func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{l: l, target: target, changed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	p.wg.Go(func() { p.acceptOn(l) })
	return p, nil
}

func (p *proxy) addr() string { return p.l.Addr().String() }

func (p *proxy) acceptOn(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

// keep remembers a connection, or closes it where there is to be none.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.refuse {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *proxy) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *proxy) serve(c net.Conn) {
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

// pass copies what comes from one side to the other until either ends.
func (p *proxy) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			p.hold()
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hold waits for as long as the fault wants it.
func (p *proxy) hold() {
	for {
		p.mu.Lock()
		stall, delay, changed, closed := p.stall, p.delay, p.changed, p.closed
		p.mu.Unlock()
		if closed || !stall && delay == 0 {
			return
		}
		if !stall {
			time.Sleep(delay)
			return
		}
		<-changed
	}
}

// set changes what the proxy does; with cut, open connections are reset.
func (p *proxy) set(change func(p *proxy), cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
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

func (p *proxy) close() {
	_ = p.l.Close()
	p.set(func(p *proxy) { p.closed = true }, true)
	p.wg.Wait()
}

// also listens on another address of this machine until stop is called.
func (p *proxy) also(host string) (port string, stop func(), err error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", nil, err
	}
	p.wg.Go(func() { p.acceptOn(l) })
	_, port, err = net.SplitHostPort(l.Addr().String())
	return port, func() { _ = l.Close() }, err
}
