package natsstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Waits between the attempts of a request that is not taken.
const (
	firstPause = 20 * time.Millisecond
	longPause  = time.Second
)

// maxPatience is how long an attempt waits for its answer at most: repeating too
// soon what a busy coordinator works on makes it busier.
const maxPatience = 16 * time.Second

// call runs an operation and returns its answer of at most most bytes. It begins
// again where the server has lost what was sent so far.
func (s *Store) call(ctx context.Context, op string, body []byte, most uint64) ([]byte, error) {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if op != opBeat && op != opLease && op != opStreamKeep {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-ctx.Done():
			return nil, ended(ctx)
		}
	}
	for p := (pause{}); ; {
		out, err := s.once(ctx, op, body, most)
		if !errors.Is(err, errExpired) {
			return out, err
		}
		if p.wait(ctx) != nil {
			return nil, noAnswer(ctx, err)
		}
	}
}

// once sends body, whole or in chunks, and receives the answer, whole or in
// chunks.
func (s *Store) once(ctx context.Context, op string, body []byte, most uint64) ([]byte, error) {
	q := request{id: newID(), body: body}
	if len(body) > s.room() {
		f, err := s.upload(ctx, op, body)
		if err != nil {
			return nil, err
		}
		q.body, q.upload = nil, f
	}
	a, err := s.ask(ctx, op, &q)
	switch {
	case err != nil:
		return nil, err
	case a.kind == kindOK:
		return a.body, nil
	case a.kind == kindLong:
		if a.long.size > most {
			return nil, fmt.Errorf("%s: an answer of %d bytes, more than %d", op, a.long.size, most)
		}
		return s.download(ctx, &a.long)
	case a.kind == kindExpired:
		return nil, fmt.Errorf("%w: %s", errExpired, a.text)
	}
	return nil, &remoteError{kind: a.kind, text: a.text}
}

// room returns how much fits into one message.
func (s *Store) room() int { return s.o.room(s.nc.MaxPayload()) }

// ask sends a request until it is answered, or ctx ends.
func (s *Store) ask(ctx context.Context, op string, q *request) (answer, error) {
	subject, frame := s.o.subject(op), q.encode()
	patience := s.o.patience
	var last error
	for p := (pause{}); ; {
		a, err := s.attempt(ctx, subject, frame, patience)
		switch {
		case err == nil && a.kind != kindBusy && a.kind != kindClosing:
			return a, nil
		case ctx.Err() != nil:
			return answer{}, noAnswer(ctx, last)
		case errors.Is(err, context.DeadlineExceeded):
			if err := s.forbidden(subject); err != nil {
				return answer{}, err
			}
			last = errLate
			patience = min(2*patience, maxPatience)
			continue // it has waited already
		case errors.Is(err, nats.ErrNoResponders):
			last = errors.New("nobody answers on " + subject + ": is the coordinator running?")
		case errors.Is(err, nats.ErrDisconnected), errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrConnectionReconnecting):
			last = errors.New("the connection to " + s.o.Namespace + "'s NATS server is down")
		case err != nil:
			return answer{}, fmt.Errorf("%s: %w", op, err)
		default: // it is busy, or about to end
			last = errors.New(a.text)
		}
		if p.wait(ctx) != nil {
			return answer{}, noAnswer(ctx, last)
		}
	}
}

// attempt sends a request once.
func (s *Store) attempt(ctx context.Context, subject string, frame []byte, patience time.Duration) (answer, error) {
	if s.nc.IsClosed() {
		return answer{}, nats.ErrConnectionClosed
	}
	if !s.nc.IsConnected() {
		return answer{}, nats.ErrDisconnected // and not into the connection's buffer
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := s.nc.RequestWithContext(ctx, subject, frame)
	if err != nil {
		return answer{}, err
	}
	return decodeAnswer(m.Data)
}

// forbidden tells whether the NATS server has refused a subject: it says so to
// the connection, and not to the request.
func (s *Store) forbidden(subject string) error {
	err := s.nc.LastError()
	if errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+subject+`"`) {
		return fmt.Errorf("these credentials may not use %s: a worker's are for work alone: %w", subject, nats.ErrPermissionViolation)
	}
	return nil
}

// errLate is why a call ended that nobody answered in its time.
var errLate = errors.New("no answer came in time")

// noAnswer is the error of a call whose context ended, after failure last, if
// there was one.
func noAnswer(ctx context.Context, last error) error {
	err := ended(ctx)
	if last == nil && errors.Is(err, context.DeadlineExceeded) {
		last = errLate
	}
	if last == nil {
		return err
	}
	return fmt.Errorf("%w (%v): %w", ErrNoAnswer, last, err)
}

// pause is the wait between two attempts. It grows, and varies so that clients
// don't come back all at once.
type pause struct{ last time.Duration }

func (p *pause) wait(ctx context.Context) error {
	p.last = min(max(2*p.last, firstPause), longPause)
	t := time.NewTimer(p.last/2 + mrand.N(p.last/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newID returns an identifier that nobody else has and nobody can guess.
func newID() (i id) {
	_, _ = rand.Read(i[:]) // never fails
	return i
}
