package coordinator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// Planned is what Submit found and did.
type Planned struct {
	Name      string // of the stored study: "name", or "name@2" for a changed one
	Plan      results.Plan
	Study     *jobs.Study // as planned: it may have more replications than the file
	New       bool        // there was no such study
	Extended  bool        // it was there with fewer replications
	Reused    uint64      // records taken over from other studies
	Committed uint64      // records it has
}

// SubmitOptions are what a plan says of how its study is run.
type SubmitOptions struct {
	Submitted bool          // for a Service to run
	Priority  int           // its share of the fleet beside other studies, 1 to 100; 0: 1, or as it was
	MaxSlots  int           // trials that it may run at once; 0: no limit, or as it was
	Keep      time.Duration // how long it is kept after its end; 0: until it is removed, or as it was
}

func (t SubmitOptions) put(p *results.Plan) {
	p.Submitted = p.Submitted || t.Submitted
	if t.Priority != 0 {
		p.Priority = t.Priority
	}
	if t.MaxSlots != 0 {
		p.MaxSlots = t.MaxSlots
	}
	if t.Keep != 0 {
		p.Keep = t.Keep
	}
}

// Submit writes the plan of a study, or finds the one that is there. A study
// whose results mean the same as those of a stored one goes on from it, with
// more replications where it asks for more; a changed one under an old name
// becomes "name@2" and takes over the records of trials that are equal.
func Submit(ctx context.Context, study *jobs.Study, source []byte, o Options) (Planned, error) {
	o.failpoint("plan.begin")
	identity := study.Identity()
	all, err := o.Store.Studies(ctx)
	if err != nil {
		return Planned{}, fmt.Errorf("read studies: %w", err)
	}
	name, known := pick(all, study.Name, identity)
	if !known {
		if err := create(ctx, name, identity, study, source, o); err != nil {
			return Planned{}, err
		}
	}
	p := Planned{Name: name, New: !known, Study: study}
	if known {
		if p.Extended, err = update(ctx, &p, source, o); err != nil {
			return Planned{}, err
		}
	}
	if p.Plan, err = o.Store.Plan(ctx, name); err != nil {
		return Planned{}, fmt.Errorf("read plan of %s: %w", name, err)
	}
	if p.Plan.State == results.Planning {
		if p.Reused, err = reuse(ctx, all, &p, o); err != nil {
			return Planned{}, err
		}
		o.failpoint("plan.reused")
		p.Plan, err = o.Store.Update(ctx, name, func(p *results.Plan) error {
			if p.State == results.Planning { // not cancelled meanwhile
				p.State = results.Running
			}
			return nil
		})
		if err != nil {
			return Planned{}, fmt.Errorf("plan %s: %w", name, err)
		}
	}
	o.failpoint("plan.done")
	t, err := o.Store.Tally(ctx, name)
	if err != nil {
		return Planned{}, fmt.Errorf("read counts of %s: %w", name, err)
	}
	p.Committed = t.Total()
	return p, nil
}

// Base returns a stored name without its "@2".
func Base(name string) string {
	base, _, _ := strings.Cut(name, "@")
	return base
}

// pick returns the stored study of this identity, or the first free name.
func pick(all []results.Plan, name, identity string) (string, bool) {
	taken := map[string]bool{}
	for _, p := range all {
		taken[p.Study] = true
		if Base(p.Study) == name && p.Identity == identity {
			return p.Study, true
		}
	}
	free := name
	for k := 2; taken[free]; k++ {
		free = fmt.Sprintf("%s@%d", name, k)
	}
	return free, false
}

func create(ctx context.Context, name, identity string, study *jobs.Study, source []byte, o Options) error {
	for _, d := range study.Data {
		if err := o.Store.PutBlob(ctx, d.SHA256, study.DataContent(d.Name)); err != nil {
			return fmt.Errorf("store data %s: %w", d.Name, err)
		}
		o.failpoint("plan.blob")
	}
	body, err := study.Encode()
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	o.failpoint("plan.create")
	plan := results.Plan{
		Study: name, Identity: identity, Engine: jobs.EngineVersion,
		Points: study.Points(), Trials: study.Trials(),
		Metrics: study.Metrics, Objective: slices.Index(study.Metrics, study.Objective.Metric),
		Generation: 1, State: results.Planning, Created: time.Now(), Body: body, Source: source,
	}
	if study.Ruled() {
		plan.Wanted = atFirst(study)
	}
	o.Submit.put(&plan)
	if err := o.Store.Create(ctx, plan); err != nil {
		return fmt.Errorf("plan %s: %w", name, err)
	}
	o.failpoint("plan.created")
	return describe(ctx, name, study, o)
}

// atFirst returns how many trials a study wants before there is any result.
func atFirst(s *jobs.Study) uint64 { return s.Points() * s.Stages()[0] }

// update brings a stored study up to what the file says now: labels, baseline,
// objective and limits, when to stop, what to confirm, and more replications. Fewer
// are no reason to forget records: where results decide what is wanted, the others
// are surplus.
func update(ctx context.Context, p *Planned, source []byte, o Options) (extended bool, err error) {
	_, err = o.Store.Update(ctx, p.Name, func(plan *results.Plan) error {
		study := *p.Study
		if !study.Ruled() && plan.Wanted == 0 {
			study.Replications = max(study.Replications, plan.Trials/plan.Points)
		}
		study.Metrics = plan.Metrics // records stand in this order
		body, err := study.Encode()
		if err != nil {
			return err
		}
		trials := max(study.Trials(), plan.Trials)
		extended = trials > plan.Trials
		ruled := study.Ruled() || study.Trials() < trials
		// Under another rule, or objective, it may want other trials.
		anew := (ruled || plan.Wanted > 0) && !bytes.Equal(body, plan.Body)
		switch {
		case !ruled:
			plan.Wanted = 0
		case anew:
			plan.Wanted = atFirst(&study)
		}
		plan.Body, plan.Source, plan.Trials = body, source, trials
		plan.Objective = slices.Index(study.Metrics, study.Objective.Metric)
		o.Submit.put(plan)
		switch {
		case plan.State == results.Planning && !extended:
		case extended, anew:
			plan.State, plan.Digest, plan.Ended = results.Running, "", time.Time{}
		case plan.State == results.Cancelled, plan.State == results.Stopped, plan.State == results.Paused:
			plan.State, plan.Ended = results.Running, time.Time{}
		}
		p.Study = &study
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	o.failpoint("plan.updated")
	return extended, describe(ctx, p.Name, p.Study, o)
}

// ErrAmbiguous is wrapped by Find where a word names several studies.
var ErrAmbiguous = errors.New("ambiguous")

// Find returns the stored study that a word means: its name, "name@2" ("name@1"
// is the first where there are several), or the beginning of its digest or identity, at least four characters.
func Find(all []results.Plan, word string) (results.Plan, error) {
	var hits []results.Plan
	for _, p := range all {
		if p.Study == word || p.Study+"@1" == word {
			hits = append(hits, p)
		}
	}
	// A plain name means the only version; with several it has to be said which.
	if base := versions(all, word); len(base) > 1 {
		hits = base
	}
	if len(hits) == 0 && len(word) >= 4 {
		for _, p := range all {
			if strings.HasPrefix(p.Digest, word) || strings.HasPrefix(p.Identity, word) {
				hits = append(hits, p)
			}
		}
	}
	switch len(hits) {
	case 1:
		return hits[0], nil
	case 0:
		return results.Plan{}, fmt.Errorf("study %q: %w", word, results.ErrNotFound)
	}
	return results.Plan{}, &AmbiguousError{Word: word, Hits: hits}
}

// AmbiguousError lists the studies that a word may mean.
type AmbiguousError struct {
	Word string
	Hits []results.Plan
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q means %d studies", e.Word, len(e.Hits))
}

func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }

// versions returns the studies "name", "name@2", ... of a plain name.
func versions(all []results.Plan, name string) []results.Plan {
	if strings.Contains(name, "@") {
		return nil
	}
	var out []results.Plan
	for _, p := range all {
		if Base(p.Study) == name {
			out = append(out, p)
		}
	}
	return out
}
