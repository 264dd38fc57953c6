package natsqueue

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"overnight/internal/natsconn"
	"overnight/jobs"
	"overnight/jobs/queuetest"
)

// external is a NATS server as others run it: on a TCP port, with files.
type external struct {
	t   testing.TB
	o   server.Options
	mu  sync.Mutex
	now *server.Server
}

func startExternal(t testing.TB) *external {
	t.Helper()
	e := &external{t: t, o: server.Options{
		ServerName: "external", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxMemory: 1 << 30, JetStreamMaxStore: 4 << 30,
	}}
	e.start()
	t.Cleanup(e.stop)
	return e
}

func (e *external) start() {
	e.t.Helper()
	o := e.o
	s, err := server.NewServer(&o)
	if err != nil {
		e.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		e.t.Fatal("the server did not start")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = s
	e.o.Port = o.Port // the same again
}

func (e *external) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now.Shutdown()
	e.now.WaitForShutdown()
}

func (e *external) restart() { e.stop(); e.start() }

func (e *external) connect(t testing.TB) *nats.Conn {
	t.Helper()
	nc, err := natsconn.Connect(t.Context(), fmt.Sprintf("nats://127.0.0.1:%d", e.o.Port), natsconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func openNew(t testing.TB, nc *nats.Conn, o Options) *Queue {
	t.Helper()
	q, err := New(t.Context(), nc, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return q
}

// namespace makes one of a test's name.
func namespace(t testing.TB) string {
	s := strings.ToLower(strings.ReplaceAll(t.Name()[strings.LastIndexByte(t.Name(), '/')+1:], "_", ""))
	return s[:min(len(s), 32)]
}

func TestExternal(t *testing.T) {
	t.Parallel()
	const lease = time.Second
	e := startExternal(t)
	queuetest.Run(t, func(t *testing.T) jobs.Queue {
		return openNew(t, e.connect(t), Options{Lease: lease, Namespace: namespace(t), MaxBytes: 32 << 20})
	}, queuetest.Options{Lease: lease, Inject: inject, Wreck: wreck})
}

// A server that ends and starts again all the time loses nothing that it keeps in
// files, and nobody who uses it stops; in memory it loses what it held, which is
// published again.
func TestRestarted(t *testing.T) {
	t.Parallel()
	for _, memory := range []bool{false, true} {
		t.Run(fmt.Sprintf("memory=%v", memory), func(t *testing.T) {
			t.Parallel()
			e := startExternal(t)
			o := Options{Lease: 2 * time.Second, Memory: memory, MaxBytes: 32 << 20}
			publisher := openNew(t, e.connect(t), o)
			o.TakeOnly = true
			taker := openNew(t, e.connect(t), o)

			const all, rounds = 300, 3
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			var mu sync.Mutex
			done := map[string]int{}
			missing := func() (left []jobs.Job) {
				mu.Lock()
				defer mu.Unlock()
				for i := range all {
					if done[job(i).ID] == 0 {
						left = append(left, job(i))
					}
				}
				return left
			}
			var work sync.WaitGroup
			defer work.Wait()
			defer cancel()
			for range 2 {
				work.Go(func() {
					for ctx.Err() == nil {
						ds, err := taker.Take(ctx, 4)
						if err != nil && ctx.Err() == nil {
							t.Errorf("Take: %v", err)
							return
						}
						for _, d := range ds {
							mu.Lock()
							done[d.Job().ID]++
							mu.Unlock()
							_ = d.Done(ctx)
						}
					}
				})
			}
			for r := range rounds {
				published := make(chan error, 1)
				go func() { published <- publisher.Publish(ctx, batch(r*all/rounds, (r+1)*all/rounds)) }()
				e.restart()
				if err := <-published; err != nil {
					t.Fatalf("round %d: Publish: %v", r, err)
				}
			}
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				left := missing()
				if len(left) == 0 {
					return
				}
				if memory { // what a reconciler does
					if err := publisher.Publish(ctx, left); err != nil {
						t.Fatal(err)
					}
				}
				select {
				case <-tick.C:
				case <-ctx.Done():
					t.Fatalf("%d of %d jobs were never taken, the first %s", len(left), all, left[0].ID)
				}
			}
		})
	}
}

// A server whose files were deleted under it takes messages and never answers. It
// gets a new stream.
func TestFilesDeleted(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	q := openNew(t, e.connect(t), Options{Lease: time.Second, MaxBytes: 1 << 20})
	publish(t, q, batch(0, 5)...)
	files, err := filepath.Glob(filepath.Join(e.o.StoreDir, "jetstream", "*", "streams", q.names.jobs(), "msgs"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the stream is in %q, error %v", files, err)
	}
	if err := os.RemoveAll(files[0]); err != nil {
		t.Fatal(err)
	}
	for i, n := 0, 0; i < 3; i++ { // the file that is open goes on until it is empty
		for ; n < 5*(i+1); n++ {
			if err := take(t, q, 1)[0].Done(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.nc.Flush(); err != nil {
			t.Fatal(err)
		}
		publish(t, q, batch(5*(i+1), 5*(i+2))...)
	}
}
