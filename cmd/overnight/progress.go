package main

import (
	"fmt"
	"strings"
	"time"

	"overnight/coordinator"
)

// progress shows how a run goes: a line redrawn on a terminal, a line now and
// then elsewhere, nothing with --quiet.
type progress struct {
	a     *app
	slots int

	*screen     // whose mu guards what follows
	width   int // of the terminal; 0: none
	last    time.Time
	began   time.Time
	told    bool   // the first failure
	lost    uint64 // records that the store lost, as told
	p       coordinator.Progress
}

func newProgress(a *app, slots int) *progress {
	return &progress{a: a, slots: slots, screen: a.err, width: terminal(a.err.w), began: time.Now()}
}

// every is the time between two lines where there is no terminal.
const every = 10 * time.Second

func (p *progress) planned(pl coordinator.Planned) {
	var parts []string
	if pl.Committed > 0 {
		if left := pl.Plan.Expected() - min(pl.Plan.Expected(), pl.Committed); left > 0 {
			parts = append(parts, fmt.Sprintf("%d new", left))
		}
		if pl.New {
			parts = append(parts, fmt.Sprintf("%d reused", pl.Committed))
		} else {
			parts = append(parts, fmt.Sprintf("%d done before", pl.Committed))
		}
	}
	note := ""
	if len(parts) > 0 {
		note = ": " + strings.Join(parts, ", ")
	}
	if pl.Study.Ruled() {
		p.say("%s: %s points x %s%s", pl.Name, thousands(pl.Plan.Points), sizeOf(pl.Study), note)
		return
	}
	p.say("%s: %s trials (%s points x %d replications)%s", pl.Name, thousands(pl.Plan.Expected()), thousands(pl.Plan.Points), pl.Study.Replications, note)
}

// say writes a line above the progress.
func (p *progress) say(format string, args ...any) {
	if p.a.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *progress) update(s coordinator.Progress) {
	if p.a.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.p = s
	if s.FirstFailure != nil && !p.told {
		p.told = true
		p.clear()
		fmt.Fprintf(p.w, "trial %d (point %d) %v: %s\n", s.FirstFailure.Trial, s.FirstFailure.Point, s.FirstFailure.Status, firstLine(s.FirstFailure.Error))
	}
	if s.LostByStore > p.lost {
		p.clear()
		fmt.Fprintf(p.w, "counts went back: the store has lost %s records that it had acknowledged (a failover, or a restored backup?); their trials run again\n", thousands(s.LostByStore-p.lost))
		p.lost = s.LostByStore
	}
	line := progressLine(s)
	now := time.Now()
	if p.width > 0 {
		if r := []rune(line); len(r) >= p.width {
			line = string(r[:p.width-1])
		}
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
		p.drawn = true
		return
	}
	if p.last.IsZero() {
		p.last = p.began
	}
	if now.Sub(p.last) >= every {
		p.last = now
		fmt.Fprintln(p.w, line)
	}
}

// end leaves the terminal clean.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func progressLine(s coordinator.Progress) string {
	var b strings.Builder
	share := 1.0
	if s.Total > 0 {
		share = float64(s.Done) / float64(s.Total)
	}
	fmt.Fprintf(&b, "%s  %s/%s trials  %.0f %%", s.Study, thousands(s.Done), thousands(s.Total), 100*share)
	if s.Most > s.Total {
		fmt.Fprintf(&b, "  (at most %s)", thousands(s.Most))
	}
	if s.Rate > 0 {
		fmt.Fprintf(&b, "  %s trials/s", rate(s.Rate))
	}
	if s.Left > 0 && s.Done < s.Total {
		fmt.Fprintf(&b, "  %s left", short(s.Left))
	}
	for _, c := range []struct {
		n    uint64
		word string
	}{{s.Tally.Failed, "failed"}, {s.Tally.Dead, "dead"}, {s.Tally.Overrun, "overrun"}} {
		if c.n > 0 {
			fmt.Fprintf(&b, "  %d %s", c.n, c.word)
		}
	}
	if s.Tally.Differs > 0 {
		fmt.Fprintf(&b, "  NONDETERMINISM: %d records differ", s.Tally.Differs)
	}
	if s.State == "paused" {
		b.WriteString("  paused")
	}
	if s.Waits != "" && s.Done < s.Total {
		b.WriteString("  " + s.Waits)
	}
	if s.Trouble != "" {
		b.WriteString("  TROUBLE: " + firstLine(s.Trouble))
	}
	return b.String()
}

func rate(r float64) string {
	if r >= 100 {
		return thousands(uint64(r))
	}
	return fmt.Sprintf("%.3g", r)
}

// short writes a duration with its two largest units.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return "1s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
