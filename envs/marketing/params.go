package marketing

import (
	"sync"

	"overnight/internal/param"
)

// Params are the parameters of the environment. Money is in the unit of Budget,
// a period is a day.
type Params struct {
	Channels          []string      `param:"channels" default:"[email, social, search]" len:"1..64" doc:"Names of the channels. With another number of channels, base_effectiveness, saturation and volatility want one number for all or a list as long."`
	BaseEffectiveness param.Numbers `param:"base_effectiveness" default:"[0.3, 0.5, 0.7]" above:"0" unit:"revenue per unit of spend" doc:"What a channel returns for the first unit of spend, and the level its effectiveness reverts to."`
	Saturation        param.Numbers `param:"saturation" default:"[300, 500, 400]" above:"0" unit:"money a day" doc:"The scale k of a channel's response; see response."`
	Volatility        param.Numbers `param:"volatility" default:"[0.1, 0.2, 0.15]" min:"0" doc:"Standard deviation of a channel's daily change in effectiveness."`
	VolatilityScale   float64       `param:"volatility_scale" default:"1" min:"0" doc:"Multiplies every volatility; 0: effectiveness stays at its base."`
	Delay             []float64     `param:"delay" default:"[0.5, 0.3, 0.15, 0.05]" min:"0" len:"1..366" doc:"Share of an action's revenue that lands after 0, 1, 2, ... days. Sums to 1."`
	ReturnNoise       float64       `param:"return_noise" default:"0.2" min:"0" doc:"Relative standard deviation of a channel's daily revenue, which is cut off at 0."`
	Budget            float64       `param:"budget" default:"1000" above:"0" unit:"money a day" doc:"What there is to spend each day."`
	Horizon           int           `param:"horizon" default:"30" min:"1" max:"10000" unit:"days" doc:"Length of an episode."`
	Reversion         float64       `param:"reversion" default:"0.1" min:"0" max:"1" unit:"per day" doc:"Share of its distance to the base that effectiveness makes up each day."`
	EffFloor          float64       `param:"effectiveness_floor" default:"0.1" min:"0" unit:"revenue per unit of spend" doc:"Effectiveness never falls below it. It lifts the mean above the base of weak, volatile channels."`

	Reward    string  `param:"reward" default:"revenue" enum:"revenue,profit,roi,ltv" doc:"revenue: what lands on the day. profit: margin x revenue - spend. roi: profit as a share of the budget of the whole episode, so that the return is the ROI where all of it is spent. ltv: discounted margin of first and repeat purchases of the customers won, spend not counted."`
	Margin    float64 `param:"margin" default:"1" above:"0" doc:"Profit per unit of revenue before advertising, for profit, roi and ltv."`
	Purchase  float64 `param:"purchase" default:"50" above:"0" unit:"money" doc:"Value of one purchase. Landed revenue divided by it is new customers; under ltv a customer buys for as much each period while retained."`
	Retention float64 `param:"retention" default:"0.9" min:"0" max:"1" unit:"per day" doc:"Share of customers that a period keeps, under ltv."`
	Discount  float64 `param:"discount" default:"0.01" min:"0" unit:"per day" doc:"Discount rate under ltv. A customer is worth m (1 + discount) / (1 + discount - retention), where m = margin x purchase."`
	Settle    bool    `param:"settle" default:"false" doc:"Pay revenue still due after the last day, and under ltv the value of retained customers, on the last day. Otherwise it is lost."`

	Response      string   `param:"response" default:"exponential_decay" enum:"exponential_decay,hill,logistic,saturating" doc:"Revenue for a spend s, x = s/k, per unit of effectiveness. exponential_decay: s exp(-x), which falls past s = k. saturating: k (1 - exp(-x)). hill: k x^h / (1 + x^h). logistic: k (L(x) - L(0)) / (1 - L(0)), L(x) = 1 / (1 + exp(-h (x - 1))). h is response_shape."`
	ResponseShape *float64 `param:"response_shape" min:"1" max:"20" doc:"Exponent h of hill (null: 1, which is concave) or steepness h of logistic (null: 4). No other response uses it."`

	Observe struct {
		Effectiveness bool    `param:"effectiveness" default:"true" doc:"Show effectiveness, divided by the largest base."`
		Noise         float64 `param:"noise" default:"0" min:"0" doc:"Relative standard deviation of the error of the effectiveness shown."`
		Lag           int     `param:"lag" default:"0" min:"0" max:"10000" unit:"days" doc:"Show the effectiveness of this many days ago; before there is any, the base."`
		Spend         string  `param:"spend" default:"last" faithful:"mean" enum:"last,mean" doc:"Recent spend as shares of the budget: of the day before, or the mean since day 0."`
		Pending       string  `param:"pending" default:"total" enum:"none,total,channels" doc:"Show revenue on its way, divided by the budget: not at all, summed over channels, or channel by channel."`
		Tomorrow      bool    `param:"tomorrow" default:"true" faithful:"false" doc:"Pending revenue begins with what lands next. false: it begins one day later, and its last number is always 0."`
	} `param:"observe" doc:"What the agent sees."`

	Cap     param.Numbers `param:"cap" default:"1" above:"0" max:"1" unit:"share of the budget" doc:"Most that may go to a channel each day. What an action puts above it goes to the other channels in proportion."`
	Floor   param.Numbers `param:"floor" default:"0" min:"0" max:"1" unit:"share of the budget" doc:"Least that goes to a channel each day."`
	Unspent bool          `param:"unspent" default:"false" doc:"Let part of the budget stay unspent: the action has one more entry, its share."`
	Hold    int           `param:"hold" default:"1" min:"1" max:"10000" unit:"days" doc:"The budget is allocated anew every so many days; actions in between are ignored."`
	Synergy [][]float64   `param:"synergy" doc:"Row i multiplies the revenue of channel i by 1 + sum over j of synergy[i][j] (1 - exp(-s_j/k_j)). The diagonal is 0. null: none."`

	Clip  bool `param:"clip" default:"false" faithful:"true" doc:"Cut each number of an action off at 1 before it is divided by their sum. Negative numbers count as 0 either way, and an action of zeros spends nothing above the floors."`
	Trace struct {
		Late bool `param:"late" default:"false" faithful:"true" doc:"Record effectiveness after the day's change, so one day late for the action beside it."`
		Raw  bool `param:"raw" default:"false" faithful:"true" doc:"Record the numbers of the action as they came, not the shares spent."`
	} `param:"trace" doc:"What the day-by-day record shows."`
	Faithful bool `param:"faithful" default:"false" doc:"Preset what the notebook does (observe.spend, observe.tomorrow, clip, trace) instead of the corrected forms."`
}

// schema reads the tags once.
var schema = sync.OnceValue(func() param.Schema { return param.Of(Params{}) })
