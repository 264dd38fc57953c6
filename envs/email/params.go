package email

import (
	"sync"

	"overnight/internal/param"
)

// Params are the parameters of the environment. Time is counted in sends.
type Params struct {
	Subjects  []string  `param:"subjects" len:"1..64" doc:"Names of the arms. null: Limited Time Offer!, You Won't Believe This..., Exclusive Deal Inside, Last Chance to Save, Free Gift Waiting, as many as rates has, then Subject 6 and on."`
	Rates     []float64 `param:"rates" min:"0" max:"1" len:"1..64" doc:"Conversion rate of each subject line. null: drawn uniformly from rate_range."`
	RateRange []float64 `param:"rate_range" default:"[0.1, 0.6]" min:"0" max:"1" len:"2" doc:"Least and greatest rate that is drawn."`
	RatesFrom string    `param:"rates_from" default:"replication" enum:"replication,study" doc:"replication: rates (and effects of contexts) are drawn anew for each. study: once, from rates_seed, so that replications differ in their recipients alone."`
	RatesSeed int       `param:"rates_seed" default:"1" min:"0" doc:"Seed of the rates under rates_from: study."`
	Horizon   int       `param:"horizon" default:"10000" min:"1" max:"10000000" unit:"sends" doc:"Length of the run."`
	Batch     int       `param:"batch" default:"1" min:"1" max:"10000000" unit:"sends" doc:"Nothing is known of a batch's sends before its last one."`

	World  string `param:"world" default:"stationary" enum:"stationary,abrupt,random_walk,seasonal,fatigue" doc:"How rates change: not at all; at change points; by a random walk of their logits; by the season; or because subject lines tire with use. Settings are in the group of the same name."`
	Abrupt struct {
		At      []int  `param:"at" min:"1" unit:"sends" doc:"After how many sends rates change, in rising order. null: at random, as many times as changes says."`
		Changes int    `param:"changes" default:"3" min:"0" max:"10000" doc:"Number of changes where at is null."`
		Change  string `param:"change" default:"redraw" enum:"redraw,rotate" doc:"redraw: new rates from rate_range. rotate: each subject line takes the rate of the next, the last that of the first."`
	} `param:"abrupt" doc:"Settings of world: abrupt."`
	RandomWalk struct {
		SD float64 `param:"sd" default:"0.01" min:"0" max:"10" unit:"logit" doc:"Standard deviation of a rate's change at each send, so sd sqrt(t) after t sends."`
	} `param:"random_walk" doc:"Settings of world: random_walk."`
	Seasonal struct {
		Amplitude float64   `param:"amplitude" default:"0.5" min:"0" max:"100" unit:"logit" doc:"A rate's logit swings by as much up and down: amplitude sin(2 pi (t/period + phase))."`
		Period    float64   `param:"period" default:"2000" above:"0" unit:"sends" doc:"Length of a season's cycle."`
		Phase     []float64 `param:"phase" min:"0" max:"1" unit:"cycles" doc:"Where in the cycle each subject line begins. null: spread evenly."`
	} `param:"seasonal" doc:"Settings of world: seasonal."`
	Fatigue struct {
		Loss     float64 `param:"loss" default:"0.001" min:"0" max:"1000" unit:"per send" doc:"A rate is divided by 1 + f, and f grows by as much with each send of its subject line."`
		Recovery float64 `param:"recovery" default:"0.001" min:"0" max:"1" unit:"per send" doc:"Share of f that is forgotten at each send, of any subject line."`
	} `param:"fatigue" doc:"Settings of world: fatigue."`

	Delay     string        `param:"delay" default:"none" enum:"none,fixed,geometric" doc:"When a conversion is known: with its send, or after delay_mean further sends, exactly or on average. What is known after the last send is lost to the return."`
	DelayMean param.Numbers `param:"delay_mean" default:"100" min:"0" max:"1000000" unit:"sends" doc:"Delay of every subject line's conversions, or a list with one for each. Whole numbers under delay: fixed."`
	Window    *int          `param:"window" min:"0" max:"1000000" unit:"sends" doc:"Attribution window: a conversion that is later counts for nothing, and a send without one is credited 0 when the window ends. null: no end, so only conversions are ever credited. Not used where delay is none."`
	Anonymous bool          `param:"anonymous" default:"false" doc:"Credits come as one sum, without the sends that they are of."`

	Contexts []string `param:"contexts" default:"[]" len:"0..3" enum:"segment,device,hour" doc:"What is known of a recipient and changes rates. Numbers for regressions come as the field context: 1, then a 0 or 1 for each segment and each device (mobile, desktop, tablet) but the first, then sine and cosine of the hour. A recipient's segment, device and hour are independent of each other."`
	Segments struct {
		Names  []string    `param:"names" default:"[new, active, lapsed]" len:"2..16" doc:"Names of the segments."`
		Shares []float64   `param:"shares" above:"0" doc:"How often recipients are of each segment; divided by their sum. null: equally often."`
		Rates  [][]float64 `param:"rates" min:"0" max:"1" doc:"Rates of the subject lines, a row for each segment. null: by draw."`
		Draw   string      `param:"draw" default:"rotate" enum:"rotate,independent" doc:"rotate: all segments have the same rates, moved on by one subject line from each segment to the next, so their best ones differ. independent: drawn for each segment, which rates given for all don't allow."`
	} `param:"segments" doc:"Audience segments, where contexts has segment."`
	Devices struct {
		Shares []float64 `param:"shares" min:"0" max:"1000000" len:"3" doc:"How often recipients use mobile, desktop and tablet; divided by their sum. null: 0.55, 0.35, 0.1."`
	} `param:"devices" doc:"Devices, where contexts has device."`
	Hours struct {
		Shares []float64 `param:"shares" min:"0" max:"1000000" len:"24" doc:"How often sends are in each hour of the day, from midnight; divided by their sum. null: equally often."`
	} `param:"hours" doc:"Hours, where contexts has hour."`
	Link   string   `param:"link" default:"logistic" enum:"logistic,linear" doc:"How device and hour change a rate p. logistic: they add to its logit. linear: they add p (1 - p) as much to p itself (of its mean over segments), and p is cut off at 0 and 1."`
	Effect float64  `param:"effect" default:"0.5" min:"0" max:"10" unit:"logit" doc:"Standard deviation of the effects of each device, and of the hour's sine and cosine, drawn for each subject line."`
	Veto   []string `param:"veto" default:"[]" doc:"Subject lines that may not be sent: Free Gift Waiting, or for one segment, lapsed/Free Gift Waiting."`

	Recipients struct {
		Number   int     `param:"number" default:"0" min:"0" max:"1000000" doc:"Size of the list. Each send is the turn of one recipient, drawn from it, with a segment and a device that stay; the arm no mail passes the turn. 0: every recipient is new, and there is no such arm."`
		Loss     float64 `param:"loss" default:"0.2" min:"0" max:"1000" unit:"per mail" doc:"A recipient's rates are divided by 1 + w, and w grows by as much with each mail."`
		Recovery float64 `param:"recovery" default:"0.0005" min:"0" max:"1" unit:"per send" doc:"Share of w that is forgotten with each send, to whomever."`
		Cap      *int    `param:"cap" min:"1" max:"1000" unit:"mails" doc:"Frequency cap: after as many mails within the last sends only no mail is allowed. null: none."`
		Within   int     `param:"within" default:"1000" min:"1" max:"10000000" unit:"sends" doc:"How far back cap counts."`
	} `param:"recipients" doc:"Recipients with a history. The fields recipient (its number) and mails (to it so far) are observed."`

	Exposure struct {
		Floor  float64 `param:"floor" default:"0" min:"0" max:"1" doc:"Least share that each subject line is meant to have of the sends at which it is allowed. Nothing enforces it. Above 0 there are the metrics floor_violations, the number of windows in which a subject line got less, and with segments segment_gap, the best-served segment's share of what it could have had less the worst-served one's."`
		Within int     `param:"within" default:"500" min:"1" max:"10000000" unit:"sends" doc:"Length of the windows over which shares are taken, one after the other, for each segment its own sends; a last one that is cut short is not counted."`
	} `param:"exposure" doc:"The exposure that is watched, and reported as metrics."`

	Revenue       string        `param:"revenue" default:"none" enum:"none,poisson,lognormal" doc:"What a conversion pays: 1, or an amount with mean revenue_mean."`
	RevenueMean   param.Numbers `param:"revenue_mean" default:"50" above:"0" max:"500" unit:"money" doc:"Mean revenue of a conversion, for every subject line or a list with one for each."`
	RevenueSpread float64       `param:"revenue_spread" default:"0.5" min:"0" max:"3" doc:"Standard deviation of the logarithm of lognormal revenue."`
}

// schema reads the tags once.
var schema = sync.OnceValue(func() param.Schema { return param.Of(Params{}) })

var fiveSubjects = [...]string{"Limited Time Offer!", "You Won't Believe This...", "Exclusive Deal Inside", "Last Chance to Save", "Free Gift Waiting"}
