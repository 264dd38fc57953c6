// Package storetest is the suite that every results.Store passes. Start with
// Run.
//
// It states what a store promises: conditional commits, generations, scans of
// one moment, updates with nothing between, checksummed blobs. Each test works
// on studies of its own, so that a store on a shared server can be tested too.
package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
)

// Run runs the suite over stores that open returns: new and empty, or on a
// server in which nobody else uses the study names of the test's name. open
// closes them with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) results.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, results.Store)
	}{
		{"Plans", testPlans},
		{"PlanRoundTrip", testPlanRoundTrip},
		{"Update", testUpdate},
		{"UpdateRefuses", testUpdateRefuses},
		{"UpdateConcurrent", testUpdateConcurrent},
		{"Delete", testDelete},
		{"Commit", testCommit},
		{"CommitRoundTrip", testCommitRoundTrip},
		{"CommitRefuses", testCommitRefuses},
		{"CommitOneBatch", testCommitOneBatch},
		{"CommitConcurrent", testCommitConcurrent},
		{"Stale", testStale},
		{"Extend", testExtend},
		{"Scan", testScan},
		{"ScanSnapshot", testScanSnapshot},
		{"Discard", testDiscard},
		{"Digest", testDigest},
		{"Blobs", testBlobs},
		{"BlobsInUse", testBlobsInUse},
		{"Fleet", testFleet},
		{"Lease", testLease},
		{"LeaseConcurrent", testLeaseConcurrent},
		{"Leaders", testLeaders},
		{"Checkpoints", testCheckpoints},
		{"CheckpointsDropped", testCheckpointsDropped},
		{"Follow", testFollow},
		{"Cancelled", testCancelled},
		{"Model", testModel},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

// NewPlan returns a plan with three metrics, created at a fixed time.
func NewPlan(study string, points, replications uint64) results.Plan {
	return results.Plan{
		Study:      study,
		Identity:   sum([]byte(study)),
		Engine:     1,
		Points:     points,
		Trials:     points * replications,
		Metrics:    []string{"return", "regret", "spend"},
		Generation: 1,
		State:      results.Running,
		Created:    time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC),
		Body:       []byte(`{"study": "` + study + `"}`),
		Source:     []byte("study: " + study + "\n"),
	}
}

// NewRecord returns a record for a trial of p: always the same result, with
// every odd kind of float in one trial or another, curves in every third and
// one failure in eleven.
func NewRecord(p *results.Plan, trial uint64) results.Record {
	r := results.Record{
		Trial:       trial,
		Point:       trial % p.Points,
		Replication: trial / p.Points,
		Status:      results.Done,
		Attempts:    1,
		Generation:  p.Generation,
		Worker:      fmt.Sprintf("host-%d", trial%3),
		Finished:    time.Unix(1_800_000_000, int64(trial)).UTC(),
		Elapsed:     time.Duration(trial) * time.Microsecond,
	}
	odd := []float64{math.NaN(), math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 1<<63 - 1024, 0, -1}
	if trial%11 == 7 {
		r.Status = results.Failed
		r.Error = fmt.Sprintf("trial %d: return is NaN\n\tat episode 3 \x00 \xff é", trial)
	} else {
		for i := range p.Metrics {
			v := float64(trial)*0.1 + float64(i)
			if k := trial + uint64(i)*3; k%2 == 0 {
				v = odd[k/2%uint64(len(odd))]
			}
			r.Metrics = append(r.Metrics, v)
		}
	}
	if trial%3 == 0 {
		x := []float64{0, 10, 20 + float64(trial)}
		r.Curves = []results.Curve{
			{Name: "entropy", X: []float64{0.5, 1.25}, Y: []float64{math.NaN(), math.Copysign(0, -1)}},
			{Name: "return", X: x, Y: []float64{float64(trial), math.Inf(-1), 1e-300}},
		}
	}
	return r
}

// NewRecords returns the records of trials from <= i < to.
func NewRecords(p *results.Plan, from, to uint64) []results.Record {
	var rs []results.Record
	for i := from; i < to; i++ {
		rs = append(rs, NewRecord(p, i))
	}
	return rs
}

// sameRecords are the options that compare records: NaN equals NaN, -0.0 differs
// from 0.
func sameRecords() cmp.Option {
	return cmp.Comparer(func(a, b float64) bool {
		return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
	})
}

// study creates a plan under a name of this test.
func study(t *testing.T, s results.Store, points, replications uint64) results.Plan {
	t.Helper()
	p := NewPlan(name(t, "study"), points, replications)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return p
}

// name returns a study's name that no other test has.
func name(t *testing.T, base string) string {
	return base + "-" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
}

func commit(t *testing.T, s results.Records, p results.Plan, rs ...results.Record) []results.Verdict {
	t.Helper()
	verdicts, err := s.Commit(t.Context(), p.Study, p.Generation, rs)
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	if len(verdicts) != len(rs) {
		t.Fatalf("Commit of %d records: %d verdicts", len(rs), len(verdicts))
	}
	return verdicts
}

func scan(t *testing.T, s results.Records, study string, from, to uint64) []results.Record {
	t.Helper()
	var rs []results.Record
	for r, err := range s.Scan(t.Context(), study, from, to) {
		if err != nil {
			t.Fatalf("Scan of %s: trial %d: %v", study, r.Trial, err)
		}
		rs = append(rs, r)
	}
	return rs
}

func tally(t *testing.T, s results.Records, study string) results.Tally {
	t.Helper()
	got, err := s.Tally(t.Context(), study)
	if err != nil {
		t.Fatalf("Tally: %v", err)
	}
	return got
}

func plan(t *testing.T, s results.Plans, study string) results.Plan {
	t.Helper()
	p, err := s.Plan(t.Context(), study)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	return p
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// verdicts returns n times v.
func verdicts(v results.Verdict, n int) []results.Verdict {
	vs := make([]results.Verdict, n)
	for i := range vs {
		vs[i] = v
	}
	return vs
}

// update changes a plan and returns it.
func update(t *testing.T, s results.Plans, study string, change func(*results.Plan)) results.Plan {
	t.Helper()
	p, err := s.Update(t.Context(), study, func(p *results.Plan) error { change(p); return nil })
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	return p
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
