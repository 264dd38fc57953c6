package results

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Valid returns why p can't be stored, or nil.
func (p *Plan) Valid() error {
	err := errors.Join(validTime(p.Created), validTime(p.Ended))
	seen := make(map[string]bool)
	for _, m := range p.Metrics {
		if m == "" || seen[m] || strings.ContainsRune(m, 0) {
			err = fmt.Errorf("metric %q is empty, there twice or holds a byte 0", m)
		}
		seen[m] = true
	}
	switch {
	case p.Study == "" || len(p.Study) > MaxName || strings.ContainsRune(p.Study, 0):
		err = fmt.Errorf("a name has 1 to %d bytes, none of them 0", MaxName)
	case p.Trials > MaxTrials || p.Points > MaxTrials:
		err = fmt.Errorf("%d points and %d trials, more than 2^62", p.Points, p.Trials)
	case p.Wanted > p.Trials:
		err = fmt.Errorf("%d of %d trials are wanted", p.Wanted, p.Trials)
	case p.Priority < 0 || p.Priority > MaxPriority:
		err = fmt.Errorf("priority %d is not between 1 and %d", p.Priority, MaxPriority)
	case p.MaxSlots < 0:
		err = fmt.Errorf("at most %d slots: write 1 or more, or 0 for no limit", p.MaxSlots)
	case p.Keep < 0:
		err = fmt.Errorf("kept for %v: write a time such as 720h, or 0 to keep it", p.Keep)
	}
	if err != nil {
		return fmt.Errorf("plan of study %q: %w", p.Study, err)
	}
	return nil
}

// ValidAfter returns why Update can't make p of old, or nil.
func (p *Plan) ValidAfter(old *Plan) error {
	if err := p.Valid(); err != nil {
		return err
	}
	switch {
	case p.Study != old.Study:
		return fmt.Errorf("a study can't be renamed to %q", p.Study)
	case !p.Created.Equal(old.Created):
		return errors.New("the time of creation stays")
	case p.Trials < old.Trials || p.Points < old.Points:
		return fmt.Errorf("%d trials of %d points, fewer than the %d of %d before", p.Trials, p.Points, old.Trials, old.Points)
	case p.Generation < old.Generation:
		return fmt.Errorf("generation %d after %d", p.Generation, old.Generation)
	case p.Epoch < old.Epoch:
		return fmt.Errorf("epoch %d after %d", p.Epoch, old.Epoch)
	case len(p.Metrics) < len(old.Metrics) || !slices.Equal(p.Metrics[:len(old.Metrics)], old.Metrics):
		return fmt.Errorf("metrics %q, which don't begin with those before, %q", p.Metrics, old.Metrics)
	}
	return nil
}

// validTime refuses times that have no nanoseconds since 1970 in 64 bits.
func validTime(t time.Time) error {
	if !t.IsZero() && (t.Before(firstTime()) || t.After(lastTime())) {
		return fmt.Errorf("a time in the year %d", t.Year())
	}
	return nil
}
