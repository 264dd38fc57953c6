package marketing

import (
	"fmt"
	"slices"
	"strconv"

	"overnight/internal/param"
)

// sumTolerance is how far the delay kernel's sum may be from 1.
const sumTolerance = 1e-9

// shareTolerance forgives rounding in sums of shares.
const shareTolerance = 1e-12

// check finds what the schema can't: parameters that don't fit each other. The
// error is a *param.Error, the first found.
func (p *Params) check() error {
	k := len(p.Channels)
	if err := p.checkNames(); err != nil {
		return err
	}
	for _, list := range []struct {
		name string
		n    int
	}{
		{"base_effectiveness", len(p.BaseEffectiveness)},
		{"saturation", len(p.Saturation)},
		{"volatility", len(p.Volatility)},
		{"cap", len(p.Cap)},
		{"floor", len(p.Floor)},
	} {
		if list.n != 1 && list.n != k {
			return &param.Error{
				Path:    list.name,
				What:    fmt.Sprintf("has %s for %s", count(list.n, "number"), count(k, "channel")),
				Instead: fmt.Sprintf("write one number for all, or a list of %d", k),
			}
		}
	}
	sum := 0.0
	for _, share := range p.Delay {
		sum += share
	}
	if !(sum >= 1-sumTolerance && sum <= 1+sumTolerance) {
		return &param.Error{
			Path: "delay", What: "sums to " + number(sum),
			Instead: "write shares that sum to 1, such as [0.5, 0.3, 0.2]",
		}
	}
	if err := p.checkShares(); err != nil {
		return err
	}
	if p.Reward == "ltv" && p.Retention >= 1+p.Discount {
		return &param.Error{
			Path: "retention", What: "is " + number(p.Retention) + " with discount " + number(p.Discount) + ", so a customer is worth infinitely much",
			Instead: "write a retention below 1, or a discount above 0",
		}
	}
	return p.checkSynergy()
}

func (p *Params) checkNames() error {
	for i, name := range p.Channels {
		what, instead := "", "give the channel another name"
		switch first := slices.Index(p.Channels, name); {
		case name == "":
			what, instead = "is empty", "give the channel a name"
		case first < i:
			what, instead = fmt.Sprintf("is %q, as is channels[%d]", name, first), "give each channel a name of its own"
		case name == unspentName && p.Unspent:
			what = "is " + name + ", as is the share that `unspent: true` adds"
		default:
			continue
		}
		return &param.Error{Path: "channels[" + strconv.Itoa(i) + "]", What: what, Instead: instead}
	}
	return nil
}

// checkShares checks that caps and floors leave an allocation.
func (p *Params) checkShares() error {
	caps, floors := 0.0, 0.0
	for i, name := range p.Channels {
		most, least := p.Cap.At(i), p.Floor.At(i)
		if least > most {
			return &param.Error{
				Path: "floor", What: fmt.Sprintf("is %s for channel %q, above its cap %s", number(least), name, number(most)),
				Instead: "write a floor of at most the cap",
			}
		}
		caps += most
		floors += least
	}
	if floors > 1+shareTolerance {
		return &param.Error{
			Path: "floor", What: "sums to " + number(floors) + " over the channels, more than the budget",
			Instead: "write shares of the budget that sum to at most 1",
		}
	}
	if caps < 1-shareTolerance && !p.Unspent {
		return &param.Error{
			Path: "cap", What: "sums to " + number(caps) + " over the channels, so the budget can't be spent",
			Instead: "write shares that sum to at least 1, or let the rest stay unspent with unspent: true",
		}
	}
	return nil
}

func (p *Params) checkSynergy() error {
	k := len(p.Channels)
	if p.Synergy == nil {
		return nil
	}
	if len(p.Synergy) != k {
		return &param.Error{
			Path: "synergy", What: fmt.Sprintf("has %s for %s", count(len(p.Synergy), "row"), count(k, "channel")),
			Instead: "write one row for each channel",
		}
	}
	for i, row := range p.Synergy {
		if len(row) != k {
			return &param.Error{
				Path: fmt.Sprintf("synergy[%d]", i), What: fmt.Sprintf("has %s for %s", count(len(row), "number"), count(k, "channel")),
				Instead: fmt.Sprintf("write %s in each row", count(k, "number")),
			}
		}
		if row[i] != 0 {
			return &param.Error{
				Path: fmt.Sprintf("synergy[%d][%d]", i, i), What: "is " + number(row[i]) + ", a synergy of a channel with itself",
				Instead: "write 0; a channel's own response is set by response and saturation",
			}
		}
		worst := 0.0
		for _, v := range row {
			worst += min(0, v)
		}
		if worst < -1 {
			return &param.Error{
				Path: fmt.Sprintf("synergy[%d]", i), What: "has negative numbers that sum to " + number(worst) + ", so revenue could be negative",
				Instead: "write negative numbers that sum to at least -1 in each row",
			}
		}
	}
	return nil
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', 10, 64) }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
