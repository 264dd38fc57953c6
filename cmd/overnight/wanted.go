package main

import (
	"iter"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/stopping"
)

// records of a study in trial order.
type records = iter.Seq2[results.Record, error]

// wantedOf returns what leaves out the records that a study does not want.
func wantedOf(study *jobs.Study, p *results.Plan) (func(records) records, error) {
	if !stopping.Applies(study, p) {
		return func(rs records) records { return rs }, nil
	}
	o, err := stopping.New(study)
	if err != nil {
		return nil, err
	}
	return o.Wanted, nil
}

// compared leaves out the records that confirm points, which have no part in
// comparisons: the others have none of these runs.
func compared(study *jobs.Study, rs records) records {
	if study.Confirm == nil {
		return rs
	}
	return func(yield func(results.Record, error) bool) {
		for r, err := range rs {
			if (err != nil || r.Replication < study.Replications) && !yield(r, err) {
				return
			}
		}
	}
}
