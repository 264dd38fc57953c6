package natsstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// maxFollows bounds the studies that are followed at a time.
const maxFollows = 256

// follows are the studies of which the server publishes commits.
type follows struct {
	mu      sync.Mutex
	running map[string]*follow
	closed  bool
}

// follow is one of them. Its followers ask for it again before it goes silent.
type follow struct {
	end     context.CancelFunc
	touched time.Time
}

// followSubject is where a study's commits are published. Names may hold what
// subjects can't.
func (o *Options) followSubject(study string) string {
	sum := sha256.Sum256([]byte(study))
	return o.subject("follow." + hex.EncodeToString(sum[:16]))
}

// follow publishes a study's commits for a while. Its answer is empty.
func (s *Server) follow(ctx context.Context, body []byte) ([]byte, error) {
	study, err := studyName(body)
	if err != nil {
		return nil, err
	}
	f, ok := s.store.(results.Follower)
	if !ok {
		return nil, fmt.Errorf("the coordinator's store can't be followed: %w", errors.ErrUnsupported)
	}
	if _, err := s.store.Tally(ctx, study); err != nil {
		return nil, err
	}
	fs := &s.follows
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if one := fs.running[study]; one != nil {
		one.touched = time.Now()
		return nil, nil
	}
	if fs.closed || len(fs.running) >= maxFollows {
		return nil, fmt.Errorf("%w: %d studies are followed", errBusy, len(fs.running))
	}
	one := &follow{touched: time.Now()}
	ctx, one.end = context.WithCancel(s.ctx)
	fs.running[study] = one
	s.others.Go(func() {
		defer one.end()
		subject := s.o.followSubject(study)
		err := f.Follow(ctx, study, func(rs []results.Record) { s.tell(subject, rs) })
		if ctx.Err() == nil {
			s.log.warn("following a study ended", zap.String("study", study), zap.Error(err))
		}
		fs.mu.Lock()
		defer fs.mu.Unlock()
		if fs.running[study] == one {
			delete(fs.running, study)
		}
	})
	return nil, nil
}

// tell publishes records in messages of about a page.
func (s *Server) tell(subject string, rs []results.Record) {
	room := min(s.o.room(s.nc.MaxPayload()), pageSize)
	var b, scratch []byte
	n := 0
	send := func() {
		if n > 0 {
			// Followers may miss some.
			_ = s.nc.Publish(subject, encodeTold(b, n))
		}
		b, n = b[:0], 0
	}
	for i := range rs {
		rs[i].Curves = nil
		before := len(b)
		var err error
		if b, scratch, err = appendRecord(b, scratch, &rs[i]); err != nil {
			continue
		}
		if len(b) > room {
			one := append([]byte(nil), b[before:]...)
			b = b[:before]
			send()
			b = append(b, one...)
		}
		if n++; len(b) > room {
			b, n = b[:0], 0 // one that fits into no message
		}
	}
	send()
}

// expire ends what nobody has asked for since then.
func (fs *follows) expire(then time.Time) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for study, f := range fs.running {
		if f.touched.Before(then) {
			f.end()
			delete(fs.running, study)
		}
	}
}

func (fs *follows) close() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.closed = true
	for _, f := range fs.running {
		f.end()
	}
	clear(fs.running)
}
