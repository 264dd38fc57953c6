package natsqueue

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"overnight/internal/join"
	"overnight/internal/natsconn"
	"overnight/internal/natsserver"
	"overnight/jobs"
	"overnight/jobs/queuetest"
)

// coordinator is a listening server with the file to join it, and with a
// connection in the process.
type coordinator struct {
	*natsserver.Server
	dir  string // of its identity
	nc   *nats.Conn
	file join.File
}

func listen(t testing.TB) *coordinator {
	t.Helper()
	c := &coordinator{dir: t.TempDir()}
	c.start(t, "127.0.0.1:0")
	t.Cleanup(func() { c.stop(t) })
	return c
}

func (c *coordinator) start(t testing.TB, addr string) {
	t.Helper()
	id, err := join.Make(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	rights, err := TakeRights("", 1)
	if err != nil {
		t.Fatal(err)
	}
	conf, users, err := id.Server(append(rights, "overnight.store.work.>"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Server, err = natsserver.Start(natsserver.Options{Dir: t.TempDir(), Listen: addr, TLS: conf, Users: users}); err != nil {
		t.Fatal(err)
	}
	if c.nc, err = c.Connect(); err != nil {
		t.Fatal(err)
	}
	if c.file, err = id.File([]string{c.Addr()}, nil); err != nil {
		t.Fatal(err)
	}
}

func (c *coordinator) stop(t testing.TB) {
	t.Helper()
	c.nc.Close()
	if err := c.Server.Close(); err != nil {
		t.Error(err)
	}
}

// worker connects as the join file says, through the disk.
func (c *coordinator) worker(t testing.TB, more ...nats.Option) *nats.Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "join")
	if err := c.file.Write(path); err != nil {
		t.Fatal(err)
	}
	f, err := join.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	addr, opts, err := f.Dial()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := natsconn.Connect(t.Context(), addr, natsconn.Options{More: append(opts, more...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestJoined(t *testing.T) {
	t.Parallel()
	// Longer than the silence by which a worker notices that its request was lost
	// with the stream: in the account of users nobody says so.
	const lease = 3 * beat
	queuetest.Run(t, func(t *testing.T) jobs.Queue {
		c := listen(t)
		o := Options{Lease: lease, Memory: true}
		p := openNew(t, c.nc, o)
		o.TakeOnly = true
		return pair{Queue: p, taker: openNew(t, c.worker(t), o)}
	}, queuetest.Options{Lease: lease, Inject: inject, Wreck: wreck})
}

// A worker may come before the coordinator has made anything.
func TestTakeOnlyWaits(t *testing.T) {
	t.Parallel()
	c := listen(t)
	w := openNew(t, c.worker(t), Options{TakeOnly: true})
	taken := make(chan []jobs.Delivery, 1)
	go func() {
		ds, _ := w.Take(t.Context(), 2)
		taken <- ds
	}()
	p := openNew(t, c.nc, Options{Memory: true})
	publish(t, p, job(0))
	if ds := <-taken; len(ds) != 1 || ds[0].Job().ID != job(0).ID {
		t.Fatalf("took %d jobs, want one", len(ds))
	}
	if err := w.Publish(t.Context(), batch(1, 2)); err == nil || !strings.Contains(err.Error(), "take jobs and nothing else") {
		t.Errorf("Publish: %v, want a refusal", err)
	}
}

// Workers that joined go on with a coordinator that starts again, with the file
// and the connection that they have.
func TestCoordinatorRestarts(t *testing.T) {
	t.Parallel()
	c := listen(t)
	p := openNew(t, c.nc, Options{Memory: true})
	w := openNew(t, c.worker(t), Options{TakeOnly: true})
	publish(t, p, job(0))
	held := take(t, w, 1)[0]
	for i := range 3 {
		taken := make(chan []jobs.Delivery, 1)
		go func() {
			ds, _ := w.Take(t.Context(), 2)
			taken <- ds
		}()
		addr := c.Addr()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		c.stop(t)
		c.start(t, addr)
		p = openNew(t, c.nc, Options{Memory: true})
		publish(t, p, job(i+1))
		ds := <-taken
		if len(ds) != 1 || ds[0].Job().ID != job(i+1).ID {
			t.Fatalf("round %d: took %d jobs, want %s", i, len(ds), job(i+1).ID)
		}
		// What is said of a job of before has no effect on those of now.
		if err := held.Done(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := ds[0].Return(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		held = take(t, w, 2)[0]
		if held.Job().ID != job(i+1).ID {
			t.Fatalf("round %d: took %s again, want %s", i, held.Job().ID, job(i+1).ID)
		}
	}
}

// What a worker's key is not for is refused by the server, and has no effect.
func TestWorkerRights(t *testing.T) {
	t.Parallel()
	c := listen(t)
	p := openNew(t, c.nc, Options{Memory: true})
	publish(t, p, batch(0, 3)...)
	violations := make(chan error, 100)
	nc := c.worker(t, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err }))

	j, err := job(7).Encode()
	if err != nil {
		t.Fatal(err)
	}
	forbidden := map[string][]byte{
		"overnight.jobs.1":                                                 j,
		"overnight.jobs.2":                                                 j,
		"overnight.dead.2":                                                 nil,
		"overnight.store.admin.x":                                          nil,
		"overnight.store.work":                                             nil,
		"$JS.API.INFO":                                                     nil,
		"$JS.API.STREAM.LIST":                                              nil,
		"$JS.API.STREAM.INFO.OVERNIGHT_JOBS":                               nil,
		"$JS.API.STREAM.CREATE.MINE":                                       []byte(`{"name":"MINE","subjects":["mine"],"storage":"memory"}`),
		"$JS.API.STREAM.UPDATE.OVERNIGHT_JOBS":                             nil,
		"$JS.API.STREAM.DELETE.OVERNIGHT_JOBS":                             nil,
		"$JS.API.STREAM.PURGE.OVERNIGHT_JOBS":                              nil,
		"$JS.API.STREAM.MSG.GET.OVERNIGHT_JOBS":                            []byte(`{"seq":1}`),
		"$JS.API.STREAM.MSG.DELETE.OVERNIGHT_JOBS":                         []byte(`{"seq":1}`),
		"$JS.API.STREAM.DELETE.OVERNIGHT_DEAD":                             nil,
		"$JS.API.CONSUMER.CREATE.OVERNIGHT_JOBS":                           nil,
		"$JS.API.CONSUMER.DURABLE.CREATE.OVERNIGHT_JOBS.mine":              nil,
		"$JS.API.CONSUMER.CREATE.OVERNIGHT_JOBS.mine.overnight.jobs.1":     nil,
		"$JS.API.CONSUMER.DELETE.OVERNIGHT_JOBS.engine-1":                  nil,
		"$JS.API.CONSUMER.PAUSE.OVERNIGHT_JOBS.engine-1":                   nil,
		"$JS.API.CONSUMER.MSG.NEXT.OVERNIGHT_JOBS.engine-2":                []byte("1"),
		"$JS.ACK.OVERNIGHT_JOBS.engine-2.1.1.1.1.1":                        []byte("+ACK"),
		"$SYS.REQ.SERVER.PING":                                             nil,
		"_INBOX.coordinator.1":                                             []byte("forged"),
		join.Inbox + ".other.1":                                            []byte("forged"),
		"$JS.API.DIRECT.GET.OVERNIGHT_JOBS":                                []byte(`{"seq":1}`),
		"$JS.API.CONSUMER.LEADER.STEPDOWN.OVERNIGHT_JOBS.engine-1":         nil,
		"$JS.API.CONSUMER.UNPIN.OVERNIGHT_JOBS.engine-1":                   nil,
		"$JS.API.STREAM.SNAPSHOT.OVERNIGHT_JOBS":                           []byte(`{"deliver_subject":"x"}`),
		"$JS.API.CONSUMER.RESET.OVERNIGHT_JOBS.engine-1":                   nil,
		"$JS.API.CONSUMER.CREATE.OVERNIGHT_JOBS.engine-1.overnight.jobs.1": nil,
	}
	want := func(what string) {
		t.Helper()
		if err := nc.FlushTimeout(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-violations:
			if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), `"`+strings.Fields(what)[2]+`"`) {
				t.Errorf("%s: error %v, want a permissions violation that names the subject", what, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: no error, want a permissions violation", what)
		}
	}
	for subject, body := range forbidden {
		if err := nc.PublishRequest(subject, nc.NewInbox(), body); err != nil {
			t.Fatal(err)
		}
		want("publish to " + subject)
	}
	for _, subject := range []string{">", "overnight.>", "overnight.jobs.1", "overnight.store.>", "_INBOX.>", "_INBOX.x", "$JS.>", "$SYS.>", "*.>", "_R_.>"} {
		sub, err := nc.SubscribeSync(subject)
		if err != nil {
			t.Fatal(err)
		}
		want("subscribe to " + subject)
		// The connection stays in use, and the subscription gets nothing.
		if err := c.nc.Publish("overnight.store.x", nil); err != nil {
			t.Fatal(err)
		}
		if m, err := sub.NextMsg(time.Millisecond); err == nil {
			t.Errorf("subscribed to %s and received %s", subject, m.Subject)
		}
	}

	// Nothing of it had an effect, and what is allowed works.
	if waiting, held, err := p.Pending(t.Context()); waiting != 3 || held != 0 || err != nil {
		t.Errorf("%d jobs wait and %d are held, error %v, want 3 and 0", waiting, held, err)
	}
	if names := streams(t, p); names != "OVERNIGHT_DEAD OVERNIGHT_JOBS" {
		t.Errorf("streams %s", names)
	}
	if _, err := nc.Request("overnight.store.work.commit", nil, 10*time.Second); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("request to a store that is not there: %v, want %v", err, nats.ErrNoResponders)
	}
	store, err := c.nc.Subscribe("overnight.store.work.>", func(m *nats.Msg) { _ = m.Respond([]byte("stored")) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Unsubscribe() }()
	if err := c.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := nc.Request("overnight.store.work.commit", make([]byte, 7<<20), 10*time.Second); err != nil || string(m.Data) != "stored" {
		t.Errorf("request to the store: %v", err)
	}
	w := openNew(t, nc, Options{TakeOnly: true})
	for left := 3; left > 0; {
		for _, d := range take(t, w, 2) {
			if err := d.Extend(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := d.Done(t.Context()); err != nil {
				t.Fatal(err)
			}
			left--
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	drained(t, p)
	select {
	case err := <-violations:
		t.Errorf("what a worker must do led to %v", err)
	default:
	}
}

// drained waits until the queue holds nothing.
func drained(t testing.TB, q *Queue) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		waiting, held, err := q.Pending(t.Context())
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d jobs wait and %d are held, error %v, want none", waiting, held, err)
		}
		if waiting+held == 0 {
			return
		}
	}
}

func streams(t testing.TB, q *Queue) string {
	t.Helper()
	var names []string
	list := q.js.StreamNames(t.Context())
	for n := range list.Name() {
		names = append(names, n)
	}
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	if len(names) == 2 && names[0] > names[1] {
		names[0], names[1] = names[1], names[0]
	}
	return strings.Join(names, " ")
}

// A subject for answers is chosen by who asks. One that is a subject of the server
// must not make the server do what the worker may not.
func TestAnswersDoNothing(t *testing.T) {
	t.Parallel()
	c := listen(t)
	p := openNew(t, c.nc, Options{Memory: true})
	publish(t, p, batch(0, 20)...)
	nc := c.worker(t)
	for _, reply := range []string{
		"$JS.API.STREAM.DELETE.OVERNIGHT_JOBS", "$JS.API.STREAM.PURGE.OVERNIGHT_JOBS", "$JS.API.CONSUMER.DELETE.OVERNIGHT_JOBS.engine-1",
		"overnight.jobs.1", "overnight.jobs.2",
	} {
		for _, body := range []string{`{"batch":1,"no_wait":true}`, `{"batch":0}`, "1", "x"} {
			if err := nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT.OVERNIGHT_JOBS.engine-1", reply, []byte(body)); err != nil {
				t.Fatal(err)
			}
			if err := nc.PublishRequest("overnight.dead.1", reply, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := nc.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	waiting, held, err := p.Pending(t.Context())
	if err != nil || waiting+held != 20 {
		t.Errorf("%d jobs wait and %d are held, error %v, want 20 in all", waiting, held, err)
	}
	if _, err := p.js.Consumer(t.Context(), p.names.jobs(), consumer(1)); err != nil {
		t.Errorf("the consumer: %v", err)
	}
	info, err := p.js.Stream(t.Context(), p.names.jobs())
	if err != nil {
		t.Fatal(err)
	}
	if got := info.CachedInfo().State.Msgs; got != 20 {
		t.Errorf("%d messages in the stream, want 20", got)
	}
}

func TestJoinRefused(t *testing.T) {
	t.Parallel()
	c, other := listen(t), listen(t)
	addr, opts, err := c.file.Dial()
	if err != nil {
		t.Fatal(err)
	}
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	_, strange, err := other.file.Dial()
	if err != nil {
		t.Fatal(err)
	}
	var unknown *tls.CertificateVerificationError
	tests := []struct {
		name string
		opts []nats.Option
		ok   func(error) bool
	}{
		{"another key", append(opts[:len(opts):len(opts)], nats.Nkey(public, key.Sign)), func(err error) bool { return errors.Is(err, nats.ErrAuthorization) }},
		{"signed by another", append(opts[:len(opts):len(opts)], func(o *nats.Options) error { o.SignatureCB = key.Sign; return nil }),
			func(err error) bool { return errors.Is(err, nats.ErrAuthorization) }},
		{"no key", append(opts[:len(opts):len(opts)], func(o *nats.Options) error { o.Nkey, o.SignatureCB = "", nil; return nil }),
			func(err error) bool { return errors.Is(err, nats.ErrAuthorization) }},
		{"another coordinator's file", strange, func(err error) bool { return errors.As(err, &unknown) }},
		{"the system's authorities", []nats.Option{nats.TLSHandshakeFirst(), nats.Nkey(public, key.Sign)}, func(err error) bool { return errors.As(err, &unknown) }},
	}
	for _, tt := range tests {
		nc, err := natsconn.Connect(t.Context(), addr, natsconn.Options{More: tt.opts})
		if err == nil {
			nc.Close()
			t.Errorf("%s: connected", tt.name)
		} else if !tt.ok(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// The key of the process is of no use on the socket.
func TestKeyOfProcessStaysInside(t *testing.T) {
	t.Parallel()
	c := listen(t)
	addr, opts, err := c.file.Dial()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := natsconn.Connect(t.Context(), addr, natsconn.Options{More: append(opts, nats.Nkey(c.nc.Opts.Nkey, c.nc.Opts.SignatureCB))})
	if err == nil {
		nc.Close()
	}
	if !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("connected with the coordinator's own key: %v, want %v", err, nats.ErrAuthorization)
	}
}

// Without TLS the server says nothing at all.
func TestPlaintextRefused(t *testing.T) {
	t.Parallel()
	c := listen(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("CONNECT {}\r\nPING\r\nPUB overnight.jobs.1 1\r\nx\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil {
		t.Errorf("the server answered %q", line)
	}
	if nerr := net.Error(nil); errors.As(err, &nerr) && nerr.Timeout() {
		t.Errorf("the server left the connection open")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, opts, err := c.file.Dial()
	if err != nil {
		t.Fatal(err)
	}
	plain := append(opts, func(o *nats.Options) error {
		o.Secure, o.TLSConfig, o.TLSHandshakeFirst = false, nil, false
		return nil
	})
	if nc, err := natsconn.Connect(ctx, "nats://"+c.Addr(), natsconn.Options{More: plain}); err == nil {
		nc.Close()
		t.Error("connected without TLS")
	}
}
