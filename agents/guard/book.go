package guard

import "overnight/envs"

// Groups of sends.
const (
	choice  = 0 // outside the holdout
	holdout = 1
)

// What is known of a step's send.
const (
	isHoldout byte = 1 << iota
	isSent
	isCredited
	isConverted
)

// book is the whole state of a guard: what was sent, and what came of it.
//
// Conversions per send are of ripe sends, those whose outcome should be known:
// the sends before the first that has no credit yet, and those at least as old
// as the greatest age at which an outcome has come in so far. Where every
// outcome is credited in the end - at once, at the end of a batch, when a window
// closes - that is exact, and ripe sends are a prefix of the run whose length
// tells nothing of their outcomes. Where only conversions are ever credited, and
// late, those that come later than any before are missing until they come, in
// both groups alike where outcomes of all actions are as late: of no matter for the
// difference of the groups then, but not to be compared with a rate from before,
// for which there are the settled sends, those before the first without a credit.
// The same holds until the first window closes. Where an action's outcomes are later
// than others', whoever sends it more looks worse until they come: that can't be
// told from an action that does not convert, which the stop rule is there to find.
type book struct {
	// Of all that was trained.
	total       int64    // sends
	held        int64    // of the holdout
	units       [2]int64 // by group: sends, or recipients met
	n           [2]int64 // by group: ripe sends before the stop
	conversions [2]int64 // of those
	settled     [2]int64 // sends outside the holdout before the first without a credit; their conversions
	oldest      int64    // greatest age of a credit when it came; -1: none has
	stopped     int64    // sends when the stop rule struck; 0: it has not

	// Of the episode.
	t      int64   // step of the next send
	whole  int64   // the first so many steps are credited
	ripe   int64   // the first so many steps are counted in n
	limit  int64   // no step from here on is ever counted: the policy is stopped
	sends  []int64 // by action
	steps  []byte  // by step; empty where outcomes are not kept
	mails  []int32 // by recipient; empty without a frequency cap
	stamps []int32 // [recipient][cap]: a ring of the steps of mails
	met    []byte  // by recipient: 1 after the first send; empty where people are no units
}

// shape clears the book and makes room.
func (b *book) shape(actions, steps, people, cap, units int) {
	*b = book{
		oldest: -1, sends: grow(b.sends, actions), steps: grow(b.steps, steps),
		mails: grow(b.mails, people), stamps: grow(b.stamps, people*cap), met: grow(b.met, units),
	}
	b.begin()
}

// grow returns n zeros, in the memory of s where they fit.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// begin clears what is of the episode.
func (b *book) begin() {
	b.t, b.whole, b.ripe, b.limit = 0, 0, 0, int64(len(b.steps))
	if b.stopped > 0 {
		b.limit = 0
	}
	clear(b.sends)
	clear(b.steps)
	clear(b.mails)
	clear(b.stamps)
	clear(b.met)
}

// capped says whether a recipient has had as many mails as the cap allows within
// the last sends before step t.
func (b *book) capped(who, t, cap, within int) bool {
	n := int(b.mails[who])
	return n >= cap && t-int(b.stamps[who*cap+n%cap]) < within
}

// mail keeps that step t is a mail to a recipient.
func (b *book) mail(who, t, cap int) {
	b.stamps[who*cap+int(b.mails[who])%cap] = int32(t)
	b.mails[who]++
}

// outcome keeps what a send brought, known after the send of step t.
func (b *book) outcome(c envs.Credit, t int) {
	if c.Step < 0 || int(c.Step) >= len(b.steps) {
		return // anonymous
	}
	b.oldest = max(b.oldest, int64(t)-int64(c.Step))
	s := &b.steps[c.Step]
	*s |= isCredited
	if c.Reward > 0 && *s&isConverted == 0 {
		*s |= isConverted
		if int64(c.Step) < b.ripe {
			b.conversions[group(*s)]++
		}
	}
}

// ripen counts the sends that have become ripe.
func (b *book) ripen() {
	for ; b.whole < b.t && b.steps[b.whole]&isCredited != 0; b.whole++ {
		if s := b.steps[b.whole]; s&(isSent|isHoldout) == isSent {
			b.settled[0]++
			b.settled[1] += int64(s & isConverted / isConverted)
		}
	}
	to := b.whole
	if b.oldest >= 0 {
		to = max(to, b.t-b.oldest)
	}
	for to = min(to, b.limit); b.ripe < to; b.ripe++ {
		s := b.steps[b.ripe]
		if s&isSent == 0 {
			continue // its log is lost
		}
		b.n[group(s)]++
		if s&isConverted != 0 {
			b.conversions[group(s)]++
		}
	}
}

func group(step byte) int { return int(step & isHoldout) }
