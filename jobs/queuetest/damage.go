package queuetest

import (
	"bytes"
	"fmt"
	"time"

	"overnight/jobs"
)

func garbageIsSkipped(s *suite) {
	good, err := job(9).Encode()
	s.ok("Encode", err)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	newer := bytes.Clone(good)
	newer[3]++
	garbage := [][]byte{nil, []byte("{}"), []byte("\x00\xff"), flipped, newer, good[:len(good)-1], make([]byte, jobs.MaxJobBytes+1)}
	for i, g := range garbage {
		s.publish(job(i))
		s.o.Inject(s.T, s.q, g)
	}
	seen := map[string]bool{}
	for len(seen) < len(garbage) {
		for _, d := range s.take(4) {
			seen[d.Job().ID] = true
			s.ok("Done", d.Done(s.Context()))
		}
	}
	s.o.Inject(s.T, s.q, garbage[1])
	s.empty(s.o.Lease + s.blink())
}

// The queue notices and goes on: what it held is lost, and may be added again.
func wreckedStorage(s *suite) {
	s.publish(batch(0, 10)...)
	held := s.take(2)
	s.o.Wreck(s.T, s.q)
	s.publish(batch(0, 20)...)
	seen := map[string]bool{}
	for len(seen) < 20 {
		for _, d := range s.take(5) {
			seen[d.Job().ID] = true
			s.ok("Done", d.Done(s.Context()))
		}
	}
	for _, d := range held {
		s.ok("Done of a lost job", d.Done(s.Context()))
	}
	s.o.Wreck(s.T, s.q)
	s.empty(s.blink())
}

// A Take that waits while the storage goes still gets what is published
// afterwards, long before any heartbeat or lease would have ended.
func wreckedWhileTaking(s *suite) {
	for i := range 5 {
		taken := s.takeLater(s.Context(), 2)
		s.o.Wreck(s.T, s.q)
		start := time.Now()
		s.publish(job(i))
		r := <-taken
		s.ok(fmt.Sprintf("Take in round %d", i), r.err)
		if got := r.taken[0].Job().ID; got != job(i).ID {
			s.Fatalf("took %s, want %s", got, job(i).ID)
		}
		if d := time.Since(start); d > s.o.Lease {
			s.Errorf("round %d: the job came after %v, want at most %v", i, d, s.o.Lease)
		}
		s.ok("Done", r.taken[0].Done(s.Context()))
	}
}

// What is left of a lost job's delivery must not end, return or drop a job that
// took its place.
func oldAcksSpareNewJobs(s *suite) {
	s.publish(batch(0, 4)...)
	var old []jobs.Delivery
	for len(old) < 4 {
		old = append(old, s.take(4)...)
	}
	s.o.Wreck(s.T, s.q)
	s.publish(batch(10, 14)...)
	var fresh []jobs.Delivery
	for len(fresh) < 4 {
		fresh = append(fresh, s.take(4)...)
	}
	s.ok("old Done", old[0].Done(s.Context()))
	s.ok("old Reject", old[1].Reject(s.Context(), "lost"))
	_ = old[2].Return(s.Context(), 0) // may say that there is nothing to return
	_ = old[3].Extend(s.Context())
	back := map[string]bool{}
	for _, d := range fresh {
		s.ok("Return", d.Return(s.Context(), 0))
	}
	for len(back) < 4 {
		for _, d := range s.take(4) {
			back[d.Job().ID] = true
			s.ok("Done", d.Done(s.Context()))
		}
	}
	s.empty(s.blink())
}
