// Package web is the HTTP API and the dashboard of `overnight serve` and `run
// --ui`, and the server of probes that serve and worker share. Start with New,
// Listen and Probes; metrics stand in a package below it, and what is shown of a
// study under way in package live.
//
// Every answer of the API is computed from the store, so that each replica of the
// service gives the same; only the rates and estimates of a study come from the
// replica that coordinates it. Whoever asks is known by a token with one of three
// roles; each change leaves one line in the log. See docs/security.md.
package web

import (
	"context"
	"errors"
	"io"
	"net/http"

	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
)

// Store is what the API reads.
type Store interface {
	results.Plans
	results.Records
}

// Orders change studies. Their errors wrap results.ErrNotFound where there is no
// such study and ErrConflict where it can't be done as the study stands.
type Orders interface {
	Cancel(ctx context.Context, study string) error
	Pause(ctx context.Context, study string) error
	Resume(ctx context.Context, study string) error
	// Retry forgets the records of failed, dead and overrun trials, so that they
	// run again, and returns how many.
	Retry(ctx context.Context, study string) (trials uint64, err error)
	Delete(ctx context.Context, study string) error
}

// Errors of Orders and of Options.Submit that are answered with their text: it is
// for the user and holds no secret.
var (
	ErrConflict = errors.New("not as the study stands") // 409
	ErrRefused  = errors.New("refused")                 // 422
)

// Options configure the API.
type Options struct {
	Store   Store
	Fleet   *Fleet // must be run
	Catalog *jobs.Catalog
	Orders  Orders
	// Submit plans a study that was parsed and found right. An error that wraps
	// ErrRefused is the user's fault.
	Submit func(ctx context.Context, study *jobs.Study, source []byte, s Submission) (coordinator.Planned, error)
	// Progress returns where the studies stand that this process coordinates; none
	// in a standby. Nil: none.
	Progress func() []coordinator.Progress
	// Model reads a study's records for tables. Nil: there are no tables.
	Model ModelFunc
	// Report writes a study's report, a page of its own, with pictures of the trials
	// that may be run again; Export its trials or curves ("trials", "curves"; "csv",
	// "jsonl", "parquet"). They are called for studies that are there. Nil: none.
	Report func(ctx context.Context, study string, again Replay, w io.Writer) error
	Export func(ctx context.Context, study, what, format string, w io.Writer) error
	// Play returns what runs a study's trials again in this process, for the pictures
	// of a report: cheap ones alone, one at a time. Nil: none is run again.
	Play func(study *jobs.Study) figure.Play
	// Tokens are who may do what. Nil: everybody may do everything, which Listen
	// allows on loopback addresses only.
	Tokens *Tokens
	// Hosts are further names under which the API is reached on a loopback address or
	// without tokens, such as that of a proxy.
	Hosts []string
	Log   *zap.Logger // Defaults to none. Hears one line "audit" of each change.
}

// api answers requests.
type api struct {
	Options
	failures *limiter
	sessions *sessions
	looks    *looks
	hub      *hub
	views    *views
	analyses *analyses
	openapi  []byte
	parsing  chan struct{} // holds a value while a study file is parsed
	places   *places
}

// maxParsing is how many study files are parsed at once.
const maxParsing = 2

// New returns the handler of the API and the dashboard.
func New(o Options) http.Handler { return newAPI(o).handler() }

func newAPI(o Options) *api {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Progress == nil {
		o.Progress = func() []coordinator.Progress { return nil }
	}
	return &api{
		Options: o, failures: newLimiter(), sessions: newSessions(), hub: newHub(), views: &views{},
		looks: &looks{at: map[string]*looked{}}, analyses: newAnalyses(), openapi: openAPI(),
		parsing: make(chan struct{}, maxParsing), places: newPlaces(),
	}
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	routes := map[string]route{}
	for _, r := range a.routes() {
		mux.Handle(r.pattern, a.allowed(r))
		routes[r.pattern] = r
	}
	return a.guard(mux, routes)
}

// everybody is the role of routes that need no token.
const everybody Role = 0

// route is one thing that can be asked.
type route struct {
	pattern string
	role    Role
	action  string // "" for what changes nothing
	handle  func(w http.ResponseWriter, r *http.Request) error
	page    bool // of the dashboard: who is not signed in is led there
}

func (a *api) routes() []route {
	return append(a.pages(), []route{
		{"GET /api/v1/openapi.json", everybody, "", a.document, false},
		{"GET /api/v1/session", everybody, "", a.whoAmI, false},
		{"POST /api/v1/session", everybody, "", a.signIn, false},
		{"DELETE /api/v1/session", View, "", a.signOut, false},
		{"GET /api/v1/workers", View, "", a.workers, false},
		{"GET /api/v1/live", View, "", a.overview, false},
		{"GET /api/v1/studies", View, "", a.studies, false},
		{"GET /api/v1/studies/{name}", View, "", a.study, false},
		{"GET /api/v1/studies/{name}/compare", View, "", a.compare, false},
		{"GET /api/v1/studies/{name}/digest", View, "", a.digest, false},
		{"GET /api/v1/studies/{name}/events", View, "", a.events, false},
		{"GET /api/v1/studies/{name}/export", View, "", a.export, false},
		{"GET /api/v1/studies/{name}/failures", View, "", a.snapshot("failures"), false},
		{"GET /api/v1/studies/{name}/figures", View, "", a.snapshot("figures"), false},
		{"GET /api/v1/studies/{name}/leaders", View, "", a.leaders, false},
		{"GET /api/v1/studies/{name}/live", View, "", a.live, false},
		{"GET /api/v1/studies/{name}/report", View, "", a.report, false},
		{"GET /api/v1/studies/{name}/results", View, "", a.results, false},
		{"GET /api/v1/studies/{name}/sensitivity", View, "", a.sensitivity, false},
		{"GET /api/v1/studies/{name}/source", View, "", a.source, false},
		{"GET /api/v1/studies/{name}/trials", View, "", a.trials, false},
		{"POST /api/v1/studies", Submit, "submit", a.submit, false},
		{"POST /api/v1/studies/{name}/cancel", Submit, "cancel", a.order(a.Orders.Cancel), false},
		{"POST /api/v1/studies/{name}/pause", Submit, "pause", a.order(a.Orders.Pause), false},
		{"POST /api/v1/studies/{name}/resume", Submit, "resume", a.order(a.Orders.Resume), false},
		{"POST /api/v1/studies/{name}/retry", Submit, "retry", a.retry, false},
		{"DELETE /api/v1/studies/{name}", Admin, "delete", a.order(a.Orders.Delete), false},
	}...)
}
