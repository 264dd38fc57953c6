package natsstore

import (
	"bytes"
	"context"
	"testing"

	"overnight/results"
	"overnight/results/storetest"
)

// nothing is a store that does nothing, so that fuzzing meets the decoders alone.
type nothing struct{ results.Store }

func (nothing) Plan(context.Context, string) (p results.Plan, err error) { return }
func (nothing) Studies(context.Context) (ps []results.Plan, err error)   { return }
func (nothing) Create(context.Context, results.Plan) error               { return nil }
func (nothing) Delete(context.Context, string) error                     { return nil }
func (nothing) PutBlob(context.Context, string, []byte) error            { return nil }
func (nothing) Blob(context.Context, string) ([]byte, error)             { return nil, nil }
func (nothing) Give(context.Context, results.Order) error                { return nil }
func (nothing) Workers(context.Context) (ws []results.Worker, err error) { return }
func (nothing) Ledger(context.Context, string) (*results.Ledger, error) {
	return results.NewLedger(9), nil
}
func (nothing) Tally(context.Context, string) (t results.Tally, err error)      { return }
func (nothing) Discard(context.Context, string, []uint64) (g uint32, err error) { return }

func (nothing) Update(_ context.Context, _ string, change func(*results.Plan) error) (p results.Plan, err error) {
	return p, change(&p)
}

func (nothing) Commit(_ context.Context, _ string, _ uint32, rs []results.Record) ([]results.Verdict, error) {
	return make([]results.Verdict, len(rs)), nil
}

func (nothing) Beat(context.Context, results.Worker, int64) (os []results.Order, err error) { return }

func (nothing) SaveCheckpoint(context.Context, string, uint32, uint64, []byte) error { return nil }

func (nothing) Checkpoint(context.Context, string, uint32, uint64) ([]byte, error) { return nil, nil }

func (nothing) Describe(_ context.Context, _ string, columns []string, points func(func(uint64, []any) bool)) error {
	for _, values := range points {
		if len(values) != len(columns) {
			panic("a point without its values")
		}
	}
	return nil
}

// FuzzRequest: whatever comes as a request is run or refused, and nothing panics.
func FuzzRequest(f *testing.F) {
	s := &Server{gates: newGates(), depot: depot{limit: 1 << 20, uploads: make(map[id]*upload), answers: make(map[digest]*long)}}
	s.store = nothing{}
	table := s.table()
	p := storetest.NewPlan("s", 2, 3)
	rec := storetest.NewRecord(&p, 3)
	list, _, err := appendRecord(nil, nil, &rec)
	if err != nil {
		f.Fatal(err)
	}
	points, err := encodePoints("s", []string{"a", "b"}, func(yield func(uint64, []any) bool) { yield(1, []any{"x", 0.5}) })
	if err != nil {
		f.Fatal(err)
	}
	worker := filled[results.Worker]()
	for op, body := range map[string][]byte{
		opPush:           (&chunk{total: 300, size: 300, data: make([]byte, 300)}).encode(),
		opFetch:          (&fetch{size: 3}).encode(),
		opPlan:           []byte("s"),
		opBlob:           bytes.Repeat([]byte("a"), 64),
		opCommit:         append(appendCommitHead(nil, "s", 1, 1), list...),
		opBeat:           (&beat{worker: worker, after: 1}).encode(),
		opSaveCheckpoint: (&checkpoint{"s", 1, 2, []byte("state")}).encode(),
		opCreate:         appendPlan(nil, &p),
		opUpdate:         (&replacement{study: "s", plan: p}).encode(),
		opDiscard:        (&discard{"s", []uint64{1, 2}}).encode(),
		opGive:           appendOrder(nil, &results.Order{Kind: results.Pause, Study: "s"}),
		opLeaders:        (&board{"s", 1, true}).encode(),
		opDescribe:       points,
	} {
		f.Add(op, (&request{body: body}).encode())
	}
	f.Add(opCommit, (&request{upload: &ref{size: 3}}).encode())
	s.ops = table
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		o, q, err := s.admit(name, data)
		if err != nil {
			if kindOf(err) != kindRefused {
				t.Errorf("not refused: %v", err)
			}
			return
		}
		switch name {
		case opStream, opFollow, opLease, opHello: // which need a server that runs
			if name == opStream {
				_, _ = decodePageRequest(q.body)
			} else if name == opLease {
				_, _ = decodeLease(q.body)
			}
			return
		}
		if q.upload != nil {
			if _, _, err := s.depot.body(q.upload); err == nil {
				t.Error("there is an upload that nobody sent")
			}
			return
		}
		_, _ = o.run(t.Context(), q.body)
		if s.depot.used > 2<<20+s.depot.limit && len(s.depot.uploads) > 1 {
			t.Errorf("%d bytes are in use", s.depot.used)
		}
		clear(s.depot.uploads)
		s.depot.used = 0
	})
}

// FuzzAnswer: whatever comes as an answer is read or refused, by each decoder.
func FuzzAnswer(f *testing.F) {
	p := storetest.NewPlan("s", 2, 3)
	worker, tally := filled[results.Worker](), filled[results.Tally]()
	rec := storetest.NewRecord(&p, 3)
	list, _, err := appendRecord([]byte{1, recordEntry}, nil, &rec)
	if err != nil {
		f.Fatal(err)
	}
	list = appendErrorEntry(list, 3, results.ErrDamaged)
	list = appendDamageEntry(list, &results.Damage{Study: "s", What: "bit"})
	ledger := results.NewLedger(100)
	ledger.Add(7)
	for _, body := range [][]byte{
		nil,
		appendPlan(nil, &p),
		encodePlans([]results.Plan{p, p}),
		encodeWorkers([]results.Worker{worker}),
		encodeOrders([]results.Order{{ID: 1}}),
		encodeTally(tally),
		encodeLedger(ledger),
		encodeVerdicts([]results.Verdict{1, 2, 2}),
		encodeLeaders([]results.Leader{{Point: 1}}),
		list,
	} {
		f.Add((&answer{body: body}).encode())
	}
	f.Add((&answer{kind: kindLong, long: ref{size: 1 << 20}}).encode())
	f.Add((&answer{kind: kindNotFound, text: "no"}).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := decodeAnswer(data)
		if err != nil {
			return
		}
		if !bytes.Equal(a.encode(), data) && a.kind != kindLong {
			t.Errorf("%x is read as %x", data, a.encode())
		}
		if a.kind >= kindFailed {
			_ = (&remoteError{kind: a.kind, text: a.text}).Unwrap()
		}
		_, _ = decodePlan(a.body)
		_, _ = decodePlans(a.body)
		_, _ = decodeWorkers(a.body)
		_, _ = decodeOrders(a.body)
		_, _ = decodeTally(a.body)
		_, _ = decodeLeaders(a.body)
		_, _ = decodeTold(a.body)
		if vs, err := decodeVerdicts(a.body, 1000); err == nil && len(vs) != 1000 {
			t.Errorf("%d verdicts of 1000 records", len(vs))
		}
		if l, err := decodeLedger(a.body); err == nil {
			if l.Count() > l.Len() {
				t.Errorf("a ledger of %d of %d trials", l.Count(), l.Len())
			}
		}
		if p, err := decodePage(a.body); err == nil {
			for len(p.rest.b) > 0 && p.rest.err == nil {
				p.rest.entry()
			}
		}
	})
}
