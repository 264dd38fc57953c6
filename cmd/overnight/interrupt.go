package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts turn signals into an orderly end: the first one stops coordinating
// and lets the trials in hand finish, the second one stops all at once.
type interrupts struct {
	work       context.Context // ends with the second signal, or with stop
	coordinate context.Context // ends with the first
	stop       func()

	drained chan struct{} // closed to let the trials in hand finish
	once    sync.Once
	ready   chan struct{} // closed once there is something to drain
}

// interruptible watches for signals until stop is called. ending says what the
// first one leads to.
func interruptible(ctx context.Context, show *progress, ending string) *interrupts {
	i := &interrupts{drained: make(chan struct{}), ready: make(chan struct{})}
	var cancel, stopCoordinating context.CancelFunc
	i.work, cancel = context.WithCancel(ctx)
	i.coordinate, stopCoordinating = context.WithCancel(i.work)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	i.stop = func() {
		signal.Stop(signals)
		cancel()
	}
	go func() {
		first := true
		for {
			select {
			case s := <-signals:
				if !first {
					cancel()
					continue
				}
				first = false
				i.finish()
				stopCoordinating()
				select {
				case <-i.ready:
					show.say("%v: %s", s, ending)
				default:
					show.say("%v: stops before it began", s)
					cancel()
				}
			case <-i.work.Done():
				return
			}
		}
	}()
	return i
}

// finishing is how a process ends that works on trials.
const finishing = "the trials in hand finish; once more stops at once"

// begun says that from now on there is something to drain.
func (i *interrupts) begun() { close(i.ready) }

// drain is closed when the trials in hand are to be the last.
func (i *interrupts) drain() <-chan struct{} { return i.drained }

// finish closes drain.
func (i *interrupts) finish() { i.once.Do(func() { close(i.drained) }) }
