// Package metrics shows a service and its workers to Prometheus. Start with
// NewService and NewWorker.
//
// The number of series is bounded whatever is in the store: only core time has a
// label for the study, of at most Labels studies that run; the others are summed
// under study="other", and a label goes when its study ends.
//
// Only the leader among replicas shows studies and workers, so that sums over all
// replicas are right. Its counters begin with what is in the store, and don't fall
// when studies are removed.
package metrics

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/coordinator/web"
	"overnight/results"
)

// Store is what a service's metrics are read from.
type Store interface {
	Studies(ctx context.Context) ([]results.Plan, error)
	Tally(ctx context.Context, study string) (results.Tally, error)
	Ledger(ctx context.Context, study string) (*results.Ledger, error)
}

// Options of a service's metrics.
type Options struct {
	Store Store
	Fleet *web.Fleet
	// Leader tells whether this replica leads. Defaults to always.
	Leader func() bool
	// StoreUsed returns which part of its room the store has filled, 0 to 1, where
	// that is known. Nil: it is not.
	StoreUsed func(ctx context.Context) (ratio float64, known bool)
	// Labels bounds the studies that have a label of their own. Defaults to 50.
	Labels  int
	Version string
	Engine  int
	Log     *zap.Logger // Defaults to none.
}

// Times of a scrape.
const (
	fresh       = time.Second // for how long a sample is shown again
	readTimeout = 5 * time.Second
)

// Service is the metrics of `overnight serve`.
type Service struct {
	Options
	registry *prometheus.Registry
	recovery prometheus.Histogram
	lost     prometheus.Counter
	back     prometheus.Counter

	mu     sync.Mutex
	counts *counts
	leases *leases
	taken  time.Time
	last   *sample // nil: the store did not answer
	leads  bool
}

// NewService returns the metrics of a service, on a registry of their own.
func NewService(o Options) *Service {
	if o.Leader == nil {
		o.Leader = func() bool { return true }
	}
	if o.Labels == 0 {
		o.Labels = 50
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	s := &Service{
		Options: o, registry: newRegistry(o.Version, o.Engine), counts: newCounts(o.Labels), leases: newLeases(),
		recovery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "overnight_recovery_seconds",
			Help:    "Time from the last sign of life of who held a lost job until all of its trials had records.",
			Buckets: []float64{1, 2, 3, 5, 8, 10, 12, 15, 20, 30, 60, 120},
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "overnight_jobs_lost_total", Help: "Jobs that were issued again because nobody held them any more.",
		}),
		back: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "overnight_counts_went_back_total", Help: "Times that the store had lost records which it had acknowledged.",
		}),
	}
	s.registry.MustRegister(s, s.recovery, s.lost, s.back)
	return s
}

// newRegistry has what every process shows.
func newRegistry(version string, engine int) *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "overnight_build_info", Help: "Always 1; its labels say what is running.",
		ConstLabels: prometheus.Labels{"version": version, "engine": strconv.Itoa(engine), "goversion": runtime.Version()},
	}, func() float64 { return 1 })
	r.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

func handler(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 2 * readTimeout})
}

// Observe is for coordinator.Options.Observe.
func (s *Service) Observe(e coordinator.Event) {
	switch e.Kind {
	case coordinator.JobLost:
		s.lost.Inc()
	case coordinator.Recovered:
		s.recovery.Observe(e.Took.Seconds())
	case coordinator.CountsWentBack:
		s.back.Inc()
	}
}

// Handler answers /metrics.
func (s *Service) Handler() http.Handler { return handler(s.registry) }

// desc is a metric without constant labels.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("overnight_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (s *Service) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range serviceMetrics() {
		ch <- m.desc
	}
	ch <- coreDesc()
	ch <- wastedDesc()
}

func coreDesc() *prometheus.Desc {
	return desc("core_seconds_total", "Core time of the trials that were committed.", "study")
}

func wastedDesc() *prometheus.Desc {
	return desc("core_seconds_wasted_total", "Core time of results that were not needed: duplicates, different and refused ones.", "study")
}

// metric is one series of a sample.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*sample) (v float64, known bool)
}

// serviceMetrics are those without a label.
func serviceMetrics() []metric {
	sure := func(f func(*sample) float64) func(*sample) (float64, bool) {
		return func(s *sample) (float64, bool) { return f(s), true }
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	return []metric{
		{desc("leader", "1 where this replica leads, else 0."), gauge, nil},
		{desc("store_up", "1 where the store answered, else 0; in a standby, which does not ask, 1."), gauge, nil},
		{desc("trials_pending", "Trials of running studies that have no record and that no worker holds."), gauge, sure(func(s *sample) float64 { return float64(s.pending) })},
		{desc("trials_running", "Trials that living workers hold."), gauge, sure(func(s *sample) float64 { return float64(s.running) })},
		{desc("trials_dead", "Dead and overrun trials of all submitted studies in the store, until they are retried or removed."), gauge, sure(func(s *sample) float64 { return float64(s.dead) })},
		{desc("trials_committed_total", "Records committed."), counter, sure(func(s *sample) float64 { return float64(s.sum.committed) })},
		{desc("trials_refused_total", "Records refused because they were of an older generation."), counter, sure(func(s *sample) float64 { return float64(s.sum.stale) })},
		{desc("trials_duplicates_total", "Records that were there already, with the same content."), counter, sure(func(s *sample) float64 { return float64(s.sum.duplicates) })},
		{desc("trials_differs_total", "Records that differ from the one that is there: the nondeterminism alarm."), counter, sure(func(s *sample) float64 { return float64(s.sum.differs) })},
		{desc("workers", "Workers that beat in the last 10 s."), gauge, sure(func(s *sample) float64 { return float64(s.workers) })},
		{desc("slots", "Trials that these workers can run at once."), gauge, sure(func(s *sample) float64 { return float64(s.slots) })},
		{desc("lease_age_seconds", "Silence of the worker that was silent longest among those holding trials that nobody has committed or holds beside them."), gauge, sure(func(s *sample) float64 { return s.leaseAge.Seconds() })},
		{desc("store_used_ratio", "Which part of its room the store has filled, where that is known."), gauge, func(s *sample) (float64, bool) { return s.used, s.usedKnown }},
	}
}

// Collect implements prometheus.Collector.
func (s *Service) Collect(ch chan<- prometheus.Metric) {
	sample, leads := s.sample()
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	for i, m := range serviceMetrics() {
		switch {
		case i == 0:
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, flag(leads))
		case i == 1:
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, flag(!leads || sample != nil))
		case sample != nil:
			if v, known := m.value(sample); known {
				ch <- prometheus.MustNewConstMetric(m.desc, m.kind, v)
			}
		}
	}
	if sample == nil {
		return
	}
	core, wasted := coreDesc(), wastedDesc()
	for study, c := range sample.cores {
		ch <- prometheus.MustNewConstMetric(core, prometheus.CounterValue, c.used.Seconds(), study)
		ch <- prometheus.MustNewConstMetric(wasted, prometheus.CounterValue, c.wasted.Seconds(), study)
	}
}

// sample returns what is so now, or was a second ago; nil in a standby, and where
// the store does not answer.
func (s *Service) sample() (_ *sample, leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	leads = s.Leader()
	if leads == s.leads && !s.taken.IsZero() && time.Since(s.taken) < fresh {
		return s.last, leads
	}
	s.leads, s.last = leads, nil
	if leads {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		last, err := s.read(ctx)
		if err != nil {
			s.Log.Warn("read metrics", zap.Error(err))
		} else {
			s.last = last
		}
	}
	s.taken = time.Now()
	return s.last, leads
}
