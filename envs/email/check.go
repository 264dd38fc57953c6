package email

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"overnight/internal/param"
)

// mostStamps bounds the memory of frequency caps: 40 MB.
const mostStamps = 10_000_000

func refuse(path, instead, what string, args ...any) error {
	return &param.Error{Path: path, What: fmt.Sprintf(what, args...), Instead: instead}
}

// count returns how many arms there are.
func (p *Params) count() int {
	switch {
	case p.Subjects != nil:
		return len(p.Subjects)
	case p.Rates != nil:
		return len(p.Rates)
	}
	return len(fiveSubjects)
}

// subject returns the name of arm i.
func (p *Params) subject(i int) string {
	switch {
	case p.Subjects != nil:
		return p.Subjects[i]
	case i < len(fiveSubjects):
		return fiveSubjects[i]
	}
	return "Subject " + strconv.Itoa(i+1)
}

func (p *Params) has(context string) bool { return slices.Contains(p.Contexts, context) }

// check finds what the schema can't: parameters that don't fit each other. The
// error is a *param.Error, the first found.
func (p *Params) check() error {
	k := p.count()
	if err := distinct("subjects", "subject line", p.Subjects); err != nil {
		return err
	}
	if i := slices.Index(p.Subjects, noMail); i >= 0 && p.Recipients.Number > 0 {
		return refuse("subjects["+strconv.Itoa(i)+"]", "give the subject line another name", "is %q, as is the arm that recipients add", noMail)
	}
	if p.Rates != nil && len(p.Rates) != k {
		return refuse("rates", fmt.Sprintf("write %d rates, or as many subjects as rates", k), "has %s for %s", plural(len(p.Rates), "number"), plural(k, "subject line"))
	}
	if p.RateRange[0] > p.RateRange[1] {
		return refuse("rate_range", "write the lower rate first, such as [0.1, 0.6]", "is [%v, %v], which falls", p.RateRange[0], p.RateRange[1])
	}
	for _, list := range []struct {
		name string
		n    int
	}{{"delay_mean", len(p.DelayMean)}, {"revenue_mean", len(p.RevenueMean)}} {
		if list.n != 1 && list.n != k {
			return refuse(list.name, fmt.Sprintf("write one number for all, or a list of %d", k), "has %s for %s", plural(list.n, "number"), plural(k, "subject line"))
		}
	}
	if s := &p.Recipients; s.Cap != nil && s.Number**s.Cap > mostStamps {
		return refuse("recipients.cap", fmt.Sprintf("write a cap of at most %d, or fewer recipients", mostStamps/s.Number), "is %d for %d recipients, more mails than are remembered", *s.Cap, s.Number)
	}
	if p.Delay == "fixed" {
		for _, d := range p.DelayMean {
			if d != float64(int(d)) {
				return refuse("delay_mean", "write a whole number of sends, or delay: geometric", "is %v under delay: fixed", d)
			}
		}
	}
	if err := p.checkWorld(k); err != nil {
		return err
	}
	if err := distinct("contexts", "context", p.Contexts); err != nil {
		return err
	}
	if err := p.checkSegments(k); err != nil {
		return err
	}
	for _, l := range []struct {
		name   string
		shares []float64
	}{{"devices.shares", p.Devices.Shares}, {"hours.shares", p.Hours.Shares}} {
		if l.shares != nil && slices.Max(l.shares) == 0 {
			return refuse(l.name, "write a share above 0, or null", "has nothing but 0")
		}
	}
	if err := p.checkVeto(k); err != nil {
		return err
	}
	return p.checkExposure(k)
}

func distinct(path, noun string, names []string) error {
	for i, name := range names {
		first := slices.Index(names, name)
		if name != "" && first == i {
			continue
		}
		at := path + "[" + strconv.Itoa(i) + "]"
		if name == "" {
			return refuse(at, "give each "+noun+" a name", "is empty")
		}
		return refuse(at, "name each "+noun+" once", "is %q, as is %s[%d]", name, path, first)
	}
	return nil
}

func (p *Params) checkWorld(k int) error {
	if p.World == "abrupt" {
		for i, at := range p.Abrupt.At {
			if at >= p.Horizon {
				return refuse("abrupt.at["+strconv.Itoa(i)+"]", fmt.Sprintf("write a number from 1 to %d, or a longer horizon", p.Horizon-1), "is %d, and the run ends after %d sends", at, p.Horizon)
			}
			if i > 0 && at <= p.Abrupt.At[i-1] {
				return refuse("abrupt.at["+strconv.Itoa(i)+"]", "write change points in rising order", "is %d, after %d", at, p.Abrupt.At[i-1])
			}
		}
	}
	if n := len(p.Seasonal.Phase); p.Seasonal.Phase != nil && n != k {
		return refuse("seasonal.phase", fmt.Sprintf("write %d phases, or null to spread them evenly", k), "has %s for %s", plural(n, "number"), plural(k, "subject line"))
	}
	return nil
}

func (p *Params) checkSegments(k int) error {
	s := &p.Segments
	n := len(s.Names)
	if err := distinct("segments.names", "segment", s.Names); err != nil {
		return err
	}
	if s.Shares != nil && len(s.Shares) != n {
		return refuse("segments.shares", fmt.Sprintf("write %d shares, or null for equal ones", n), "has %s for %s", plural(len(s.Shares), "number"), plural(n, "segment"))
	}
	if s.Rates != nil && len(s.Rates) != n {
		return refuse("segments.rates", "write one row of rates for each segment", "has %s for %s", plural(len(s.Rates), "row"), plural(n, "segment"))
	}
	for i, row := range s.Rates {
		if len(row) != k {
			return refuse(fmt.Sprintf("segments.rates[%d]", i), fmt.Sprintf("write %s in each row", plural(k, "rate")), "has %s for %s", plural(len(row), "number"), plural(k, "subject line"))
		}
	}
	if p.has("segment") && s.Draw == "independent" && s.Rates == nil && p.Rates != nil {
		return refuse("segments.draw", "write segments.rates, a row for each segment, or leave rates out", "is independent, but rates are given for all segments")
	}
	return nil
}

// checkVeto checks that vetoes name what there is and leave something to send.
func (p *Params) checkVeto(k int) error {
	for i, text := range p.Veto {
		segment, arm := p.vetoed(text)
		if arm >= 0 && segment != unknown {
			continue
		}
		path := "veto[" + strconv.Itoa(i) + "]"
		if s, name, ok := strings.Cut(text, "/"); ok && p.arm(name) >= 0 {
			if !p.has("segment") {
				return refuse(path, "write contexts: [segment], or the subject line alone", "is for segment %q, but there are no segments", s)
			}
			return refuse(path, "write one of "+strings.Join(p.Segments.Names, ", "), "is for %q, which is not a segment", s)
		}
		names := make([]string, k)
		for j := range names {
			names[j] = p.subject(j)
		}
		return refuse(path, "write one of "+strings.Join(names, ", "), "is %q, which is not a subject line", text)
	}
	if len(p.Veto) == 0 {
		return nil
	}
	for s := range p.segments() {
		left := k
		for i := range k {
			if p.vetoes(s, i) {
				left--
			}
		}
		if left == 0 {
			return refuse("veto", "leave at least one subject line to each segment", "leaves nothing to send")
		}
	}
	return nil
}

// segments returns the number of segments; 1 where there are none.
func (p *Params) segments() int {
	if p.has("segment") {
		return len(p.Segments.Names)
	}
	return 1
}

const (
	every   = -1 // segment
	unknown = -2
)

func (p *Params) arm(name string) int {
	for i := range p.count() {
		if p.subject(i) == name {
			return i
		}
	}
	return -1
}

// vetoed reads a veto. A name that holds a slash is a subject line first.
func (p *Params) vetoed(text string) (segment, arm int) {
	if i := p.arm(text); i >= 0 {
		return every, i
	}
	name, rest, _ := strings.Cut(text, "/")
	segment = unknown
	if s := slices.Index(p.Segments.Names, name); s >= 0 && p.has("segment") {
		segment = s
	}
	return segment, p.arm(rest)
}

func (p *Params) vetoes(segment, arm int) bool {
	for _, text := range p.Veto {
		if s, i := p.vetoed(text); i == arm && (s == segment || s == every) {
			return true
		}
	}
	return false
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
