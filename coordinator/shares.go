package coordinator

import (
	"sync"
	"time"
)

const (
	minWindow = 16 // jobs in the queue even without a worker, so that autoscalers see work
	perSlot   = 3  // jobs a slot

	// longJob is what occupies a slot for so long that nothing is won by another
	// one waiting behind it: a study that joins would wait for both.
	longJob = time.Second
	// fresh is how long a study that wants more jobs keeps its turn without asking.
	fresh = 2 * time.Second
)

// shares decides which study issues the next job. All studies together have one
// window of jobs in the queue; the next place goes to the study with the least
// virtual time - core time used and in flight, divided by its priority - among
// those that want one. A study that joins, or comes back, starts at the least
// virtual time of the others, so that nobody saves up for later.
//
// Fairness is a matter of what is issued: queues know no study.
type shares struct {
	mu     sync.Mutex
	slots  int    // of the workers that live, or are known to come
	living bool   // there are workers
	total  uint64 // jobs issued
	list   []*account
}

// account is a study's share. One goroutine calls its methods.
type account struct {
	of   *shares
	wake chan struct{} // has a token when it is the study's turn

	// Guarded by of.mu.
	priority float64
	limit    int     // jobs out at most; 0: none
	base     float64 // virtual time at which it joined, in core seconds
	used     time.Duration
	inflight time.Duration
	out      int  // jobs
	long     int  // of these, long ones
	wants    bool // it has trials to issue
	next     bool // its next job is a long one
	asked    time.Time
}

// join adds a study. priority 0 means 1.
func (s *shares) join() *account {
	a := &account{of: s, wake: make(chan struct{}, 1), priority: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, a)
	return a
}

// leave removes the study.
func (a *account) leave() {
	s := a.of
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, b := range s.list {
		if b == a {
			s.list = append(s.list[:i], s.list[i+1:]...)
			break
		}
	}
	s.poke(a, time.Now())
}

// weigh sets what the plan says of the study.
func (a *account) weigh(priority, limit int) {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	p := float64(max(priority, 1))
	// The virtual time stays; only its pace changes.
	a.base += (a.used + a.inflight).Seconds() * (1/a.priority - 1/p)
	a.priority, a.limit = p, limit
}

// size tells how many slots there are, and whether any worker lives.
func (s *shares) size(slots int, living bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots, s.living = slots, living
}

// may tells whether the study may issue a job now, and counts it if so. issued
// must follow.
func (a *account) may(now time.Time, long bool) bool {
	s := a.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.wanting(now) {
		a.catchUp(now)
	}
	a.wants, a.asked, a.next = true, now, long
	if a.capped() || a.out > 0 && (s.full() || a.blocked()) {
		return false
	}
	if first := s.first(now); first != a {
		s.poke(a, now)
		return false
	}
	a.out++
	if long {
		a.long++
	}
	return true
}

// issued adds the estimate of the job that may allowed, and returns its number
// among the jobs of all studies.
func (a *account) issued(work time.Duration) uint64 {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	a.inflight += max(work, time.Microsecond)
	a.of.total++
	return a.of.total
}

// overtaken tells whether so many jobs were issued since job number turn that a
// whole window of them must have ended before it: queues are in order but for a
// few, so that the queue has lost it.
func (s *shares) overtaken(turn uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return turn > 0 && s.total-turn > 2*uint64(s.window())
}

// rest says that the study wants no more jobs now.
func (a *account) rest() {
	s := a.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.wants {
		a.wants = false
		s.poke(a, time.Now())
	}
}

// update tells what the study has used and has in flight.
func (a *account) update(now time.Time, used, inflight time.Duration, out, long int) {
	s := a.of
	s.mu.Lock()
	defer s.mu.Unlock()
	a.used, a.inflight, a.out, a.long = used, inflight, out, long
	s.poke(a, now)
}

func (a *account) virtual() float64 {
	return a.base + (a.used+a.inflight).Seconds()/a.priority
}

// before orders studies by whose turn it is. Of equal ones, such as one that has
// just joined and the one whose time it got, that with fewer jobs comes first.
func (a *account) before(b *account) bool {
	x, y := a.virtual(), b.virtual()
	return x < y || x == y && a.out < b.out
}

func (a *account) wanting(now time.Time) bool { return a.wants && now.Sub(a.asked) < fresh }

func (a *account) capped() bool { return a.limit > 0 && a.out >= a.limit }

// full tells whether the window has no place. A study with no job out needs
// none.
func (s *shares) full() bool {
	out := 0
	for _, a := range s.list {
		out += a.out
	}
	return out >= s.window()
}

func (s *shares) window() int { return max(minWindow, perSlot*s.slots) }

// blocked tells whether the study's next job is a long one, and there are
// enough of these out to keep all slots busy.
func (a *account) blocked() bool {
	s := a.of
	if !a.next || !s.living || a.out == 0 {
		return false
	}
	long := 0
	for _, b := range s.list {
		long += b.long
	}
	return long >= s.slots+max(2, s.slots/2)
}

// first returns the study whose turn it is, or nil. While there is no place for
// a long job, the least of the studies with short ones comes before the least of
// those with long ones. Studies that wait at their own limit fall behind and
// would be owed all of it later: they don't save up.
func (s *shares) first(now time.Time) *account {
	least := func(long bool) (first *account) {
		for _, a := range s.list {
			if a.wanting(now) && !a.capped() && a.next == long && (first == nil || a.before(first)) {
				first = a
			}
		}
		return first
	}
	first := least(false)
	if a := least(true); a != nil && !a.blocked() && (first == nil || a.before(first)) {
		first = a
	}
	if first == nil {
		return nil
	}
	for _, a := range s.list {
		if a.wanting(now) && a.capped() {
			a.base += max(0, first.virtual()-a.virtual())
		}
	}
	return first
}

// catchUp moves a study that joins, or comes back, to the least virtual time of
// the others.
func (a *account) catchUp(now time.Time) {
	least, found := 0.0, false
	for _, b := range a.of.list {
		if b != a && b.wanting(now) && !b.capped() && (!found || b.virtual() < least) {
			least, found = b.virtual(), true
		}
	}
	if found {
		a.base += max(0, least-a.virtual())
	}
}

// poke wakes the study whose turn it is, unless it is the caller's.
func (s *shares) poke(caller *account, now time.Time) {
	if len(s.list) < 2 {
		return
	}
	a := s.first(now)
	if a == nil || a == caller || a.out > 0 && s.full() {
		return
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}
