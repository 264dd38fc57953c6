package natsstore

import (
	"encoding/binary"
	"time"

	"overnight/results"
)

// appendWorker appends all fields of a worker in the order in which they are
// declared.
func appendWorker(b []byte, w *results.Worker) []byte {
	b = appendBytes(b, w.ID)
	b = appendBytes(b, w.Host)
	b = appendVarint(b, int64(w.Slots))
	b = appendVarint(b, int64(w.Free))
	b = appendBytes(b, w.Version)
	b = appendVarint(b, int64(w.Engine))
	b = binary.AppendUvarint(b, uint64(len(w.Held)))
	for _, h := range w.Held {
		b = appendBytes(b, h.Job)
		b = appendBytes(b, h.Study)
		b = binary.AppendUvarint(b, uint64(h.Generation))
		b = binary.AppendUvarint(b, uint64(len(h.Trials)))
		for _, s := range h.Trials {
			b = binary.AppendUvarint(b, s.From)
			b = binary.AppendUvarint(b, s.To)
		}
	}
	b = binary.AppendUvarint(b, w.Done)
	b = appendFloat(b, w.Rate)
	b = appendTime(b, w.Started)
	return appendTime(b, w.Seen)
}

// The least that a worker, a held job, a span and an order take.
const (
	workerSize = 32
	heldSize   = 4
	spanSize   = 2
	orderSize  = 11
)

func (r *reader) worker() (w results.Worker) {
	w.ID = r.string()
	w.Host = r.string()
	w.Slots = r.int()
	w.Free = r.int()
	w.Version = r.string()
	w.Engine = r.int()
	for range r.count(heldSize) {
		h := results.Held{Job: r.string(), Study: r.string(), Generation: r.uint32()}
		for range r.count(spanSize) {
			h.Trials = append(h.Trials, results.Span{From: r.uvarint(), To: r.uvarint()})
		}
		w.Held = append(w.Held, h)
	}
	w.Done = r.uvarint()
	w.Rate = r.float()
	w.Started = r.time()
	w.Seen = r.time()
	return w
}

func encodeWorkers(ws []results.Worker) []byte {
	b := binary.AppendUvarint(nil, uint64(len(ws)))
	for i := range ws {
		b = appendWorker(b, &ws[i])
	}
	return b
}

func decodeWorkers(b []byte) ([]results.Worker, error) {
	r := reader{b: b}
	var ws []results.Worker
	for range r.count(workerSize) {
		ws = append(ws, r.worker())
	}
	return ws, r.end()
}

// beat is a request to Beat.
type beat struct {
	worker results.Worker
	after  int64
}

func (t *beat) encode() []byte { return appendWorker(appendVarint(nil, t.after), &t.worker) }

func decodeBeat(b []byte) (beat, error) {
	r := reader{b: b}
	t := beat{after: r.varint(), worker: r.worker()}
	return t, r.end()
}

func appendOrder(b []byte, o *results.Order) []byte {
	b = appendVarint(b, o.ID)
	b = appendBytes(b, string(o.Kind))
	b = appendBytes(b, o.Study)
	return appendTime(b, o.Made)
}

func (r *reader) order() results.Order {
	return results.Order{ID: r.varint(), Kind: results.OrderKind(r.string()), Study: r.string(), Made: r.time()}
}

func encodeOrders(os []results.Order) []byte {
	b := binary.AppendUvarint(nil, uint64(len(os)))
	for i := range os {
		b = appendOrder(b, &os[i])
	}
	return b
}

func decodeOrders(b []byte) ([]results.Order, error) {
	r := reader{b: b}
	var os []results.Order
	for range r.count(orderSize) {
		os = append(os, r.order())
	}
	return os, r.end()
}

// lease is a request to Lease.
type lease struct {
	name, holder string
	ttl          time.Duration
}

func (l *lease) encode() []byte {
	return appendVarint(appendBytes(appendBytes(nil, l.name), l.holder), int64(l.ttl))
}

func decodeLease(b []byte) (lease, error) {
	r := reader{b: b}
	l := lease{name: r.string(), holder: r.string(), ttl: time.Duration(r.varint())}
	return l, r.end()
}
