package web

import (
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Failed authentications: an address may fail burst times, and again once per
// refill.
const (
	burst       = 10
	refill      = 6 * time.Second
	maxLimiting = 4096 // addresses
)

// limiter counts the failures of each address, /64 of IPv6. It keeps the time at
// which an address will have no failure left to forget.
type limiter struct {
	mu      sync.Mutex
	cleared map[string]time.Time
}

func newLimiter() *limiter { return &limiter{cleared: map[string]time.Time{}} }

// blocked returns how long nothing is looked at that comes from an address.
func (l *limiter) blocked(from string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.cleared[network(from)]
	if !known {
		return 0
	}
	return max(0, time.Until(at)-(burst-1)*refill)
}

// fail counts a failure.
func (l *limiter) fail(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	key := network(from)
	if _, known := l.cleared[key]; !known && len(l.cleared) >= maxLimiting {
		l.forget(now)
	}
	at := l.cleared[key]
	if at.Before(now) {
		at = now
	}
	l.cleared[key] = at.Add(refill)
}

// forget makes room. It looks at a few addresses only, in no order: at those whose
// failures are over first.
func (l *limiter) forget(now time.Time) {
	looked, freed, last := 0, false, ""
	for k, t := range l.cleared {
		if t.Before(now) {
			delete(l.cleared, k)
			freed = true
		}
		if last = k; looked == 64 {
			break
		}
		looked++
	}
	if !freed {
		delete(l.cleared, last)
	}
}

// network is what an attacker has many addresses of.
func network(from string) string {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// seconds is a time for Retry-After, at least 1.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(math.Ceil(d.Seconds())))) }
