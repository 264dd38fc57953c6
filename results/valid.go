package results

import (
	"errors"
	"fmt"
)

// String returns the status as tables and views show it.
func (s Status) String() string {
	switch s {
	case Done:
		return "done"
	case Failed:
		return "failed"
	case Dead:
		return "dead"
	case Overrun:
		return "overrun"
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Valid returns why r can't be the record of one of p's trials, or nil. A Done
// record has a value for each metric of the plan, the others have none.
func (r *Record) Valid(p *Plan) error {
	err := r.valid()
	switch {
	case err != nil:
	case r.Trial >= p.Trials:
		err = fmt.Errorf("study %q has trials 0 to %d", p.Study, int64(p.Trials)-1)
	case r.Point >= p.Points:
		err = fmt.Errorf("point %d, where study %q has points 0 to %d", r.Point, p.Study, int64(p.Points)-1)
	case r.Status == Done && len(r.Metrics) != len(p.Metrics):
		err = fmt.Errorf("%d metrics, where study %q has %d", len(r.Metrics), p.Study, len(p.Metrics))
	}
	if err != nil {
		return fmt.Errorf("record of trial %d: %w", r.Trial, err)
	}
	return nil
}

// valid checks what holds in every study.
func (r *Record) valid() error {
	switch {
	case r.Status < Done || r.Status > Overrun:
		return fmt.Errorf("status %d", uint8(r.Status))
	case r.Status != Done && len(r.Metrics) != 0:
		return fmt.Errorf("metrics of a trial that is %v, where only those that are done have metrics", r.Status)
	case len(r.Error) > MaxError:
		return fmt.Errorf("an error text of %d bytes, more than %d; shorten it with ClipError", len(r.Error), MaxError)
	case len(r.Worker) > MaxName:
		return fmt.Errorf("a worker's name of %d bytes, more than %d", len(r.Worker), MaxName)
	case r.Elapsed < 0:
		return fmt.Errorf("elapsed %v", r.Elapsed)
	}
	if err := validTime(r.Finished); err != nil {
		return fmt.Errorf("finished at %w", err)
	}
	if n := r.size(); n > MaxRecord {
		return fmt.Errorf("it may take %d bytes, more than %d; record fewer curve points", n, MaxRecord)
	}
	return validCurves(r.Curves)
}

// WellFormed tells what keeps the record from being stored in any study: too
// many bytes, curves that are none. Valid adds what its study asks.
func (r *Record) WellFormed() error { return r.valid() }

// size returns how many bytes the record takes encoded, at most.
func (r *Record) size() int {
	n := 128 + 8*len(r.Metrics) + len(r.Error) + len(r.Worker)
	for _, c := range r.Curves {
		n += 16 + len(c.Name) + 8*len(c.X) + 8*len(c.Y)
	}
	return n
}

func validCurves(curves []Curve) error {
	curves = byName(curves)
	for i, c := range curves {
		switch {
		case c.Name == "":
			return errors.New("a curve without a name")
		case len(c.Name) > MaxName:
			return fmt.Errorf("a curve's name of %d bytes, more than %d", len(c.Name), MaxName)
		case i > 0 && curves[i-1].Name == c.Name:
			return fmt.Errorf("two curves %q", c.Name)
		case len(c.X) != len(c.Y):
			return fmt.Errorf("curve %q: %d X and %d Y", c.Name, len(c.X), len(c.Y))
		}
		for k, x := range c.X {
			if x != x || k > 0 && c.X[k-1] >= x {
				return fmt.Errorf("curve %q: X[%d] is %v, which does not ascend", c.Name, k, x)
			}
		}
	}
	return nil
}

// ClipError shortens an error text to what a Record may hold, between two
// characters, and says so at its end.
func ClipError(text string) string {
	const mark = " ... (shortened)"
	if len(text) <= MaxError {
		return text
	}
	n := MaxError - len(mark)
	for n > 0 && text[n]&0xc0 == 0x80 { // inside a UTF-8 sequence
		n--
	}
	return text[:n] + mark
}
