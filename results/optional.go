package results

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"time"
)

// Skimmer is implemented by stores that can scan without reading the curves,
// which are most of a study's bytes where it records any.
type Skimmer interface {
	// Skim is Scan with nil Curves.
	Skim(ctx context.Context, study string, from, to uint64) iter.Seq2[Record, error]
}

// Skim yields the records of trials from <= i < to as Scan does, without their
// curves: what tables need.
func Skim(ctx context.Context, s Records, study string, from, to uint64) iter.Seq2[Record, error] {
	if k, ok := s.(Skimmer); ok {
		return k.Skim(ctx, study, from, to)
	}
	return func(yield func(Record, error) bool) {
		for r, err := range s.Scan(ctx, study, from, to) {
			r.Curves = nil
			if !yield(r, err) {
				return
			}
		}
	}
}

// Leader is a point by its mean so far.
type Leader struct {
	Point uint64
	N     uint64 // records of it that are Done and whose objective is a number
	Mean  float64
}

// Leaderboard is implemented by stores that know the best points without reading
// all records. It is a view of a study under way: means are summed in the order
// of arrival, and points that no longer lead may be missing beyond the first
// hundred.
type Leaderboard interface {
	// Leaders returns at most n points in the order of the mean of metric number
	// Plan.Objective: the greatest first, or the least where least is true.
	Leaders(ctx context.Context, study string, n int, least bool) ([]Leader, error)
}

// Clock is implemented by stores whose clock may differ from this machine's:
// Worker.Seen is by it.
type Clock interface {
	Now(ctx context.Context) (time.Time, error)
}

// Now returns the time by a store's clock.
func Now(ctx context.Context, s Fleet) (time.Time, error) {
	if c, ok := s.(Clock); ok {
		return c.Now(ctx)
	}
	return time.Now(), nil
}

// Describer is implemented by stores that people query with a language of their
// own: it tells them what the points are.
type Describer interface {
	// Describe stores the description of points, in place of an earlier one: the
	// names of its columns ("arm", "task", factors) and for each point its number
	// and one value a column: nil, bool, int, int64, uint64, float64 or string.
	Describe(ctx context.Context, study string, columns []string, points iter.Seq2[uint64, []any]) error
}

// Checker is implemented by stores that can look for damage.
type Checker interface {
	// Check reads everything that is kept of a study, or of all studies where study
	// is "", and yields what is damaged. An error that ends it is yielded last.
	Check(ctx context.Context, study string) iter.Seq2[Damage, error]
}

// Damage is something that a store can't read back as it was written.
type Damage struct {
	Study  string // "" where it concerns the whole store
	Trial  uint64 // of the damaged record, where Record
	Record bool   // Discard of Trial mends it: the trial is run again, and records are counted again
	What   string
}

func (d Damage) String() string {
	switch {
	case d.Record:
		return fmt.Sprintf("study %s, trial %d: %s", d.Study, d.Trial, d.What)
	case d.Study != "":
		return fmt.Sprintf("study %s: %s", d.Study, d.What)
	}
	return d.What
}

// DataRefs returns the blobs that a plan's Body may name: every run of 64
// hexadecimal digits in lower case in it. Stores find by it which blobs are in
// use, and archives which to take along.
func DataRefs(body []byte) []string {
	var refs []string
	for _, m := range regexp.MustCompile(`[0-9a-f]+`).FindAll(body, -1) {
		if len(m) == 64 && !slices.Contains(refs, string(m)) {
			refs = append(refs, string(m))
		}
	}
	return refs
}
