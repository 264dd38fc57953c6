package faultproxy

import (
	"io"
	"net"
	"testing"
	"time"
)

// echo answers with what it is sent.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func open(t *testing.T) (*Proxy, net.Conn) {
	t.Helper()
	p, err := New(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return p, c
}

// turn sends a byte and waits for its echo until a deadline.
func turn(c net.Conn, within time.Duration) (time.Duration, error) {
	start := time.Now()
	if err := c.SetDeadline(start.Add(within)); err != nil {
		return 0, err
	}
	if _, err := c.Write([]byte{1}); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return time.Since(start), err
}

func TestDelay(t *testing.T) {
	t.Parallel()
	p, c := open(t)
	if _, err := turn(c, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	p.Set(Mode{Delay: 50 * time.Millisecond}, false)
	took, err := turn(c, 10*time.Second)
	if err != nil || took < 100*time.Millisecond {
		t.Errorf("a turn took %v (%v), want at least twice the delay of 50ms", took, err)
	}
}

func TestStall(t *testing.T) {
	t.Parallel()
	p, c := open(t)
	p.Set(Mode{Stall: true}, false)
	if _, err := turn(c, 100*time.Millisecond); err == nil {
		t.Error("a byte came through a stalled connection")
	}
	p.Set(Mode{}, false)
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Errorf("what was held back never came: %v", err)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	p, c := open(t)
	if _, err := turn(c, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	p.Set(Mode{Refuse: true}, true)
	if _, err := turn(c, 10*time.Second); err == nil {
		t.Error("a connection that was cut answers")
	}
	if d, err := net.Dial("tcp", p.Addr()); err == nil {
		if _, err := turn(d, 10*time.Second); err == nil {
			t.Error("a connection that is refused answers")
		}
		_ = d.Close()
	}
	p.Set(Mode{}, false)
	d, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := turn(d, 10*time.Second); err != nil {
		t.Errorf("a new connection after the cut: %v", err)
	}
}
