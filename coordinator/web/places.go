package web

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
)

// Answers that are streamed at once.
const (
	maxStreams    = 64 // in all
	maxOwnStreams = 16 // of one onlooker, so that nobody takes the places of all others
)

// places counts the answers that are being streamed.
type places struct {
	mu  sync.Mutex
	all int
	of  map[onlooker]int
}

func newPlaces() *places { return &places{of: map[onlooker]int{}} }

// onlooker is somebody who streams: a session of a browser, else a token, else an
// address.
type onlooker struct {
	key  [sha256.Size]byte
	from string
}

// onlookerKey leads to the onlooker who asks.
type onlookerKey struct{}

// viewing notes who asks.
func viewing(r *http.Request, p principal) context.Context {
	v := onlooker{key: p.sum}
	switch {
	case p.cookie:
		v.key = p.session
	case p.sum == [sha256.Size]byte{}:
		v.from = remote(r)
	}
	return context.WithValue(r.Context(), onlookerKey{}, v)
}

// share is how many places an onlooker may take. Who needs no token on this machine is
// alone with all of them.
func (v onlooker) share() int {
	if ip, err := netip.ParseAddr(v.from); err == nil && ip.Unmap().IsLoopback() {
		return maxStreams
	}
	return maxOwnStreams
}

// take takes a place for an onlooker until done is called.
func (p *places) take(v onlooker) (done func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.of[v] >= v.share():
		return nil, &problem{status: http.StatusTooManyRequests, text: fmt.Sprintf("%d answers are being streamed to you already: close some", p.of[v])}
	case p.all >= maxStreams:
		return nil, &problem{status: http.StatusServiceUnavailable, text: "too many answers are being streamed: try again later"}
	}
	p.all++
	p.of[v]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all--
		if p.of[v]--; p.of[v] == 0 {
			delete(p.of, v)
		}
	}, nil
}

// stream takes a place among the answers that are streamed, for who asks; the
// error is the answer where there is none.
func (a *api) stream(ctx context.Context) (done func(), err error) {
	v, _ := ctx.Value(onlookerKey{}).(onlooker)
	return a.places.take(v)
}
