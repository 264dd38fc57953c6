package sim

import (
	"math/rand/v2"
	"time"

	"overnight/results"
)

// grace is how long a worker may take to end (G6): 10 s for what is in hand, 5 s
// for commits, and the beat.
const grace = 17 * time.Second

// run lets a fault happen and makes it good.
func (w *world) run(f fault) {
	time.Sleep(f.at)
	r := rand.New(rand.NewPCG(f.seed, uint64(f.n)))
	slots := 1 + r.IntN(3)
	st := w.studies[f.pick%uint64(len(w.studies))]
	w.log.Info("fault: " + f.String())
	var err error
	switch f.kind {
	case killWorker, drainWorker, endWorker:
		p := w.pick(&w.workers, f.pick)
		if p == nil {
			return
		}
		switch f.kind {
		case killWorker:
			p.kill()
		case drainWorker:
			p.drain()
		default:
			p.stop()
		}
		time.Sleep(f.last)
		w.startWorker(slots)
		if f.kind != killWorker && w.orderly {
			time.Sleep(max(0, grace-f.last))
			if p.alive() {
				w.violation("worker %s has not ended %v after %s", p.name, grace, f.kind)
			}
		}
	case addWorker:
		w.startWorker(slots)
	case pauseWorker:
		if p := w.pick(&w.workers, f.pick); p != nil {
			p.pause()
			time.Sleep(f.last)
			p.resume()
		}
	case killCoordinator:
		if p := w.pick(&w.coordinators, f.pick); p != nil {
			p.kill()
		}
		time.Sleep(f.last)
		w.startCoordinator()
	case stopCoordinator:
		p := w.pick(&w.coordinators, f.pick)
		if p == nil {
			return
		}
		p.pause()
		time.Sleep(f.last)
		w.startCoordinator()
		time.Sleep(time.Duration(r.Int64N(int64(f.last) + 1)))
		p.resume()
	case twoCoordinators:
		w.startCoordinator()
	case storeErrors, lostAnswers, slowStore, lossyQueue, doubleQueue, lateQueue, queueErrors:
		win := &window{kind: f.kind, p: f.p, most: f.most, random: r}
		if !f.all {
			both := append(w.alive(&w.workers), w.alive(&w.coordinators)...)
			if len(both) > 0 {
				win.of = both[f.pick%uint64(len(both))].link
			}
		}
		end := w.open(win)
		time.Sleep(f.last)
		end()
	case rewind:
		s := w.store.Snapshot()
		time.Sleep(f.last)
		w.store.Rewind(s)
	case wreckQueue:
		w.queue.Wreck()
	case garbage:
		for range 1 + r.IntN(20) {
			msg := make([]byte, r.IntN(200))
			for i := range msg {
				msg[i] = byte(r.Uint32())
			}
			w.queue.Inject(msg)
		}
	case orderPause:
		err = w.order(st, results.Pause)
		time.Sleep(f.last)
		if err == nil {
			err = w.order(st, results.Resume)
		}
	case orderCancel:
		err = w.order(st, results.Cancel)
		time.Sleep(f.last)
		if err == nil {
			err = w.submit(st)
		}
		w.startCoordinator()
	case orderRetry:
		err = w.retry(st)
		w.startCoordinator()
	case orderExtend:
		err = w.extend(st)
		w.startCoordinator()
	case lateOrder:
		order := []func() error{
			func() error { return w.retry(st) },
			func() error { return w.order(st, results.Cancel) }, // and mend runs it again
			func() error { return w.extend(st) },
		}[r.IntN(3)]
		w.mu.Lock()
		w.lates = append(w.lates, order)
		w.mu.Unlock()
	}
	if err != nil {
		w.violation("%s: %w", f.kind, err)
	}
}

// extend asks for more replications.
func (w *world) extend(st *study) error {
	w.mu.Lock()
	st.replications = st.more
	w.mu.Unlock()
	w.extended.Store(true)
	return w.submit(st)
}

// mend brings back what a study needs to go on, once all faults are over: a
// worker, a coordinator, and a user who wants it.
func (w *world) mend(st *study, p results.Plan) error {
	if len(w.alive(&w.workers)) == 0 {
		w.startWorker(2)
	}
	w.mu.Lock()
	lost := !st.whole(p, st.replications) // an extension was rewound
	w.mu.Unlock()
	switch {
	case lost, p.State == results.Cancelled, p.State == results.Stopped, p.State == results.Planning:
		if err := w.submit(st); err != nil {
			return err
		}
	case p.State == results.Paused:
		if err := w.order(st, results.Resume); err != nil {
			return err
		}
	case p.State == results.Finished:
		return nil
	}
	if len(w.alive(&w.coordinators)) == 0 {
		w.startCoordinator()
	}
	return nil
}
