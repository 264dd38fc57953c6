package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"overnight/internal/daemon"
	"overnight/internal/faultproxy"
)

// workerWays are the proxies before the workers.
func (l *lab) workerWays() []*faultproxy.Proxy {
	if l.Engine == Joined {
		return l.ways
	}
	return l.ways[:len(l.ways)/2]
}

func (l *lab) through(m faultproxy.Mode, cut bool) {
	for _, p := range l.workerWays() {
		p.Set(m, cut)
	}
}

// connected waits until workers have connections that a fault can meet.
func (l *lab) connected(ctx context.Context) error {
	return l.until(ctx, 20*time.Second, "workers are connected", func() bool {
		return !slices.ContainsFunc(l.workerWays(), func(p *faultproxy.Proxy) bool { return p.Open() == 0 })
	})
}

func cut(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	if err := l.connected(ctx); err != nil {
		return time.Time{}, "", err
	}
	l.through(faultproxy.Mode{Refuse: true}, true)
	mark()
	pause(ctx, 3*time.Second)
	l.through(faultproxy.Mode{}, false)
	return time.Now(), "", nil
}

func slow(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	if err := l.connected(ctx); err != nil {
		return time.Time{}, "", err
	}
	l.through(faultproxy.Mode{Delay: 100 * time.Millisecond}, false)
	mark()
	pause(ctx, 5*time.Second)
	l.through(faultproxy.Mode{}, false)
	return time.Now(), "", nil
}

func halfOpen(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	if err := l.connected(ctx); err != nil {
		return time.Time{}, "", err
	}
	l.through(faultproxy.Mode{Stall: true}, false)
	mark()
	pause(ctx, lease)
	l.through(faultproxy.Mode{}, false)
	return time.Now(), "", nil
}

// needNamespaces tries to make a network namespace.
func needNamespaces() string {
	if _, err := exec.LookPath("ip"); err != nil {
		return "needs iproute2: apt-get install iproute2"
	}
	name := fmt.Sprintf("overnight-%d", os.Getpid())
	if err := ip("netns", "add", name); err != nil {
		return "needs the right to make network namespaces: " + err.Error()
	}
	if err := ip("netns", "del", name); err != nil {
		return err.Error()
	}
	return ""
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// namespace starts one more worker in a network namespace of its own, which
// reaches the servers over a pair of virtual links, and takes the link down.
func namespace(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	id := os.Getpid() % 10000
	name, outer, inner := fmt.Sprintf("overnight-%d", id), fmt.Sprintf("ovn%do", id), fmt.Sprintf("ovn%di", id)
	third, fourth := id/200%200, id%200
	here, there := fmt.Sprintf("10.%d.%d.1", 100+third/2, fourth), fmt.Sprintf("10.%d.%d.2", 100+third/2, fourth)
	if err := ip("netns", "add", name); err != nil {
		return time.Time{}, "", err
	}
	defer func() {
		if derr := ip("netns", "del", name); err == nil {
			err = derr
		}
	}()
	for _, args := range [][]string{
		{"link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name},
		{"addr", "add", here + "/30", "dev", outer},
		{"link", "set", outer, "up"},
		{"-n", name, "addr", "add", there + "/30", "dev", inner},
		{"-n", name, "link", "set", inner, "up"},
		{"-n", name, "link", "set", "lo", "up"},
	} {
		if err := ip(args...); err != nil {
			return time.Time{}, "", err
		}
	}
	args := append([]string{"netns", "exec", name, l.Binary}, l.workerArgs()...)
	for _, p := range l.workerWays() { // each listens on the link too
		port, stop, err := p.Also(here)
		if err != nil {
			return time.Time{}, "", err
		}
		defer stop()
		for i := range args {
			args[i] = strings.Replace(args[i], p.Addr(), net.JoinHostPort(here, port), 1)
		}
	}
	p, err := daemon.Start(l.path("namespace.log"), l.env(), "ip", args...)
	if err != nil {
		return time.Time{}, "", err
	}
	defer p.Kill()
	err = l.until(ctx, 20*time.Second, "the worker in the namespace beats", func() bool {
		ws, err := l.store.Workers(ctx)
		if err != nil {
			return false
		}
		for _, w := range ws {
			if strings.HasSuffix(w.ID, fmt.Sprintf("-%d-1", p.PID())) && len(w.Held) > 0 {
				return true
			}
		}
		return false
	})
	if err != nil {
		return time.Time{}, "", fmt.Errorf("%w: %s", err, lastLine(l.path("namespace.log")))
	}
	start := time.Now()
	if err := ip("link", "set", outer, "down"); err != nil {
		return start, "", err
	}
	mark()
	pause(ctx, lease)
	if err := ip("link", "set", outer, "up"); err != nil {
		return start, "", err
	}
	pause(ctx, 3*time.Second)
	return start, "", p.Stop(20 * time.Second)
}
