package queuetest

import (
	"context"
	"errors"
	"time"
)

func returnComesBack(s *suite) {
	s.publish(job(0))
	d := s.take(1)[0]
	after := 3 * s.blink()
	start := time.Now()
	s.ok("Return", d.Return(s.Context(), after))
	again := s.take(1)[0]
	if got := time.Since(start); got < after {
		s.Errorf("it came back after %v, want at least %v", got, after)
	}
	if again.Job().ID != job(0).ID {
		s.Fatalf("took %s, want %s", again.Job().ID, job(0).ID)
	}
	s.ok("Return at once", again.Return(s.Context(), 0))
	s.ok("Done", s.take(1)[0].Done(s.Context()))
	s.empty(s.o.Lease + s.blink())
}

func leaseExpires(s *suite) {
	s.publish(job(0))
	start := time.Now()
	first := s.take(1)[0]
	second := s.take(1)[0]
	if got := time.Since(start); got < s.o.Lease {
		s.Errorf("delivered again after %v, before the lease of %v ended", got, s.o.Lease)
	}
	if first.Job().ID != second.Job().ID {
		s.Fatalf("took %s, want %s again", second.Job().ID, first.Job().ID)
	}
	s.ok("Done", second.Done(s.Context()))
	s.ok("Done by the first, too late", first.Done(s.Context()))
	s.empty(s.o.Lease + s.blink())
}

func extendKeepsLease(s *suite) {
	s.publish(job(0))
	d := s.take(1)[0]
	for held := time.Duration(0); held < 2*s.o.Lease; {
		before := time.Now()
		ctx, cancel := context.WithTimeout(s.Context(), s.o.Lease/4)
		again, err := s.q.Take(ctx, 1)
		cancel()
		stalled := time.Since(before) > s.o.Lease*3/4
		if !errors.Is(err, context.DeadlineExceeded) {
			if !stalled {
				s.Fatalf("an extended job was delivered again after %v, error %v", time.Since(before), err)
			}
			d = again[0] // the machine slept through the lease: this shows nothing
			held = 0
		}
		s.ok("Extend", d.Extend(s.Context()))
		held += time.Since(before)
	}
	if again := s.take(1)[0]; again.Job().ID != job(0).ID { // no longer extended
		s.Fatalf("took %s, want %s", again.Job().ID, job(0).ID)
	} else {
		s.ok("Done", again.Done(s.Context()))
	}
}

func rejectDrops(s *suite) {
	s.publish(batch(0, 2)...)
	for range 2 {
		d := s.take(1)[0]
		if d.Job().ID == job(0).ID {
			s.ok("Reject", d.Reject(s.Context(), "a test: \"quoted\"\nsecond line"))
		} else {
			s.ok("Done", d.Done(s.Context()))
		}
	}
	s.empty(s.o.Lease + s.blink())
}
