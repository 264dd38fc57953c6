package natsstore

import (
	"sync"
	"time"
)

// Bounds of what repeats remembers, beside its time.
const (
	maxRemembered      = 1 << 15
	maxRememberedBytes = 16 << 20
	maxWaiters         = 8 // repeated requests that wait for one answer
	remembrance        = 2 // times Options.silence
)

// callKey names a request.
type callKey struct {
	op string
	id id
}

// call is a request that is under way, or has been answered.
type call struct {
	replies []string // subjects that wait for the answer
	answer  []byte   // nil while it is under way
	ended   time.Time
}

// repeats gives repeated requests the answer of the first.
type repeats struct {
	mu    sync.Mutex
	calls map[callKey]*call
	ended []callKey // oldest first
	bytes int
}

// begin tells what to do with a request: run it (first), answer it with what is
// returned, or, where that is nil, nothing, since it will be answered.
func (p *repeats) begin(key callKey, reply string) (first bool, answer []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.calls[key]
	if !ok {
		p.calls[key] = &call{replies: []string{reply}}
		return true, nil
	}
	if c.answer == nil {
		if len(c.replies) == maxWaiters {
			c.replies = c.replies[1:]
		}
		c.replies = append(c.replies, reply)
	}
	return false, c.answer
}

// end returns whom to give the answer, and remembers it where that is asked.
func (p *repeats) end(key callKey, answer []byte, remember bool) (replies []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[key]
	replies = c.replies
	if !remember {
		delete(p.calls, key)
		return replies
	}
	c.replies, c.answer, c.ended = nil, answer, time.Now()
	p.ended = append(p.ended, key)
	p.bytes += len(answer)
	for len(p.ended) > maxRemembered || p.bytes > maxRememberedBytes {
		p.forget()
	}
	return replies
}

// forget drops the oldest answer.
func (p *repeats) forget() {
	key := p.ended[0]
	p.ended = p.ended[1:]
	p.bytes -= len(p.calls[key].answer)
	delete(p.calls, key)
}

// expire drops the answers from before then.
func (p *repeats) expire(then time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ended) > 0 && p.calls[p.ended[0]].ended.Before(then) {
		p.forget()
	}
}
