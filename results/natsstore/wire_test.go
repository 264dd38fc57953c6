package natsstore

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
)

// fill sets every field of a struct to a value other than its zero, so that a
// field which an encoding forgets shows.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(*n), 7).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d \xff", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.25)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n % 200))
	case reflect.Int, reflect.Int64:
		v.SetInt(-int64(*n))
	default:
		panic(v.Kind())
	}
}

func filled[T any]() (x T) {
	n := 0
	fill(reflect.ValueOf(&x).Elem(), &n)
	return x
}

// TestRoundTrip: every field of what travels arrives.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	check := func(what string, want, got any, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(replacement{}, beat{}, lease{}, discard{}, checkpoint{}, board{}, pageRequest{}, chunk{}, fetch{}, entry{})); diff != "" {
			t.Errorf("%s, want -, got +:\n%s", what, diff)
		}
	}
	plan := filled[results.Plan]()
	gotPlan, err := decodePlan(appendPlan(nil, &plan))
	check("plan", plan, gotPlan, err)
	bare := results.Plan{}
	if got := len(appendPlan(nil, &bare)); got != planSize {
		t.Errorf("an empty plan takes %d bytes, want planSize, %d", got, planSize)
	}
	plans := []results.Plan{plan, bare}
	gotPlans, err := decodePlans(encodePlans(plans))
	check("plans", plans, gotPlans, err)
	c := replacement{study: "s", old: digest{1, 2}, plan: plan}
	gotC, err := decodeReplacement(c.encode())
	check("replacement", c, gotC, err)

	worker := filled[results.Worker]()
	idle := results.Worker{}
	if got := len(appendWorker(nil, &idle)); got > workerSize {
		t.Logf("an empty worker takes %d bytes", got)
	} else if got < workerSize {
		t.Errorf("an empty worker takes %d bytes, less than workerSize, %d", got, workerSize)
	}
	workers := []results.Worker{worker, idle}
	gotWorkers, err := decodeWorkers(encodeWorkers(workers))
	check("workers", workers, gotWorkers, err)
	b := beat{worker: worker, after: 1 << 50}
	gotB, err := decodeBeat(b.encode())
	check("beat", b, gotB, err)
	orders := []results.Order{filled[results.Order](), {}}
	gotOrders, err := decodeOrders(encodeOrders(orders))
	check("orders", orders, gotOrders, err)
	l := lease{"serve", "me", time.Minute}
	gotL, err := decodeLease(l.encode())
	check("lease", l, gotL, err)

	tally := filled[results.Tally]()
	gotTally, err := decodeTally(encodeTally(tally))
	check("tally", tally, gotTally, err)
	d := discard{study: "s", trials: []uint64{7, 3, 1 << 61}}
	gotD, err := decodeDiscard(d.encode())
	check("discard", d, gotD, err)
	k := checkpoint{"s", 3, 1 << 40, []byte("state")}
	gotK, err := decodeCheckpoint(k.encode())
	check("checkpoint", k, gotK, err)
	q := board{"s", -3, true}
	gotQ, err := decodeBoard(q.encode())
	check("board", q, gotQ, err)
	leaders := []results.Leader{filled[results.Leader](), {}}
	gotLeaders, err := decodeLeaders(encodeLeaders(leaders))
	check("leaders", leaders, gotLeaders, err)
	pr := pageRequest{stream: id{9}, page: 4, form: skimStream, study: "s", from: 1, to: 1<<64 - 1}
	gotPR, err := decodePageRequest(pr.encode())
	check("page request", pr, gotPR, err)
	ch := chunk{upload: id{4}, total: 9, size: 8, index: 1, data: []byte{0}}
	gotCh, err := decodeChunk(ch.encode())
	check("chunk", ch, gotCh, err)
	f := fetch{sum: digest{5}, offset: 1 << 33, size: 3}
	gotF, err := decodeFetch(f.encode())
	check("fetch", f, gotF, err)

	damage := filled[results.Damage]()
	r := reader{b: appendDamageEntry(nil, &damage)}
	check("damage", damage, r.entry().damage, r.end())

	vs := []results.Verdict{1, 1, 2, 3, 3, 4, 1}
	gotVs, err := decodeVerdicts(encodeVerdicts(vs), len(vs))
	check("verdicts", vs, gotVs, err)
	for _, n := range []int{0, 6, 8} {
		if _, err := decodeVerdicts(encodeVerdicts(vs), n); err == nil {
			t.Errorf("7 verdicts are taken for those of %d records", n)
		}
	}
}

func TestLedgerRoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{0, 1, 7, 8, 9, blockTrials - 1, blockTrials, blockTrials + 1, 5 * blockTrials, 200_003} {
		for _, density := range []float64{0, 0.001, 0.5, 0.9999, 1} {
			rng := rand.New(rand.NewPCG(n, uint64(density*1000)))
			want := results.NewLedger(n)
			for i := range n {
				if rng.Float64() < density {
					want.Add(i)
				}
			}
			b := encodeLedger(want)
			got, err := decodeLedger(b)
			if err != nil {
				t.Fatalf("%d trials: %v", n, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("a ledger of %d of %d trials arrives as one of %d of %d", want.Count(), n, got.Count(), got.Len())
			}
			if density == 1 && len(b) > 20 {
				t.Errorf("a full ledger of %d trials takes %d bytes", n, len(b))
			}
		}
	}
	if _, err := decodeLedger([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 1}); err == nil {
		t.Error("a ledger of many trials in few bytes is taken")
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	columns := []string{"arm", "a", "b", "c", "d", "e", "f"}
	want := map[uint64][]any{
		3:       {"x", nil, true, 1, int64(-2), uint64(1 << 63), 0.5},
		1 << 40: {"", 7, false, nil, "y", int64(1 << 62), -1.0},
	}
	b, err := encodePoints("s", columns, func(yield func(uint64, []any) bool) {
		for k, v := range want {
			if !yield(k, v) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := decodePoints(b)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[uint64][]any)
	for k, v := range d.points() {
		got[k] = v
	}
	if diff := cmp.Diff(want, got); diff != "" || d.study != "s" || !reflect.DeepEqual(d.columns, columns) {
		t.Errorf("points of study %q, columns %q, want -, got +:\n%s", d.study, d.columns, diff)
	}
	for what, values := range map[string][]any{"a value too few": {1}, "an odd value": {1, struct{}{}, 3, 4, 5, 6, 7}} {
		if _, err := encodePoints("s", columns, func(yield func(uint64, []any) bool) { yield(1, values) }); err == nil {
			t.Errorf("a point with %s is taken", what)
		}
	}
}

// TestWireVersion1 fixes the bytes of version 1: a coordinator and its workers
// may be of different builds.
func TestWireVersion1(t *testing.T) {
	t.Parallel()
	name := id{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	worker := results.Worker{ID: "w", Slots: 2, Held: []results.Held{{Job: "j", Study: "s", Generation: 1, Trials: []results.Span{{From: 3, To: 300}}}}}
	plan := results.Plan{Study: "s", Engine: 1, Metrics: []string{"m"}, Trials: 300, State: results.Running, Created: time.Unix(0, 1), Body: []byte("b")}
	some := plan
	some.Wanted = 200
	rec := results.Record{Trial: 1, Status: results.Failed, Error: "x"}
	list, _, err := appendRecord(nil, nil, &rec)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		got  []byte
		want string
	}{
		{"request", (&request{id: name, body: []byte("s")}).encode(), "4f565101000102030405060708090a0b0c0d0e0f0073"},
		{"long request", (&request{id: name, upload: &ref{upload: name, size: 300, sum: digest{0xff}}}).encode(),
			"4f565101000102030405060708090a0b0c0d0e0f01000102030405060708090a0b0c0d0e0fac02ff00000000000000000000000000000000000000000000000000000000000000"},
		{"ok", (&answer{body: []byte("x")}).encode(), "4f56410100" + "78"},
		{"error", (&answer{kind: kindNotFound, text: "no"}).encode(), "4f56410103" + "6e6f"},
		{"beat", (&beat{worker: worker, after: 3}).encode(), "06" + "0177" + "00" + "04" + "00" + "00" + "00" + "01" + "016a" + "0173" + "01" + "01" + "03ac02" + "00" + "0000000000000000" + "0000000000000080" + "0000000000000080"},
		{"plan", appendPlan(nil, &plan), "0173" + "00" + "02" + "00" + "ac02" + "01016d" + "00" + "00" + "0772756e6e696e67" + "00" + "0100000000000000" + "0000000000000080" + "00" + "00" + "00" + "00" + "00" + "0162" + "00"},
		{"plan of which some is wanted", appendPlan(nil, &some), "0173" + "00" + "02" + "00" + "ac02" + "01016d" + "00" + "00" + "0772756e6e696e67" + "00" + "0100000000000000" + "0000000000000080" + "00" + "02" + "00" + "00" + "00" + "c801" + "0162" + "00"},
		{"commit", append(appendCommitHead(nil, "s", 1, 1), list...), "0173" + "01" + "01" + "15" + "01" + "01" + "00" + "00" + "02" + "00" + "00" + "0178" + "00" + "00" + "00" + "0000000000000080" + "00"},
		{"verdicts", encodeVerdicts([]results.Verdict{1, 1, 2}), "02010102"},
		{"ledger", encodeLedger(results.NewLedger(blockTrials + 1)), "8180020000"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
