package natsqueue

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"overnight/internal/daemon"
	"overnight/internal/natsconn"
)

// startCluster starts three servers that keep each job three times.
func startCluster(t *testing.T) (servers []*server.Server, addr string) {
	t.Helper()
	const size = 3
	var routes []*url.URL
	ports := make([]int, size)
	for i := range ports {
		port, err := daemon.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = port
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var hosts []string
	for i := range size {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("s%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxMemory: 1 << 30, JetStreamMaxStore: 1 << 30,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[i]}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server did not start")
		}
		hosts = append(hosts, s.Addr().String())
	}
	wait := time.NewTicker(20 * time.Millisecond)
	defer wait.Stop()
	for range 1500 {
		for _, s := range servers {
			if s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == size {
				return servers, "nats://" + strings.Join(hosts, ",")
			}
		}
		<-wait.C
	}
	t.Fatal("the cluster has no leader")
	return nil, ""
}

// A cluster that loses the server that leads the stream loses no job, and nobody
// who uses it stops.
func TestClusterLosesLeader(t *testing.T) {
	t.Parallel()
	servers, addr := startCluster(t)
	connect := func(o Options) *Queue {
		nc, err := natsconn.Connect(t.Context(), addr, natsconn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return openNew(t, nc, o)
	}
	o := Options{Lease: 2 * time.Second, Replicas: 3, MaxBytes: 32 << 20}
	from := connect(o)
	o.TakeOnly = true
	to := connect(o)

	const each = 100
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
	defer cancel()
	publish(t, from, batch(0, each)...)
	stream, err := from.js.Stream(ctx, from.names.jobs())
	if err != nil {
		t.Fatal(err)
	}
	cluster := stream.CachedInfo().Cluster
	if cluster == nil || len(cluster.Replicas) != 2 {
		t.Fatalf("the stream has no 2 followers: %+v", cluster)
	}
	done := map[string]bool{}
	drain := func(want int) {
		t.Helper()
		for len(done) < want {
			ds, err := to.Take(ctx, 8)
			if err != nil {
				t.Fatalf("after %d jobs: %v", len(done), err)
			}
			for _, d := range ds {
				done[d.Job().ID] = true
				if err := d.Done(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	drain(each / 2)
	killed := false
	published := make(chan error, 1)
	go func() { published <- from.Publish(ctx, batch(each, 2*each)) }()
	for _, s := range servers {
		if s.Name() == cluster.Leader {
			killed = true
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	if !killed {
		t.Fatalf("no server is the leader %s", cluster.Leader)
	}
	if err := <-published; err != nil {
		t.Fatalf("Publish: %v", err)
	}
	drain(2 * each)
}
