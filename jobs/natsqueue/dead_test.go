package natsqueue

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"overnight/jobs"
)

// letters waits until there are n dead letters.
func letters(t testing.TB, q *Queue, n int) []DeadLetter {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		got, err := q.DeadLetters(t.Context(), 10*n)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) >= n || time.Now().After(end) {
			if len(got) != n {
				t.Fatalf("%d dead letters, want %d", len(got), n)
			}
			return got
		}
	}
}

func signed(t testing.TB) jobs.Signed {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jobs.Signed{
		Key:     func() ed25519.PrivateKey { return key },
		Trusted: func() []ed25519.PublicKey { return []ed25519.PublicKey{public} },
	}
}

// Jobs that nobody trusted has signed are never taken, are kept for inspection,
// and stop no other: on a connection with all rights and on a joined worker's.
func TestUnsignedJobsAreDeadLetters(t *testing.T) {
	t.Parallel()
	for _, joined := range []bool{false, true} {
		t.Run(fmt.Sprintf("joined=%v", joined), func(t *testing.T) {
			t.Parallel()
			c := listen(t)
			o := Options{Memory: true, Codec: signed(t)}
			p := openNew(t, c.nc, o)
			w := p
			if joined {
				o.TakeOnly = true
				w = openNew(t, c.worker(t), o)
			}
			plain, err := job(0).Encode()
			if err != nil {
				t.Fatal(err)
			}
			foreign, err := signed(t).Seal(job(1))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range [][]byte{plain, foreign, []byte("garbage")} {
				inject(t, p, b)
			}
			publish(t, p, job(2))
			ds := take(t, w, 4)
			if len(ds) != 1 || ds[0].Job().ID != job(2).ID {
				t.Fatalf("took %d jobs, want the signed one", len(ds))
			}
			if err := ds[0].Done(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := letters(t, p, 3)
			for i, want := range []struct {
				reason  string
				message []byte
			}{{"not a job", []byte("garbage")}, {"not among the 1 trusted", foreign}, {"no signature", plain}} {
				d := got[i]
				if !strings.Contains(d.Reason, want.reason) || !bytes.Equal(d.Message, want.message) || d.Deliveries != 1 || d.At.IsZero() {
					t.Errorf("dead letter %d: %+v, want reason %q", i, d, want.reason)
				}
			}
			drained(t, p)
		})
	}
}

// A job that is always handed back ends as a dead letter.
func TestDeliveryLimit(t *testing.T) {
	t.Parallel()
	const limit = 5
	q := open(t, Options{MaxDeliver: limit})
	publish(t, q, job(0))
	for i := range limit {
		ds := take(t, q, 1)
		if got := ds[0].Job().ID; got != job(0).ID {
			t.Fatalf("delivery %d: took %s", i, got)
		}
		if err := ds[0].Return(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	last, err := q.pullOne(t)
	if err != nil {
		t.Fatal(err)
	}
	if taken := q.decode(t.Context(), []*nats.Msg{last}); len(taken) != 0 {
		t.Fatalf("delivery %d was taken", limit+1)
	}
	d := letters(t, q, 1)[0]
	if want := `delivered 5 times and not ended`; !strings.Contains(d.Reason, want) || d.Deliveries != limit+1 {
		t.Errorf("dead letter %+v, want reason %q", d, want)
	}
	j, err := jobs.DecodeJob(d.Message)
	if err != nil || j.ID != job(0).ID {
		t.Errorf("the dead letter holds job %q, error %v", j.ID, err)
	}
}

// A message that can't be recorded as a dead letter comes again, and is recorded
// once there is a place for it.
func TestDeadStreamDeleted(t *testing.T) {
	t.Parallel()
	q := open(t, Options{})
	if err := q.js.DeleteStream(t.Context(), q.names.dead()); err != nil {
		t.Fatal(err)
	}
	inject(t, q, []byte("garbage"))
	publish(t, q, job(0))
	if got := take(t, q, 4)[0].Job().ID; got != job(0).ID {
		t.Errorf("took %s, want %s", got, job(0).ID)
	}
	if waiting, held, err := q.Pending(t.Context()); waiting+held != 2 || err != nil { // job and garbage
		t.Errorf("%d wait and %d are held, error %v, want 2 in all", waiting, held, err)
	}
	if err := q.ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	var again *nats.Msg
	again, err := q.pullOne(t)
	if err != nil {
		t.Fatal(err)
	}
	if taken := q.decode(t.Context(), []*nats.Msg{again}); len(taken) != 0 {
		t.Fatalf("took %d jobs of garbage", len(taken))
	}
	if d := letters(t, q, 1)[0]; string(d.Message) != "garbage" || d.Deliveries != 2 {
		t.Errorf("dead letter %+v, want the garbage at its second delivery", d)
	}
}

// pullOne waits for the next message, which must come.
func (q *Queue) pullOne(t testing.TB) (*nats.Msg, error) {
	t.Helper()
	for end := time.Now().Add(deadAgain + 20*time.Second); time.Now().Before(end); {
		msgs, err := q.pull(t.Context(), pullRequest{Batch: 1, NoWait: true})
		if err != nil {
			return nil, err
		}
		if len(msgs) > 0 {
			return msgs[0], nil
		}
	}
	return nil, errors.New("nothing came")
}

// Dead letters are bounded, and the newest are kept.
func TestDeadLettersAreBounded(t *testing.T) {
	t.Parallel()
	q := open(t, Options{})
	const all = MaxDeadLetters + 50
	for i := range all {
		b, err := json.Marshal(deadRecord{Version: 1, Reason: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.js.PublishAsync(q.names.grave(1), b); err != nil {
			t.Fatal(err)
		}
	}
	<-q.js.PublishAsyncComplete()
	got, err := q.DeadLetters(t.Context(), 2*all)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != MaxDeadLetters || got[0].Reason != fmt.Sprint(all-1) {
		t.Errorf("%d dead letters, the first %q, want %d and %q", len(got), got[0].Reason, MaxDeadLetters, fmt.Sprint(all-1))
	}
	if got, err := q.DeadLetters(t.Context(), 3); len(got) != 3 || err != nil {
		t.Errorf("%d dead letters, error %v, want 3", len(got), err)
	}
}

// Each engine version has its own jobs, and consumers are made by who publishes.
func TestEngines(t *testing.T) {
	t.Parallel()
	c := listen(t)
	p := openNew(t, c.nc, Options{Memory: true})
	old, next := job(0), job(1)
	next.Engine = 2
	publish(t, p, old, next)
	for engine, want := range map[int]string{1: old.ID, 2: next.ID} {
		nc, err := c.Connect()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		q := openNew(t, nc, Options{Memory: true, Engine: engine, TakeOnly: true})
		ds := take(t, q, 5)
		if len(ds) != 1 || ds[0].Job().ID != want {
			t.Errorf("engine %d: took %d jobs, the first %s, want %s", engine, len(ds), ds[0].Job().ID, want)
		}
		if err := ds[0].Done(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// One that lies about itself.
	b, err := next.Encode()
	if err != nil {
		t.Fatal(err)
	}
	inject(t, p, b)
	publish(t, p, job(3))
	if got := take(t, p, 5)[0].Job().ID; got != job(3).ID {
		t.Errorf("took %s, want %s", got, job(3).ID)
	}
	if d := letters(t, p, 1)[0]; !strings.Contains(d.Reason, "engine version 2, and came to version 1") {
		t.Errorf("dead letter %+v", d)
	}
}

func TestPassing(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		`{"code":400,"err_code":10071,"description":"wrong last sequence: 7"}`:                   true,
		`{"code":400,"err_code":10164,"description":"wrong last sequence"}`:                      true,
		`{"code":409,"err_code":10158,"description":"duplicate message id is in process"}`:       true,
		`{"code":404,"err_code":10059,"description":"stream not found"}`:                         true,
		`{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}`:                   true,
		`{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}`: true,
		`{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}`:     false,
		`{"code":400,"err_code":10060,"description":"expected stream does not match"}`:           false,
	}
	for raw, want := range tests {
		err := &jetstream.APIError{}
		if uerr := json.Unmarshal([]byte(raw), err); uerr != nil {
			t.Fatal(uerr)
		}
		if got := passing(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("passing(%s) = %v, want %v", raw, got, want)
		}
	}
	for err, want := range map[error]bool{
		nats.ErrDisconnected: true, jetstream.ErrNoStreamResponse: true, nats.ErrReconnectBufExceeded: true,
		nats.ErrMaxPayload: false, errors.New("other"): false,
	} {
		if got := passing(err); got != want {
			t.Errorf("passing(%v) = %v, want %v", err, got, want)
		}
	}
}

// A server that answers a publication with a conflict of sequences is asked again.
func TestConflictPasses(t *testing.T) {
	t.Parallel()
	for _, code := range []int{10071, 10164} {
		e := startExternal(t)
		nc := e.connect(t)
		q := openNew(t, nc, Options{Memory: true, MaxBytes: 1 << 20})
		if err := q.js.DeleteStream(t.Context(), q.names.jobs()); err != nil {
			t.Fatal(err)
		}
		// In the stream's place: a conflict first, and then success.
		asked := make(chan string, 10)
		sub, err := nc.Subscribe(q.names.subject(1), func(m *nats.Msg) {
			asked <- m.Header.Get(jetstream.MsgIDHeader)
			answer := fmt.Sprintf(`{"error":{"code":400,"err_code":%d,"description":"wrong last sequence"},"stream":"OVERNIGHT_JOBS","seq":0}`, code)
			if len(asked) > 1 {
				answer = `{"stream":"OVERNIGHT_JOBS","seq":1}`
			}
			_ = m.Respond([]byte(answer))
		})
		if err != nil {
			t.Fatal(err)
		}
		_, conflict, final := q.send(t.Context(), []*nats.Msg{nats.NewMsg(q.names.subject(1))})
		if conflict == nil || final != nil {
			t.Errorf("code %d: conflict %v, final error %v, want a passing conflict", code, conflict, final)
		}
		left, conflict, final := q.send(t.Context(), []*nats.Msg{nats.NewMsg(q.names.subject(1))})
		if len(left) != 0 || conflict != nil || final != nil {
			t.Errorf("code %d: %d messages left, errors %v and %v, want success", code, len(left), conflict, final)
		}
		if err := sub.Unsubscribe(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	c := listen(t)
	a := openNew(t, c.nc, Options{Memory: true, MaxBytes: 1 << 20, Namespace: "a"})
	b := openNew(t, c.nc, Options{Memory: true, MaxBytes: 1 << 20, Namespace: "b-2"})
	publish(t, a, job(0))
	publish(t, b, job(1))
	if got := take(t, b, 5); len(got) != 1 || got[0].Job().ID != job(1).ID {
		t.Errorf("took %d jobs, the first %s, want %s", len(got), got[0].Job().ID, job(1).ID)
	}
	for _, bad := range []string{"A", "a.b", "a>", "*", "a b", strings.Repeat("a", 33), "ä"} {
		if _, err := New(t.Context(), c.nc, Options{Namespace: bad}); err == nil || !strings.Contains(err.Error(), "lower-case letters") {
			t.Errorf("namespace %q: %v, want a refusal", bad, err)
		}
		if _, err := TakeRights(bad, 1); err == nil {
			t.Errorf("namespace %q has rights", bad)
		}
	}
}

// A stream of somebody else is left alone.
func TestForeignStream(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	nc := e.connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OVERNIGHT_JOBS", Subjects: []string{"other"}}); err != nil {
		t.Fatal(err)
	}
	_, err = New(t.Context(), nc, Options{})
	if err == nil || !strings.Contains(err.Error(), "not one of ours") {
		t.Errorf("New: %v, want a refusal", err)
	}
}

func FuzzDeadLetter(f *testing.F) {
	b, err := json.Marshal(deadRecord{Version: 1, Reason: "r", Deliveries: 3, Message: []byte{1, 2}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decodeDead(b)
		if err == nil && (len(d.Reason) > maxReason || len(d.Message) > maxDeadBytes) {
			t.Errorf("read a reason of %d bytes and a message of %d", len(d.Reason), len(d.Message))
		}
	})
}
