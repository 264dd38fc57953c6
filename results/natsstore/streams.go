package natsstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"overnight/results"
)

const (
	// maxStreams bounds the streams that are open. Each is a read transaction of
	// the served store.
	maxStreams = 64
	// pageWait is how long a request waits for a page before it gets an empty one.
	pageWait = 5 * time.Second
)

// streams are the scans and checks under way, by the names that their clients
// gave them.
type streams struct {
	mu     sync.Mutex
	open   map[id]*stream
	closed bool
}

// stream is one iteration over the served store, which waits until its client
// asks for the next page.
type stream struct {
	end   context.CancelFunc
	pages chan []byte // closed behind the last

	mu     sync.Mutex  // held while a request waits for a page
	number uint64      // of last
	last   []byte      // the page given last, which may be asked for again; nil before the first
	over   atomic.Bool // last is the last

	touched time.Time // guarded by streams.mu
}

// page answers a request for a page.
func (s *Server) page(ctx context.Context, body []byte) ([]byte, error) {
	q, err := decoded(decodePageRequest(body))
	if err != nil {
		return nil, err
	}
	st, err := s.streams.find(&q, s.stream)
	if err != nil {
		return nil, err
	}
	return st.page(ctx, q.page)
}

// find returns the stream of a request, which begins where it is for the first
// page.
func (ss *streams) find(q *pageRequest, begin func(*pageRequest) *stream) (*stream, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	st := ss.open[q.stream]
	switch {
	case st != nil:
	case q.page > 0 || ss.closed:
		return nil, ErrLost
	case !ss.room():
		return nil, fmt.Errorf("%w: %d scans are under way", errBusy, len(ss.open))
	default:
		st = begin(q)
		ss.open[q.stream] = st
	}
	st.touched = time.Now()
	return st, nil
}

// room tells whether one more can begin. Those that have given their last page
// read no more, and wait only for the word that it arrived.
func (ss *streams) room() bool {
	running := 0
	for name, st := range ss.open {
		switch {
		case !st.over.Load():
			running++
		case time.Since(st.touched) > evictable:
			delete(ss.open, name)
		}
	}
	return running < maxStreams && len(ss.open) < 4*maxStreams
}

// page returns page number n: the next, or the one before once more.
func (st *stream) page(ctx context.Context, n uint64) ([]byte, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.last != nil && n == st.number:
		return st.last, nil
	case st.over.Load() || st.last != nil && n != st.number+1 || st.last == nil && n != 0:
		return nil, ErrLost
	}
	page := []byte{0}
	wait := time.NewTimer(pageWait)
	defer wait.Stop()
	select {
	case p, ok := <-st.pages:
		if !ok {
			return nil, ErrLost // it ended before its last page
		}
		page = p
	case <-wait.C: // the client asks again, and is known to live
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	st.number, st.last = n, page
	st.over.Store(page[0] == 1)
	return page, nil
}

// keepStream says that a client is alive and slow.
func (s *Server) keepStream(_ context.Context, body []byte) ([]byte, error) {
	name, err := streamName(body)
	if err != nil {
		return nil, err
	}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	st := s.streams.open[name]
	if st == nil {
		return nil, ErrLost
	}
	st.touched = time.Now()
	return nil, nil
}

// closeStream says that a client wants no more.
func (s *Server) closeStream(_ context.Context, body []byte) ([]byte, error) {
	name, err := streamName(body)
	if err != nil {
		return nil, err
	}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	if st := s.streams.open[name]; st != nil {
		st.end()
		delete(s.streams.open, name)
	}
	return nil, nil
}

func streamName(body []byte) (id, error) {
	if len(body) != idSize {
		return id{}, refused("a stream's name of %d bytes", len(body))
	}
	return id(body), nil
}

// expire ends streams of which nobody has heard since then.
func (ss *streams) expire(then time.Time) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for name, st := range ss.open {
		if st.touched.Before(then) {
			st.end()
			delete(ss.open, name)
		}
	}
}

// close ends all streams, for good.
func (ss *streams) close() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.closed = true
	for _, st := range ss.open {
		st.end()
	}
	clear(ss.open)
}

// stream begins to read.
func (s *Server) stream(q *pageRequest) *stream {
	ctx, end := context.WithCancel(s.ctx)
	st := &stream{end: end, pages: make(chan []byte, 1)}
	s.others.Go(func() {
		defer end()
		defer close(st.pages)
		w := pageWriter{ctx: ctx, pages: st.pages, page: []byte{0}}
		s.fill(&w, q)
	})
	return st
}

// fill reads what a stream asks for into pages. A panic of the served store ends
// this stream alone.
func (s *Server) fill(w *pageWriter, q *pageRequest) {
	defer func() {
		if p := recover(); p != nil {
			w.page = appendErrorEntry(w.page, 0, fmt.Errorf("the coordinator's store panicked: %v", p))
			w.last()
		}
	}()
	switch q.form {
	case scanStream:
		for r, err := range s.store.Scan(w.ctx, q.study, q.from, q.to) {
			if !w.record(&r, err) {
				return
			}
		}
	case skimStream:
		for r, err := range results.Skim(w.ctx, s.store, q.study, q.from, q.to) {
			if !w.record(&r, err) {
				return
			}
		}
	case checkStream:
		k, ok := s.store.(results.Checker)
		if !ok {
			w.page = appendErrorEntry(w.page, 0, fmt.Errorf("the coordinator's store can't look for damage: %w", errors.ErrUnsupported))
			break
		}
		for d, err := range k.Check(w.ctx, q.study) {
			if err != nil {
				w.page = appendErrorEntry(w.page, 0, err)
			} else {
				w.page = appendDamageEntry(w.page, &d)
			}
			if !w.flush(pageSize) {
				return
			}
		}
	}
	w.last()
}

// pageWriter fills pages and passes them on.
type pageWriter struct {
	ctx     context.Context
	pages   chan<- []byte
	page    []byte
	scratch []byte
}

// record adds a record, or what is wrong with it; false where nobody wants more.
func (w *pageWriter) record(r *results.Record, err error) bool {
	if err == nil {
		before := len(w.page)
		w.page = append(w.page, recordEntry)
		if w.page, w.scratch, err = appendRecord(w.page, w.scratch, r); err != nil {
			w.page = w.page[:before]
		}
	}
	if err != nil {
		w.page = appendErrorEntry(w.page, r.Trial, err)
	}
	return w.flush(pageSize)
}

// flush passes the page on where it has at least size bytes.
func (w *pageWriter) flush(size int) bool {
	if len(w.page) < size {
		return w.ctx.Err() == nil
	}
	select {
	case w.pages <- w.page:
		w.page = append(make([]byte, 0, pageSize+pageSize/8), 0)
		return true
	case <-w.ctx.Done():
		return false
	}
}

func (w *pageWriter) last() {
	w.page[0] = 1
	w.flush(0)
}
