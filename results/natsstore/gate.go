package natsstore

import "sync/atomic"

// gate bounds how many requests of one class run at a time, and how many wait.
// Classes keep apart what must not wait for each other: a beat that stands
// behind commits for ten seconds would make its worker count as lost.
type gate struct {
	running chan struct{}
	places  chan struct{} // one for each that runs or waits
}

func newGate(running, waiting int) *gate {
	return &gate{running: make(chan struct{}, running), places: make(chan struct{}, running+waiting)}
}

// enter takes a place, if there is one.
func (g *gate) enter() bool {
	select {
	case g.places <- struct{}{}:
		return true
	default:
		return false
	}
}

// start waits for its turn; end gives turn and place back.
func (g *gate) start() { g.running <- struct{}{} }

func (g *gate) end() {
	<-g.running
	<-g.places
}

// gates are the classes of requests.
type gates struct {
	live   *gate // beats and leases
	commit *gate // concurrent commits become one transaction
	read   *gate
	write  *gate
	heavy  *gate // answers or requests of many megabytes
	chunk  *gate
	stream *gate
}

// waiting is how many requests of a class wait before others are told to come
// later.
const waiting = 1 << 10

func newGates() gates {
	return gates{
		live:   newGate(16, waiting),
		commit: newGate(64, waiting),
		read:   newGate(16, waiting),
		write:  newGate(16, waiting),
		heavy:  newGate(4, waiting),
		chunk:  newGate(16, waiting),
		stream: newGate(maxStreams, waiting),
	}
}

// maxWaiting bounds the bytes of the requests that run or wait.
const maxWaiting = 256 << 20

// load counts bytes.
type load struct{ bytes atomic.Int64 }

func (l *load) add(n int) bool {
	if l.bytes.Add(int64(n)) > maxWaiting {
		l.bytes.Add(-int64(n))
		return false
	}
	return true
}

func (l *load) remove(n int) { l.bytes.Add(-int64(n)) }
