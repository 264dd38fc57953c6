package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// formCluster is three masters that share the slots.
func formCluster(f *form) {
	nodes := f.startCluster(nil, f.client)
	f.args = []string{"--cluster", "redis+cluster://" + strings.Join(nodes, ",")}
	f.begin()
	f.end(serverVersion(f.t, f.client(nodes[0])))
	f.shared(nodes, f.client)
}

// formClusterTLS is the same with TLS among the nodes and to them, which are known
// by IP address, client certificates, and the users of users.acl on every node.
func formClusterTLS(f *form) {
	a := f.pki()
	args := []string{"--tls-cluster", "yes", "--tls-auth-clients", "yes", "--tls-cert-file", a.file("server.crt"),
		"--tls-key-file", a.file("server.key"), "--tls-ca-cert-file", a.file("ca.crt"), "--aclfile", f.users()}
	admin := func(addr string) *redis.Client { return f.admin(addr, nil) }
	nodes := f.startCluster(args, admin)
	var secure []string
	for _, n := range nodes {
		port, err := admin(n).ConfigGet(f.t.Context(), "tls-port").Result()
		if err != nil {
			f.t.Fatal(err)
		}
		secure = append(secure, "127.0.0.1:"+port["tls-port"])
	}
	f.run, f.worker = append(f.run, a.env("coordinator")...), append(f.worker, a.env("worker")...)
	f.args = []string{"--cluster", "rediss+cluster://" + secure[0]} // which names the others
	f.begin()
	f.end(serverVersion(f.t, f.admin(secure[0], a.client("admin"))))
	f.shared(nodes, admin)
	for _, n := range nodes {
		f.nothingDenied(admin(n))
	}
}

// startCluster starts three nodes on ports of 127.0.0.1, lets them meet and gives
// each a third of the slots. With TLS in args they meet at further ports.
func (f *form) startCluster(args []string, client func(addr string) *redis.Client) (nodes []string) {
	f.t.Helper()
	const size = 3
	var meet [][]any
	for range size {
		bus := freePort(f.t)
		own := append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--cluster-port", bus}, args...)
		at := ""
		if len(args) > 0 {
			at = freePort(f.t)
			own = append(own, "--tls-port", at)
		}
		addr := startRedis(f.t, own...)
		if at == "" {
			_, at, _ = net.SplitHostPort(addr)
		}
		nodes = append(nodes, addr)
		meet = append(meet, []any{"cluster", "meet", "127.0.0.1", at, bus})
	}
	for i, n := range nodes {
		c := client(n)
		if err := c.ClusterAddSlotsRange(f.t.Context(), 16384*i/size, 16384*(i+1)/size-1).Err(); err != nil {
			f.t.Fatal(err)
		}
		for _, m := range meet[:i] {
			if err := c.Do(f.t.Context(), m...).Err(); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	for _, n := range nodes {
		await(f.t, 15*time.Second, "cluster of three", func() bool {
			s, err := client(n).ClusterInfo(f.t.Context()).Result()
			shards, shardsErr := client(n).ClusterShards(f.t.Context()).Result()
			return err == nil && shardsErr == nil && len(shards) == size && strings.Contains(s, "cluster_state:ok") && strings.Contains(s, fmt.Sprintf("cluster_known_nodes:%d", size))
		})
	}
	return nodes
}

// shared holds that the keys are not all on one node.
func (f *form) shared(nodes []string, client func(addr string) *redis.Client) {
	f.t.Helper()
	with := 0
	for _, n := range nodes {
		size, err := client(n).DBSize(f.t.Context()).Result()
		if err != nil {
			f.t.Fatal(err)
		}
		if size > 0 {
			with++
		}
	}
	if with < 2 {
		f.t.Errorf("%d of %d nodes hold keys, want more than one", with, len(nodes))
	}
}
