package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"overnight/coordinator"
	"overnight/results"
)

// kind is a kind of fault.
type kind string

// The faults. Those that last have a probability, with which they strike each
// operation, and a target: one process, or all.
const (
	killWorker      kind = "kill a worker"                  // a new one comes after a while
	pauseWorker     kind = "stop a worker and let it go on" // SIGSTOP, SIGCONT
	addWorker       kind = "add a worker"
	drainWorker     kind = "drain a worker"                         // SIGTERM; a new one comes
	endWorker       kind = "end a worker at once"                   // its context ends; a new one comes
	killCoordinator kind = "kill the coordinator"                   // and start it again after a while
	stopCoordinator kind = "stop the coordinator and start another" // two of them, when it goes on
	twoCoordinators kind = "start a second coordinator"
	storeErrors     kind = "errors of the store"
	lostAnswers     kind = "lost answers of the store"
	slowStore       kind = "slow store"
	rewind          kind = "take the store back" // a failover that loses what was acknowledged
	wreckQueue      kind = "delete the queue"
	lossyQueue      kind = "lose jobs"
	doubleQueue     kind = "deliver jobs twice"
	lateQueue       kind = "deliver jobs late"
	queueErrors     kind = "errors of the queue"
	garbage         kind = "garbage in the queue"
	orderPause      kind = "order: pause, then resume"
	orderCancel     kind = "order: cancel, then run again"
	orderRetry      kind = "order: retry the failed trials"
	orderExtend     kind = "order: more replications"
	lateOrder       kind = "order: retry, cancel or more replications while the digest is computed"
)

func kinds() []kind {
	return []kind{
		killWorker, pauseWorker, addWorker, drainWorker, endWorker, killCoordinator, stopCoordinator, twoCoordinators,
		storeErrors, lostAnswers, slowStore, rewind, wreckQueue, lossyQueue, doubleQueue, lateQueue, queueErrors, garbage,
		orderPause, orderCancel, orderRetry, orderExtend, lateOrder,
	}
}

// orderly are the faults among which a worker that is told to end does so in time.
func orderly() []kind {
	return []kind{
		addWorker, drainWorker, endWorker, killWorker, killCoordinator, stopCoordinator, twoCoordinators, garbage,
		orderPause, orderCancel, orderRetry, orderExtend, lateOrder,
	}
}

// only tells whether all faults are of these kinds.
func only(faults []fault, of []kind) bool {
	return !slices.ContainsFunc(faults, func(f fault) bool { return !slices.Contains(of, f.kind) })
}

// fault is something that goes wrong.
type fault struct {
	n    int // its number in the schedule
	kind kind
	at   time.Duration // from the beginning
	last time.Duration // how long it lasts, or until it is made good
	pick uint64        // which process it hits: of those there are then
	all  bool          // every process, where it may
	p    float64
	most time.Duration // longest delay
	seed uint64        // of what it draws
}

func (f fault) String() string {
	s := fmt.Sprintf("%2d  at %6.2fs for %5.2fs  %s", f.n, f.at.Seconds(), f.last.Seconds(), f.kind)
	if f.p > 0 {
		s += fmt.Sprintf(" (probability %.2f, delay up to %v, all: %v)", f.p, f.most.Round(time.Millisecond), f.all)
	}
	return s
}

func (s setting) String() string {
	var names []string
	for _, i := range s.studies {
		names = append(names, templates()[i].name)
	}
	return fmt.Sprintf("%v %s, workers with slots %v, lease of the queue %v", s.mode, strings.Join(names, ", "), s.slots, s.lease)
}

func list(faults []fault) string {
	var b strings.Builder
	for _, f := range faults {
		fmt.Fprintln(&b, "   ", f)
	}
	return b.String()
}

// mode is how studies are coordinated.
type mode int

// The modes.
const (
	runs      mode = iota // by Run, without leases
	runsLease             // by Run, under the study's lease
	serves                // by a Service, several at once
)

func (m mode) String() string { return [...]string{"run", "run with leases", "serve"}[m] }

// setting is what a seed decides beside the faults.
type setting struct {
	mode         mode
	studies      []int // of templates
	slots        []int // of the first workers
	submit       coordinator.SubmitOptions
	lease        time.Duration
	replications int // 0: the template's
}

// schedule returns what a seed decides.
func schedule(seed uint64) (setting, []fault) {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	s := setting{lease: []time.Duration{10 * time.Second, 30 * time.Second, time.Hour}[r.IntN(3)]}
	for range 1 + r.IntN(4) {
		s.slots = append(s.slots, 1+r.IntN(3))
	}
	s.mode = mode(r.IntN(3))
	s.studies = r.Perm(len(templates()))[:1]
	if s.mode == serves {
		s.studies = r.Perm(len(templates()))[:1+r.IntN(3)]
		s.submit = coordinator.SubmitOptions{Submitted: true, Priority: r.IntN(4), MaxSlots: r.IntN(3)}
	}
	// Few kinds at a time, each perhaps several times: what one fault hides from
	// another shows when it is not there.
	all := kinds()
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:1+r.IntN(6)]
	var faults []fault
	for n := range 1 + r.IntN(10) {
		f := fault{
			n: n + 1, kind: all[r.IntN(len(all))], pick: r.Uint64(), seed: r.Uint64(), all: r.IntN(2) == 0,
			at: time.Duration(r.Int64N(int64(25 * time.Second))),
		}
		f.last = time.Duration(1 + r.ExpFloat64()*float64(5*time.Second))
		f.last = min(f.last, 40*time.Second)
		p, most := 0.05+0.9*r.Float64()*r.Float64(), time.Duration(1+r.Int64N(int64(4*time.Second)))
		switch f.kind {
		case storeErrors, lostAnswers, queueErrors, lossyQueue:
			f.p = p
		case slowStore, doubleQueue, lateQueue:
			f.p, f.most = p, most
		}
		faults = append(faults, f)
	}
	return s, faults
}

// template is a small study.
type template struct {
	name         string
	text         string // with a verb for the replications
	replications int
	more         int // replications after orderExtend
	confirm      int // further ones, of the best points
}

// whole tells whether a plan is for as many replications.
func (t template) whole(p results.Plan, replications int) bool {
	return p.Trials >= p.Points*uint64(replications+t.confirm)
}

// key names a template with so many replications.
func (t template) key(replications int) string { return fmt.Sprint(t.name, " x ", replications) }

func templates() []template {
	return []template{
		{"waits", `
study: waits
env: {name: faulty, x: {grid: [1, 2]}, idle: {grid: [0, 150, 700, 2000]}}
agents: [{name: random}]
evaluate: {final: 1}
replications: %d
`, 4, 6, 0},
		{"fails", `
study: fails
env: {name: faulty, fault: {grid: [none, panic]}, idle: {grid: [40, 900]}}
agents: [{name: random}]
evaluate: {final: 2}
replications: %d
`, 9, 11, 0},
		{"busy", `
study: busy
env: {name: function, function: sphere, x1: {grid: [1, 2, 3]}, busy: {grid: [20, 400, 1500]}, noise: 1}
agents: [{name: random}]
replications: %d
`, 4, 6, 0},
		{"long", `
study: long
env: {name: faulty, x: {grid: [1, 2]}, idle: {grid: [1000, 2000, 2500]}}
agents: [{name: random}]
evaluate: {final: 1}
replications: %d
`, 3, 5, 0},
		// Of its points, with little noise, some and much, a part stops at each stage.
		{"stops", `
study: stops
env: {name: function, function: sphere, x1: {grid: [1, 2]}, noise: {grid: [0.1, 0.7, 1, 3]}, busy: 200}
agents: [{name: random}, {as: other, name: random}]
baseline: random
paired: none
replications: {min: 3, max: %d, check_at: [4, 6], until: {difference_from: random, half_width: 1}}
confirm: {top: 2, replications: 2}
`, 8, 10, 2},
	}
}
