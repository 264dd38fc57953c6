package web

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestPlaces holds that each who streams has a share, that the whole is bounded,
// and that places come free again.
func TestPlaces(t *testing.T) {
	t.Parallel()
	status := func(err error) int {
		var p *problem
		if errors.As(err, &p) {
			return p.status
		}
		return 0
	}
	by := func(p principal, from string) onlooker {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = from + ":4711"
		v, _ := viewing(r, p).Value(onlookerKey{}).(onlooker)
		return v
	}
	one, two := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("two"))
	for name, c := range map[string]struct {
		who, same, other onlooker // the same one, from elsewhere; somebody else
		share            int
	}{
		"tokens":    {by(principal{sum: one}, "10.0.0.1"), by(principal{sum: one}, "10.0.0.2"), by(principal{sum: two}, "10.0.0.1"), maxOwnStreams},
		"sessions":  {by(principal{sum: one, cookie: true, session: one}, "10.0.0.1"), by(principal{sum: one, cookie: true, session: one}, "10.0.0.2"), by(principal{sum: one, cookie: true, session: two}, "10.0.0.1"), maxOwnStreams},
		"a session": {by(principal{sum: one, cookie: true, session: two}, "127.0.0.1"), by(principal{sum: one, cookie: true, session: two}, "127.0.0.1"), by(principal{sum: one}, "127.0.0.1"), maxOwnStreams},
		"addresses": {by(principal{}, "10.0.0.1"), by(principal{}, "10.0.0.1"), by(principal{}, "10.0.0.2"), maxOwnStreams},
		"loopback":  {by(principal{}, "127.0.0.1"), by(principal{}, "127.0.0.1"), by(principal{}, "10.0.0.2"), maxStreams},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlaces()
			var done []func()
			for i := range c.share {
				who := c.who
				if i%2 == 1 {
					who = c.same
				}
				leave, err := p.take(who)
				if err != nil {
					t.Fatalf("place %d: %v", i, err)
				}
				done = append(done, leave)
			}
			if _, err := p.take(c.same); status(err) != http.StatusTooManyRequests {
				t.Errorf("beyond the share: %v", err)
			}
			leave, err := p.take(c.other)
			if c.share < maxStreams && err != nil {
				t.Errorf("somebody else: %v", err)
			}
			if err == nil {
				leave()
			}
			done[0]()
			if leave, err = p.take(c.who); err != nil {
				t.Errorf("a place came free: %v", err)
			}
			done[0] = leave
			for _, leave := range done {
				leave()
			}
			if p.all != 0 || len(p.of) != 0 {
				t.Errorf("%d places taken at the end, by %d", p.all, len(p.of))
			}
		})
	}
	p := newPlaces()
	for i := range maxStreams {
		if _, err := p.take(onlooker{key: sha256.Sum256([]byte{byte(i)})}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.take(onlooker{key: one}); status(err) != http.StatusServiceUnavailable {
		t.Errorf("beyond all places: %v", err)
	}
}
