package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"overnight/jobs"
	"overnight/jobs/natsqueue"
)

// natsUnderTest is a server with nats.conf.
type natsUnderTest struct {
	url     string
	options *server.Options
	seeds   map[string]nkeys.KeyPair // by user
}

func startNATS(t *testing.T) natsUnderTest {
	t.Helper()
	seeds := map[string]nkeys.KeyPair{}
	keys := ""
	for _, name := range []string{"coordinator", "worker"} {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		public, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		seeds[name] = pair
		keys += strings.ToUpper(name) + ` = "` + public + "\"\n"
	}
	n := startNATSWith(t, keys)
	n.seeds = seeds
	return n
}

// startNATSWith starts one with the text of a keys.conf.
func startNATSWith(t *testing.T, keys string) natsUnderTest {
	t.Helper()
	dir := t.TempDir()
	var n natsUnderTest
	for name, src := range map[string]string{"nats.conf": read(t, "nats/nats.conf"), "keys.conf": keys} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, err := server.ProcessConfigFile(filepath.Join(dir, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	n.options = o.Clone()
	o.Host, o.Port, o.HTTPPort, o.StoreDir, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, 0, dir, true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	n.url = s.ClientURL()
	return n
}

// as connects as a user; refusals arrive at the channel.
func (n natsUnderTest) as(t *testing.T, user string) (*nats.Conn, <-chan error) {
	t.Helper()
	refused := make(chan error, 100)
	pair := n.seeds[user]
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(n.url, nats.Nkey(public, pair.Sign), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, refused
}

func TestNATSConfiguration(t *testing.T) {
	t.Parallel()
	o := startNATS(t).options
	if !o.JetStream || !o.SyncAlways || o.Port != 4222 || o.HTTPHost != "127.0.0.1" || o.StoreDir != "/data" {
		t.Errorf("JetStream %v, sync always %v, port %d, monitoring on %s, store %s", o.JetStream, o.SyncAlways, o.Port, o.HTTPHost, o.StoreDir)
	}
	if int(o.MaxPayload) < 16*jobs.MaxJobBytes || o.MaxPayload > 1<<20 {
		t.Errorf("a message has at most %d bytes; a job has %d, and a dead letter more", o.MaxPayload, jobs.MaxJobBytes)
	}
	if len(o.Nkeys) != 2 || len(o.Users) != 0 {
		t.Errorf("%d nkeys and %d users, want coordinator and worker by nkey", len(o.Nkeys), len(o.Users))
	}
}

func TestNATSLogins(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	stranger, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := stranger.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	for who, o := range map[string][]nats.Option{
		"nobody": nil, "a password": {nats.UserInfo("worker", "worker")}, "a stranger": {nats.Nkey(public, stranger.Sign)},
	} {
		nc, err := nats.Connect(n.url, o...)
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v, want a refusal", who, err)
		}
		if nc != nil {
			nc.Close()
		}
	}
}

func TestNATSRights(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cc, refusedCoordinator := n.as(t, "coordinator")
	issue, err := natsqueue.New(ctx, cc, natsqueue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer issue.Close()
	wc, refused := n.as(t, "worker")
	take, err := natsqueue.New(ctx, wc, natsqueue.Options{TakeOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer take.Close()

	// What each is there for works.
	job := func(id string) jobs.Job {
		return jobs.Job{ID: id, Engine: jobs.EngineVersion, Study: "s", Trials: []jobs.Range{{From: 0, To: 1}}}
	}
	if err := issue.Publish(ctx, []jobs.Job{job("a"), job("b"), job("c")}); err != nil {
		t.Fatal(err)
	}
	if err := cc.Publish("overnight.jobs."+strconv.Itoa(jobs.EngineVersion), []byte("no job")); err != nil {
		t.Fatal(err)
	}
	ended := map[string]bool{}
	for len(ended) < 3 {
		taken, err := take.Take(ctx, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range taken {
			if err := errors.Join(d.Extend(ctx), d.Done(ctx)); err != nil {
				t.Fatal(err)
			}
			ended[d.Job().ID] = true
		}
	}
	short, stop := context.WithTimeout(ctx, time.Second)
	if _, err := take.Take(short, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the queue is not empty: %v", err)
	}
	stop()
	dead, err := issue.DeadLetters(ctx, 10)
	if err != nil || len(dead) != 1 {
		t.Errorf("%d dead letters, %v; want what was no job", len(dead), err)
	}
	none(t, "the worker at its work", refused)
	none(t, "the coordinator at its work", refusedCoordinator)

	// What a worker may not do is refused, by name.
	if err := issue.Publish(ctx, []jobs.Job{job("kept")}); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{
		"overnight.jobs." + strconv.Itoa(jobs.EngineVersion), "overnight.jobs.99", "overnight.other",
		"$JS.API.STREAM.DELETE.OVERNIGHT_JOBS", "$JS.API.STREAM.PURGE.OVERNIGHT_JOBS", "$JS.API.STREAM.UPDATE.OVERNIGHT_JOBS",
		"$JS.API.STREAM.CREATE.MINE", "$JS.API.STREAM.MSG.DELETE.OVERNIGHT_JOBS", "$JS.API.STREAM.MSG.GET.OVERNIGHT_JOBS",
		"$JS.API.STREAM.DELETE.OVERNIGHT_DEAD", "$JS.API.CONSUMER.DELETE.OVERNIGHT_JOBS.engine-1",
		"$JS.API.CONSUMER.CREATE.OVERNIGHT_JOBS.mine", "$JS.API.CONSUMER.DURABLE.CREATE.OVERNIGHT_JOBS.mine",
		"$JS.API.CONSUMER.PAUSE.OVERNIGHT_JOBS.engine-1", "$JS.API.STREAM.SNAPSHOT.OVERNIGHT_JOBS", "$SYS.REQ.SERVER.PING",
	} {
		if err := wc.PublishRequest(subject, wc.NewInbox(), []byte("{}")); err != nil {
			t.Fatal(err)
		}
		refusal(t, "the worker publishes to "+subject, refused)
	}
	for _, subject := range []string{"overnight.>", "overnight.jobs.1", "$JS.>", ">"} {
		if _, err := wc.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		refusal(t, "the worker subscribes to "+subject, refused)
	}
	js, err := jetstream.New(cc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(ctx, "OVERNIGHT_JOBS")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.CachedInfo().State.Msgs; got != 1 {
		t.Errorf("the stream holds %d jobs, want the one that was there", got)
	}

	// A coordinator keeps to its own streams.
	for _, subject := range []string{"$JS.API.STREAM.DELETE.THEIRS", "$JS.API.STREAM.CREATE.THEIRS", "theirs", "$SYS.REQ.SERVER.PING"} {
		if err := cc.PublishRequest(subject, cc.NewInbox(), []byte("{}")); err != nil {
			t.Fatal(err)
		}
		refusal(t, "the coordinator publishes to "+subject, refusedCoordinator)
	}
}

func refusal(t *testing.T, what string, refused <-chan error) {
	t.Helper()
	select {
	case err := <-refused:
		if !errors.Is(err, nats.ErrPermissionViolation) && !strings.Contains(strings.ToLower(err.Error()), "permissions violation") {
			t.Errorf("%s: %v, want a permissions violation", what, err)
		}
	case <-time.After(10 * time.Second):
		t.Errorf("%s, and is not refused", what)
	}
}

func none(t *testing.T, what string, refused <-chan error) {
	t.Helper()
	select {
	case err := <-refused:
		t.Errorf("%s: %v", what, err)
	default:
	}
}
