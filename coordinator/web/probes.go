package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Pulse is how a main loop shows that it goes round.
type Pulse struct{ last atomic.Pointer[time.Time] }

// NewPulse returns a pulse that has just beaten.
func NewPulse() *Pulse {
	p := &Pulse{}
	p.Beat()
	return p
}

// Beat says that the loop goes round.
func (p *Pulse) Beat() {
	now := time.Now()
	p.last.Store(&now)
}

// Still is how long the loop has not gone round, by the monotonic clock.
func (p *Pulse) Still() time.Duration { return time.Since(*p.last.Load()) }

// stuck is the silence of a main loop after which a process should be started
// again.
const stuck = 30 * time.Second

// Check tells whether something this process needs can be reached.
type Check struct {
	Name string // "store", "queue"
	Ask  func(context.Context) error
}

// Probes answer /livez, /readyz and /metrics, to everybody who can reach their
// address: they tell names of studies, counts and nothing else.
type Probes struct {
	Pulse  *Pulse
	Checks []Check
	// Role says what a ready process is: "leader", "standby", "worker".
	Role func() string
	// Metrics answers /metrics. Nil: there are none.
	Metrics http.Handler
	Log     *zap.Logger // Defaults to none.
}

// Handler returns the handler of the probes.
func (p Probes) Handler() http.Handler {
	if p.Log == nil {
		p.Log = zap.NewNop()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		if still := p.Pulse.Still(); still > stuck {
			plain(w, http.StatusServiceUnavailable, fmt.Sprintf("stuck for %v", still.Round(time.Second)))
			return
		}
		plain(w, http.StatusOK, "alive")
	})
	ready := &readiness{Probes: p}
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		status, text := ready.ask(r.Context())
		plain(w, status, text)
	})
	if p.Metrics != nil {
		mux.Handle("GET /metrics", p.Metrics)
	}
	return mux
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// readiness asks the checks at most once a second, however many probe.
type readiness struct {
	Probes
	mu    sync.Mutex
	asked time.Time
	bad   string // what was not reached then
	said  string // what was logged last
}

// askTimeout is below what orchestrators wait for a probe.
const askTimeout = 2 * time.Second

func (r *readiness) ask(ctx context.Context) (status int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked.IsZero() || time.Since(r.asked) >= time.Second {
		r.bad = ""
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
		defer cancel()
		for _, c := range r.Checks {
			if err := c.Ask(ctx); err != nil {
				r.bad = c.Name
				if r.said != c.Name {
					r.Log.Warn("not ready", zap.String("unreachable", c.Name), zap.Error(err))
				}
				break
			}
		}
		if r.bad == "" && r.said != "" {
			r.Log.Info("ready again")
		}
		r.said, r.asked = r.bad, time.Now()
	}
	if r.bad != "" {
		return http.StatusServiceUnavailable, "not ready: " + r.bad + " unreachable"
	}
	if r.Role != nil {
		return http.StatusOK, "ready: " + r.Role()
	}
	return http.StatusOK, "ready"
}
