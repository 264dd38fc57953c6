// Package marketing simulates the daily split of an advertising budget over
// channels whose effectiveness drifts and whose revenue lands late. Start with
// Factory and Params.
//
// Day t, channel i: the action is divided by its sum, times the budget, and
// gives the spend s_i; the channel generates
//
//	g_i = max(0, e_i k_i f(s_i/k_i) (1 + return_noise z_i)), f(x) = x exp(-x) or another response,
//
// which lands over the coming days by the delay kernel; then
//
//	e_i <- max(effectiveness_floor, e_i + reversion (base_i - e_i) + volatility_i z'_i)
//
// The reward is what lands today, or profit, ROI or customer lifetime value made
// of it. The dynamics and their numbers are those of a notebook on policy
// gradients for campaigns (seed 000); its flaws are parameters that `faithful:
// true` presets.
//
// The package promises:
//   - An episode's noise is a function of its key: the K return normals and then
//     the K dynamics normals of day t are numbers 2Kt and on of the key's stream,
//     whatever is done, seen or paid. Errors of observation come from key.At(1).
//   - Spend never changes effectiveness and rewards are linear in what is
//     generated, so the best policy is the best split of each day. Spec.Optimum is
//     Exact where that split is solved and seen (see optimum.go), and says less
//     where it is not.
//   - Summed over an episode, Generated is the return.
//   - Reset, Step, Best, Metrics and Trace allocate nothing once the caller's
//     buffers have been used.
package marketing

import (
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Factory makes marketing environments. Its zero value is ready.
type Factory struct{}

var _ envs.Factory = Factory{}

// Name returns "marketing".
func (Factory) Name() string { return "marketing" }

// Doc describes the environment.
func (Factory) Doc() string {
	return "Splits a daily budget over advertising channels with diminishing returns, drifting effectiveness and delayed revenue. " +
		"Spend does not change effectiveness, so the best policy is the best split of each day, which the environment knows: " +
		"exactly for concave responses (exponential_decay while the budget is at most the sum of saturations, saturating, hill with response_shape 1), otherwise as a reference. " +
		"With the notebook's numbers a unit of spend brings back about .23, so under profit and roi the best is to spend nothing; raise margin or base_effectiveness to make it a question. " +
		"An episode ends with the campaign, so its last step is not truncated."
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

// reward is what an environment pays for.
type reward uint8

const (
	revenue reward = iota
	profit
	roi
	ltv
)

// Env is one environment. Factory.New makes it.
type Env struct {
	p    Params
	spec envs.Spec
	desc description // what spec was made of

	names []string // of the channels
	size  int      // of the observation

	// Constants of the parameters.
	k           int // channels
	entries     int // of an action: k, or k+1 with unspent
	response    response
	reward      reward
	clip        float64 // largest number of an action: 1 or +Inf
	bounded     bool    // there are caps or floors
	boxed       bool    // bounded, or part of the budget may stay unspent
	synergetic  bool
	noisy       bool    // returns or dynamics use normals
	blurred     bool    // what is shown of effectiveness is late or has errors
	meanSpend   bool    // spend is shown as its mean
	pendingFrom int     // first day shown of pending, and how many
	pendingLen  int     //
	gain, cost  float64 // reward = gain x landed - cost x spend, but for ltv
	life        lifetime
	landed      []float64 // by day: what a unit that lands then adds to the return
	worth       []float64 // by day: what a unit generated then adds to the return
	perUnit     float64   // 1/budget
	perBase     float64   // 1/largest base effectiveness
	meanNoise   float64   // E[max(0, 1 + return_noise z)]
	meanNoiseOf float64   // the return_noise that it is of

	// State of the episode.
	day       int
	ch        []channel
	idle      float64   // share left unspent on the last day, with unspent
	pending   []float64 // revenue that will land today, tomorrow, ...
	byChannel []float64 // the same, channel by channel, where that is shown
	customers float64   // under ltv: all that are retained, and the new ones
	weight    float64   // under ltv: the day's discount factor
	last      lastDay
	total     totals

	// Noise of the episode.
	stream rng.Stream
	noise  []float64 // [day][2k]
	errors []float64 // [observation][k]
	past   []float64 // ring of [lag+1][k]: effectiveness

	want   []float64 // shares of an action that boxes bind
	raw    []float64 // the last action as it came, where traced
	reach  []float64 // with synergy
	oracle oracle
}

// channel is a channel's parameters and state.
type channel struct {
	eff, seen         float64 // effectiveness now: true, and as shown
	base, vol         float64
	k, invK           float64
	share, spend      float64 // of the last day
	generated         float64 // on the last day
	effThen, seenThen float64 // effectiveness when the last action was taken
	spent             float64 // sum of shares since day 0
	least, most       float64 // floor and cap, as shares
}

// lastDay is what is known of the day just ended.
type lastDay struct {
	day                      int
	generated, spend, landed float64
	reward                   float64
	own                      float64 // what its action adds to the return
}

// totals are sums over the episode.
type totals struct {
	revenue, spend, switched, ltv, customers float64
	capped                                   int
}

// Spec returns what the environment declares.
func (e *Env) Spec() *envs.Spec { return &e.spec }
