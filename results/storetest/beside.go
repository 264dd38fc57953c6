package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
)

func testBlobs(t *testing.T, s results.Store) {
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(i * i >> 7)
	}
	for _, data := range [][]byte{[]byte("a,b\n1,2\n"), {}, {0}, big} {
		for range 2 { // storing it again is no error
			if err := s.PutBlob(t.Context(), sum(data), data); err != nil {
				t.Fatalf("PutBlob of %d bytes: %v", len(data), err)
			}
		}
		got, err := s.Blob(t.Context(), sum(data))
		if err != nil || string(got) != string(data) {
			t.Errorf("Blob of %d bytes: %d bytes, error %v", len(data), len(got), err)
		}
	}
	_, err := s.Blob(t.Context(), sum([]byte(t.Name())))
	wantError(t, "Blob that is not there", err, results.ErrNotFound)
	wantError(t, "PutBlob under a wrong sum", s.PutBlob(t.Context(), sum([]byte(t.Name())), []byte("x")), results.ErrDamaged)
	_, err = s.Blob(t.Context(), sum([]byte(t.Name())))
	wantError(t, "Blob that was refused", err, results.ErrNotFound)
}

// testBlobsInUse: Delete leaves what another plan names.
func testBlobsInUse(t *testing.T, s results.Store) {
	data := []byte("data of " + t.Name())
	if err := s.PutBlob(t.Context(), sum(data), data); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, base := range []string{"a", "b"} {
		p := NewPlan(name(t, base), 1, 1)
		p.Body = []byte(`{"data": [{"sha256": "` + sum(data) + `"}]}`)
		if err := s.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		names = append(names, p.Study)
	}
	if err := s.Delete(t.Context(), names[0]); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Blob(t.Context(), sum(data)); err != nil || string(got) != string(data) {
		t.Errorf("Blob that another study uses: %q, error %v", got, err)
	}
}

func testFleet(t *testing.T, s results.Store) {
	w := results.Worker{
		ID: name(t, "worker"), Host: "host", Slots: 4, Free: 1, Version: "v1", Engine: 1,
		Done: 1 << 40, Rate: 12.5,
		Held: []results.Held{
			{Job: "j1", Study: "s", Generation: 3, Trials: []results.Span{{From: 4, To: 7}, {From: 1 << 61, To: 1<<61 + 1}}},
			{Job: "j2", Study: "s@2", Generation: 1},
		},
		Started: time.Unix(100, 5).UTC(),
	}
	idle := results.Worker{ID: name(t, "x-idle")}
	for _, w := range []results.Worker{w, idle} {
		if _, err := s.Beat(t.Context(), w, 0); err != nil {
			t.Fatalf("Beat: %v", err)
		}
	}
	find := func() (found []results.Worker) {
		t.Helper()
		all, err := s.Workers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range all {
			if got.ID == w.ID || got.ID == idle.ID {
				if got.Seen.IsZero() {
					t.Errorf("worker %s was never seen", got.ID)
				}
				found = append(found, got)
			}
		}
		slices.SortFunc(found, func(a, b results.Worker) int { return cmpStrings(a.ID, b.ID) })
		return found
	}
	noSeen := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Seen" }, cmp.Ignore())
	before := find()
	if diff := cmp.Diff([]results.Worker{w, idle}, before, noSeen); diff != "" {
		t.Errorf("workers, want -, got +:\n%s", diff)
	}
	w.Free, w.Held, w.Done = 4, nil, w.Done+1
	if _, err := s.Beat(t.Context(), w, 0); err != nil {
		t.Fatal(err)
	}
	after := find()
	if diff := cmp.Diff([]results.Worker{w, idle}, after, noSeen); diff != "" {
		t.Errorf("workers after another beat, want -, got +:\n%s", diff)
	}
	if after[0].Seen.Before(before[0].Seen) {
		t.Errorf("a worker was seen at %v, and then at %v", before[0].Seen, after[0].Seen)
	}

	study := name(t, "study")
	made := time.Now().UTC().Round(time.Millisecond)
	given := []results.Order{{Kind: results.Pause, Study: study, Made: made}, {Kind: results.Resume, Study: study, Made: made}, {Kind: results.Cancel, Study: study, Made: made}}
	for _, o := range given {
		if err := s.Give(t.Context(), o); err != nil {
			t.Fatalf("Give: %v", err)
		}
	}
	orders := func(after int64) (got []results.Order) {
		t.Helper()
		all, err := s.Beat(t.Context(), w, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range all {
			if o.ID <= after {
				t.Errorf("order %d where those above %d were asked for", o.ID, after)
			}
			if o.Study == study {
				got = append(got, o)
			}
		}
		return got
	}
	got := orders(0)
	noID := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ID" }, cmp.Ignore())
	if diff := cmp.Diff(given, got, noID); diff != "" {
		t.Fatalf("orders, want -, got +:\n%s", diff)
	}
	if got[0].ID <= 0 || got[1].ID <= got[0].ID || got[2].ID <= got[1].ID {
		t.Errorf("orders have the IDs %d, %d, %d, want ascending ones", got[0].ID, got[1].ID, got[2].ID)
	}
	if later := orders(got[1].ID); len(later) != 1 || later[0] != got[2] {
		t.Errorf("orders above the second: %v, want the third", later)
	}
	if later := orders(got[2].ID); len(later) != 0 {
		t.Errorf("orders above the last: %v", later)
	}
}

func cmpStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func testCheckpoints(t *testing.T, s results.Store) {
	p := study(t, s, 4, 2)
	_, err := s.Checkpoint(t.Context(), p.Study, 1, 3)
	wantError(t, "Checkpoint before there is one", err, results.ErrNotFound)
	for _, state := range []string{"first", "", "second, longer \x00"} {
		if err := s.SaveCheckpoint(t.Context(), p.Study, 1, 3, []byte(state)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Checkpoint(t.Context(), p.Study, 1, 3); err != nil || string(got) != state {
			t.Errorf("Checkpoint: %q, error %v, want %q", got, err, state)
		}
	}
	_, err = s.Checkpoint(t.Context(), p.Study, 1, 4)
	wantError(t, "Checkpoint of another trial", err, results.ErrNotFound)
	_, err = s.Checkpoint(t.Context(), p.Study, 2, 3)
	wantError(t, "Checkpoint of another generation", err, results.ErrNotFound)
	wantError(t, "SaveCheckpoint of a missing study", s.SaveCheckpoint(t.Context(), name(t, "missing"), 1, 0, nil), results.ErrNotFound)
	_, err = s.Checkpoint(t.Context(), name(t, "missing"), 1, 0)
	wantError(t, "Checkpoint of a missing study", err, results.ErrNotFound)

	// A generation later the old ones are worth nothing.
	update(t, s, p.Study, func(p *results.Plan) { p.Generation = 2 })
	_, err = s.Checkpoint(t.Context(), p.Study, 2, 3)
	wantError(t, "Checkpoint after the generation rose", err, results.ErrNotFound)
	if err := s.SaveCheckpoint(t.Context(), p.Study, 1, 3, []byte("late")); err != nil {
		t.Errorf("SaveCheckpoint of an older generation: %v", err)
	}
	_, err = s.Checkpoint(t.Context(), p.Study, 1, 3)
	wantError(t, "Checkpoint of an older generation", err, results.ErrNotFound)
}

func testCheckpointsDropped(t *testing.T, s results.Store) {
	p := study(t, s, 4, 2)
	for _, trial := range []uint64{2, 3} {
		if err := s.SaveCheckpoint(t.Context(), p.Study, 1, trial, []byte("state")); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, p, NewRecord(&p, 3))
	_, err := s.Checkpoint(t.Context(), p.Study, 1, 3)
	wantError(t, "Checkpoint of a committed trial", err, results.ErrNotFound)
	if got, err := s.Checkpoint(t.Context(), p.Study, 1, 2); err != nil || string(got) != "state" {
		t.Errorf("Checkpoint of another trial: %q, error %v", got, err)
	}
	if err := s.SaveCheckpoint(t.Context(), p.Study, 1, 3, []byte("late")); err != nil {
		t.Errorf("SaveCheckpoint of a committed trial: %v", err)
	}
	_, err = s.Checkpoint(t.Context(), p.Study, 1, 3)
	wantError(t, "a late Checkpoint of a committed trial", err, results.ErrNotFound)
}

func testFollow(t *testing.T, s results.Store) {
	f, ok := s.(results.Follower)
	if !ok {
		t.Skip("the store doesn't follow (results.Follower)")
	}
	p := study(t, s, 30, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan []results.Record)
	ended := make(chan error, 1)
	go func() {
		ended <- f.Follow(ctx, p.Study, func(rs []results.Record) {
			select {
			case got <- rs:
			case <-ctx.Done():
			}
		})
	}()
	// It may miss what comes before it listens; what it tells is true.
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for trial := uint64(0); ; trial++ {
		if trial == p.Trials {
			t.Fatalf("Follow told nothing of %d commits", trial)
		}
		commit(t, s, p, NewRecord(&p, trial))
		commit(t, s, p, NewRecord(&p, trial)) // a duplicate, which is not told
		var rs []results.Record
		select {
		case rs = <-got:
		case <-deadline.C:
			t.Fatal("Follow told nothing for 30 s")
		case <-time.After(10 * time.Millisecond): // it may not have begun to listen
			continue
		}
		for _, r := range rs {
			want := NewRecord(&p, r.Trial)
			want.Curves = nil
			if diff := cmp.Diff(want, r, sameRecords()); diff != "" {
				t.Errorf("Follow tells of trial %d, want -, got +:\n%s", r.Trial, diff)
			}
		}
		break
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Follow ends with %v", err)
	}
	wantError(t, "Follow of a missing study", f.Follow(t.Context(), name(t, "missing"), func([]results.Record) {}), results.ErrNotFound)
}
