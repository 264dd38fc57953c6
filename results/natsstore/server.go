package natsstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"overnight/results"
)

// closeGrace is how long Close waits for requests that run before it ends their
// contexts.
const closeGrace = 5 * time.Second

// Server answers for a store on a NATS connection.
type Server struct {
	nc    *nats.Conn
	store results.Store
	o     Options
	log   *throttle
	ops   map[string]*op
	gates gates

	repeats repeats
	depot   depot
	load    load
	blobs   singleflight.Group
	streams streams
	follows follows

	ctx      context.Context // of all requests
	end      context.CancelFunc
	stop     func() bool // the watch over Serve's context
	requests sync.WaitGroup
	others   sync.WaitGroup // streams, followers, the sweeper

	mu     sync.RWMutex
	closed bool
	subs   []*nats.Subscription
	once   sync.Once
}

// Serve answers requests for store that come over nc, until Close or until ctx
// ends. One Server may answer in a namespace at a time. It closes neither store
// nor nc; close the Server before both.
func Serve(ctx context.Context, nc *nats.Conn, store results.Store, o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("serve the store: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Server{
		nc: nc, store: store, o: o, log: &throttle{log: o.Log}, gates: newGates(),
		repeats: repeats{calls: make(map[callKey]*call)},
		depot:   depot{limit: o.Memory, uploads: make(map[id]*upload), answers: make(map[digest]*long)},
		streams: streams{open: make(map[id]*stream)},
		follows: follows{running: make(map[string]*follow)},
	}
	s.ops = s.table()
	s.ctx, s.end = context.WithCancel(context.WithoutCancel(ctx))
	for _, role := range []string{"work.", "all."} {
		sub, err := nc.Subscribe(o.subject(role+">"), s.receive)
		if err == nil {
			// What is received never waits here, so the limit is for a stopped process.
			err = sub.SetPendingLimits(1<<16, 128<<20)
			s.subs = append(s.subs, sub)
		}
		if err != nil {
			s.end()
			return nil, errors.Join(fmt.Errorf("serve the store: subscribe to %s: %w", o.subject(role+">"), err), s.unsubscribe())
		}
	}
	// Subscribed at the server when Serve returns.
	if err := nc.FlushTimeout(10 * time.Second); err != nil {
		s.end()
		return nil, errors.Join(fmt.Errorf("serve the store: %w", err), s.unsubscribe())
	}
	s.others.Go(s.sweep)
	s.stop = context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func (s *Server) unsubscribe() error {
	var errs []error
	for _, sub := range s.subs {
		if err := sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close takes no more requests, lets those that run end and answers them.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.stop()
		err = s.unsubscribe()
		s.streams.close()
		s.follows.close()
		grace := time.AfterFunc(closeGrace, s.end)
		s.requests.Wait()
		grace.Stop()
		s.end()
		s.others.Wait()
		if !s.nc.IsClosed() {
			_ = s.nc.FlushTimeout(time.Second) // the last answers
		}
	})
	return err
}

// sweep drops what nobody asks for any more.
func (s *Server) sweep() {
	tick := time.NewTicker(s.o.silence / 8)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-tick.C:
			then := now.Add(-s.o.silence)
			s.repeats.expire(now.Add(-remembrance * s.o.silence))
			s.depot.expire(then)
			s.streams.expire(then)
			s.follows.expire(then)
		}
	}
}

// receive is called with one message at a time; it never waits.
func (s *Server) receive(m *nats.Msg) {
	name := strings.TrimPrefix(m.Subject, s.o.subject(""))
	// "_R_." is what a server makes of an inbox of another account.
	if m.Reply != "" && !strings.HasPrefix(m.Reply, "_INBOX") && !strings.HasPrefix(m.Reply, "_R_.") {
		s.log.warn("refused a request whose answer would go to no inbox", zap.String("subject", m.Subject), zap.String("reply", m.Reply))
		return
	}
	o, q, err := s.admit(name, m.Data)
	if err != nil {
		s.log.warn("refused a request", zap.String("subject", m.Subject), zap.Int("bytes", len(m.Data)), zap.Error(err))
		s.send(m.Reply, s.encode(answerTo(err)))
		return
	}
	key := callKey{name, q.id}
	first, known := s.repeats.begin(key, m.Reply)
	if !first {
		if known != nil {
			s.send(m.Reply, known)
		}
		return
	}
	if !s.enter(o, len(m.Data)) {
		s.finish(key, answerTo(errBusy), false)
		return
	}
	go func() {
		defer s.requests.Done()
		o.gate.start()
		a := s.run(o, &q)
		s.finish(key, a, o.remember && lasting(a.kind))
		s.load.remove(len(m.Data))
		o.gate.end()
	}()
}

// enter counts a request in, unless there are too many or the server closes.
func (s *Server) enter(o *op, bytes int) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed || !s.load.add(bytes) {
		return false
	}
	if !o.gate.enter() {
		s.load.remove(bytes)
		return false
	}
	s.requests.Add(1)
	return true
}

// admit finds the operation and reads the request.
func (s *Server) admit(name string, data []byte) (*op, request, error) {
	o := s.ops[name]
	if o == nil {
		return nil, request{}, refused("there is no operation %.40q; use the same overnight on both machines", name)
	}
	q, err := decodeRequest(data)
	if err != nil {
		return nil, request{}, refused("%w", err)
	}
	size := uint64(len(q.body))
	if q.upload != nil {
		size = q.upload.size
	}
	if size > o.limit {
		return nil, request{}, refused("%s of %d bytes, more than %d", name, size, o.limit)
	}
	return o, q, nil
}

// run runs an operation. A panic of the served store is an error of this request
// alone.
func (s *Server) run(o *op, q *request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("panic in the served store", zap.String("op", o.name), zap.Any("panic", p), zap.Stack("stack"))
			a = answer{kind: kindFailed, text: fmt.Sprintf("the coordinator's store panicked: %v", p)}
		}
	}()
	body := q.body
	if q.upload != nil {
		data, release, err := s.depot.body(q.upload)
		if err != nil {
			return answerTo(err)
		}
		defer release()
		body = data
	}
	if o.named {
		if f, ok := s.depot.named(body); ok {
			return answer{kind: kindLong, long: f}
		}
	}
	out, err := o.run(s.ctx, body)
	if err != nil {
		if errors.Is(err, errRefused) {
			s.log.warn("refused a request", zap.String("op", o.name), zap.Int("bytes", len(body)), zap.Error(err))
		}
		return answerTo(err)
	}
	if len(out) <= s.o.room(s.nc.MaxPayload()) {
		return answer{body: out}
	}
	f, err := s.depot.offer(out)
	if err != nil {
		return answerTo(err)
	}
	return answer{kind: kindLong, long: f}
}

func answerTo(err error) answer { return answer{kind: kindOf(err), text: err.Error()} }

// encode makes an answer that fits into a message.
func (s *Server) encode(a answer) []byte {
	a.text = a.text[:min(len(a.text), s.o.room(s.nc.MaxPayload()))]
	return a.encode()
}

// lasting tells whether an answer holds for a repeated request: it was not put
// off.
func lasting(k kind) bool {
	switch k {
	case kindBusy, kindClosing, kindExpired:
		return false
	}
	return true
}

func (s *Server) finish(key callKey, a answer, remember bool) {
	b := s.encode(a)
	for _, reply := range s.repeats.end(key, b, remember) {
		s.send(reply, b)
	}
}

// send publishes an answer; where that fails the client asks again.
func (s *Server) send(reply string, b []byte) {
	if reply == "" {
		return
	}
	if err := s.nc.Publish(reply, b); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		s.log.warn("an answer was not sent", zap.Int("bytes", len(b)), zap.Error(err))
	}
}
