// Package email simulates a campaign that sends one of several subject lines to
// each recipient and learns from who converts: a bandit. Start with Factory and
// Params.
//
// Send t goes to a recipient who converts under subject line i iff u_t < p_i(t).
// Outcomes come as Credits: at once, at the end of a batch, or late, and then
// perhaps only within an attribution window.
//
// The package promises:
//   - Everything but fatigue is a function of the episode's key and the send: u_t
//     is number t of the key's stream, and contexts, drift, delays and revenue
//     have streams of their own, so policies and subject lines meet the same
//     recipients whatever else is switched on.
//   - Rates, gaps and regret are of what a send causes, whether or not it is
//     credited in time. The return is what was credited.
//   - The arithmetic is the same to the bit on every architecture.
//   - Reset, Step, Best, Metrics and Trace allocate nothing once the buffers have
//     been used.
package email

import (
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Factory makes email environments. Its zero value is ready.
type Factory struct{}

var _ envs.Factory = Factory{}

// Name returns "email".
func (Factory) Name() string { return "email" }

// Doc describes the environment.
func (Factory) Doc() string {
	return "Sends one of several subject lines to each recipient and learns from who converts, in one learning run. " +
		"Rates are given or drawn, stand still, jump, wander, swing or tire; conversions come at once, in batches or late; segments, devices and hours differ. " +
		"`regret` is pseudo-regret against the best subject line for each context, `dynamic_regret` against the best at each send; both count what sends cause, and `return` what was credited by the last send. " +
		"Under fatigue, and with recipients who tire, the best at each send is not the best for the run, so there is no optimality. " +
		"The best subject line is known to the environment alone where rates are drawn for each replication, jump or wander: there `optimality` 1 is out of reach."
}

// Schema describes Params.
func (Factory) Schema() param.Schema { return schema() }

// New returns the environment of p. Parameters that don't fit each other are a
// *param.Error. reuse keeps its buffers.
func (Factory) New(p *param.Map, reuse envs.Env) (envs.Env, error) {
	e, ok := reuse.(*Env)
	if !ok {
		e = &Env{}
	}
	param.Decode(p, &e.p)
	if err := e.p.check(); err != nil {
		return nil, err
	}
	e.prepare()
	return e, nil
}

// world is how rates change.
type world uint8

const (
	stationary world = iota
	abrupt
	randomWalk
	seasonal
	fatigue
)

// drifts tells whether rates change whatever is sent.
func (w world) drifts() bool { return w == abrupt || w == randomWalk || w == seasonal }

// Env is one environment. Factory.New makes it.
type Env struct {
	p       Params
	spec    envs.Spec
	desc    description // what spec was made of
	unnamed bool        // spec has the names that null stands for

	// Constants of the parameters.
	arms     int      // subject lines
	actions  int      // with no mail
	names    []string // of the arms
	world    world
	grid     grid
	linear   bool
	plain    bool      // see plainly
	ratesKey rng.Key   // of rates drawn once for a study
	value    []float64 // mean revenue of a conversion, by arm
	masks    [][]bool  // by segment; empty: no vetoes
	pay      pay
	late     late
	list     recipients

	// State of the episode.
	key     rng.Key
	t       int
	u       rng.Stream
	rates   rates
	context context
	now     []float64    // rates of this send by arm; not to be written to
	before  []float64    // of the send before
	spare   [2][]float64 // where rates are computed that change
	left    int          // sends of the batch
	best    int          // the best allowed arm of this send
	pending []envs.Credit
	last    lastSend
	totals  totals
}

// Streams of an episode: parts of its key.
const (
	streamRates = 1 + iota
	streamWorld
	streamSegment
	streamDevice
	streamHour
	streamDelay
	streamRevenue
	streamRecipient
	streamList
)
