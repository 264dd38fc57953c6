package guard

import (
	"fmt"
	"math"
	"slices"

	"overnight/envs"
	"overnight/internal/param"
)

// Params are the rails. Every default means: off.
type Params struct {
	Holdout   float64 `param:"holdout" default:"0" min:"0" below:"1" doc:"Share of the sends, or of the recipients where the environment shows them, that never get the policy's choice but any action allowed, all equally likely: what the policy is compared with. The policy learns from them too. 0: none."`
	Floor     float64 `param:"floor" default:"0" min:"0" max:"1" doc:"Least probability of every action that is allowed, at every send. 0: none."`
	ShareCap  float64 `param:"share_cap" default:"1" above:"0" max:"1" doc:"The policy may not choose an action that already has as large a share of the run's sends; floor and holdout may, and no mail is not capped. 1: no cap."`
	Frequency struct {
		Cap    int `param:"cap" default:"0" min:"0" max:"1000" unit:"mails" doc:"After as many mails within the last sends a recipient gets no mail. The environment has to show recipients. 0: no cap."`
		Within int `param:"within" default:"1000" min:"1" max:"10000000" unit:"sends" doc:"How far back cap counts."`
	} `param:"frequency" doc:"Frequency cap."`
	Stop struct {
		Drop       float64 `param:"drop" default:"1" min:"0" max:"1" doc:"The policy is stopped, and every later send is uniform, once its conversions per send are surely more than as large a share below the holdout's, or below rate. 1: never."`
		Rate       float64 `param:"rate" default:"0" min:"0" max:"1" doc:"Conversions per send from before, to compare with instead of the holdout. It needs outcomes that are all credited in the end, at once, with a batch or when a window closes. 0: not given."`
		Confidence float64 `param:"confidence" default:"0.95" above:"0" below:"1" doc:"What surely means: the probability that a policy which is not so much worse is never stopped, however often one looks. Against the holdout it needs outcomes that are as late for one action as for another; with stop.rate it does not."`
	} `param:"stop" doc:"Stop rule on a drop of conversions."`
}

const (
	recipientField = "recipient" // observation field: a person's number
	noMail         = "no mail"   // action that passes a recipient's turn
	mostStamps     = 10_000_000  // mails that a frequency cap remembers: 40 MB
)

func (p *Params) stops() bool { return p.Stop.Drop < 1 }

// measures says whether outcomes of the groups are kept.
func (p *Params) measures() bool { return p.Holdout > 0 || p.stops() }

// on says whether any rail is.
func (p *Params) on() bool {
	return p.Holdout > 0 || p.Floor > 0 || p.ShareCap < 1 || p.Frequency.Cap > 0 || p.stops()
}

// recipientOf returns where the observation tells the recipient, and how many
// there are; -1 where it does not.
func recipientOf(s *envs.Spec) (at, levels int) {
	for _, f := range s.Observation {
		if f.Name == recipientField && f.Len == 1 && f.Levels > 0 {
			return at, f.Levels
		}
		at += f.Len
	}
	return -1, 0
}

// check finds what the schema can't: rails that don't fit the environment or
// each other.
func (p *Params) check(name string, s *envs.Spec) error {
	refuse := func(path, instead, what string, args ...any) error {
		return &param.Error{Path: Group + "." + path, What: fmt.Sprintf(what, args...), Instead: instead}
	}
	if !p.stops() && p.Stop.Rate > 0 {
		return refuse("stop.rate", "write stop.drop too, such as 0.2, or leave the rate out", "is %v, and stop.drop is 1, which stops never", p.Stop.Rate)
	}
	if !p.on() {
		return nil
	}
	n := s.Action.N
	if s.Action.Kind != envs.Discrete {
		return fmt.Errorf("%s has a guard, which is for one of several actions, and the environment's actions are a %s of %d numbers; leave %s out", name, s.Action.Kind, n, Group)
	}
	if p.Floor*float64(n) > 1+1e-12 {
		return refuse("floor", "write at most "+param.FormatValue(math.Floor(1e4/float64(n))/1e4), "is %v for each of %d actions, more than all sends together", p.Floor, n)
	}
	if p.ShareCap*float64(n) < 1-1e-6 {
		return refuse("share_cap", "write at least "+param.FormatValue(math.Ceil(1e4/float64(n))/1e4), "is %v for each of %d actions, which is not all sends together", p.ShareCap, n)
	}
	at, people := recipientOf(s)
	if cap := p.Frequency.Cap; cap > 0 {
		switch {
		case at < 0:
			return refuse("frequency.cap", "choose an environment with recipients (email has them with recipients: {number: 2000}), or leave the cap out", "is %d mails a recipient, and the environment does not show an integer field %q", cap, recipientField)
		case !slices.Contains(s.Action.Names, noMail):
			return refuse("frequency.cap", "choose an environment with such an action (email has it with recipients: {number: 2000}), or leave the cap out", "is %d mails a recipient, and the environment has no action %q", cap, noMail)
		case people > mostStamps/cap:
			return refuse("frequency.cap", fmt.Sprintf("write a cap of at most %d, or fewer recipients", mostStamps/people), "is %d for %d recipients, more mails than are remembered", cap, people)
		}
	}
	if p.stops() && p.Holdout == 0 && p.Stop.Rate == 0 {
		return refuse("stop.drop", "write holdout: 0.1 beside stop, or the rate from before in stop.rate", "is %v, and there is nothing that conversions could drop against", p.Stop.Drop)
	}
	return nil
}

// Metrics returns what a guarded policy with every rail reports.
func Metrics() []envs.Metric {
	return []envs.Metric{
		{Name: "holdout_uplift", Unit: "conversions per send", Doc: "Conversions per send of the policy less those of the holdout, of sends before the stop rule struck whose outcome is known. With guard.holdout."},
		{Name: "holdout_uplift_low", Unit: "conversions per send", Doc: "Lower end of its 95 % interval (Newcombe 1998, method 10)."},
		{Name: "holdout_uplift_high", Unit: "conversions per send", Doc: "Upper end."},
		{Name: "holdout_sends", Unit: "sends", Doc: "Sends of the holdout."},
		{Name: "srm_p", Doc: "Sample-ratio mismatch: p-value of the chi-square test that the holdout has its share of sends, or of recipients. Below 0.001 something is wrong with the split. Missing where fewer than 5 are expected in a group."},
		{Name: "stopped_at", Unit: "sends", Doc: "Sends after which the stop rule struck; one more than the run has if it never did. With guard.stop."},
	}
}

const stopMetric = 5 // of Metrics; those before are the holdout's

// metrics returns those of the rails that are on.
func (p *Params) metrics() []envs.Metric {
	list := Metrics()
	if p.Holdout == 0 {
		list = list[stopMetric:]
	}
	if !p.stops() {
		list = list[:len(list)-1]
	}
	return list
}
