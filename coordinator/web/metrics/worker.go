package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// WorkerState is what a worker tells of itself.
type WorkerState struct {
	Committed uint64 // trials since it began
	Slots     int
	Busy      int // slots at work
}

// NewWorker answers /metrics of a worker.
func NewWorker(version string, engine int, state func() WorkerState) http.Handler {
	r := newRegistry(version, engine)
	r.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "overnight_worker_trials_committed_total", Help: "Trials that this worker committed.",
		}, func() float64 { return float64(state().Committed) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "overnight_worker_slots", Help: "Trials that this worker can run at once.",
		}, func() float64 { return float64(state().Slots) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "overnight_worker_busy", Help: "Slots of this worker that are at work.",
		}, func() float64 { return float64(state().Busy) }),
	)
	return handler(r)
}
