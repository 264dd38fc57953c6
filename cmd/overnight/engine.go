package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"overnight/internal/credentials"
	"overnight/internal/join"
	"overnight/internal/natsconn"
	"overnight/internal/natsserver"
	"overnight/internal/redisconn"
	"overnight/jobs"
	"overnight/jobs/asynqqueue"
	"overnight/jobs/natsqueue"
	"overnight/results"
	"overnight/results/natsstore"
)

// engineFlags are those of commands that take part in running studies.
type engineFlags struct {
	listen    string
	advertise []string
	unsigned  bool
}

// listening adds the flags of commands that can open the embedded engine to
// workers elsewhere.
func (f *engineFlags) listening(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "", "let workers of other machines join at this `address`, such as :4222; writes the file join into the data folder")
	fl.StringSliceVar(&f.advertise, "advertise", nil, "`host:port` at which those workers reach it; default: this host's name and addresses")
	f.signing(c)
}

// checkListen refuses addresses that can't be listened on or advertised, before
// anything is begun. queue is where jobs go; "" for the engine inside the process.
func (f *engineFlags) checkListen(queue string) error {
	if f.listen != "" && queue != "" {
		return usage("--listen %s with the queue %s: --listen is for the engine inside the process; workers reach this queue by its own address", f.listen, redisconn.Redact(queue))
	}
	if f.listen == "" && len(f.advertise) > 0 {
		return usage("--advertise without --listen: write --listen :4222 too")
	}
	if _, port, err := net.SplitHostPort(f.listen); f.listen != "" && (err != nil || !isPort(port, 0)) {
		return usage("--listen %s: write HOST:PORT, or :PORT for all addresses, such as :4222", f.listen)
	}
	for _, at := range f.advertise {
		if host, port, err := net.SplitHostPort(at); err != nil || host == "" || !isPort(port, 1) {
			return usage("--advertise %s: write HOST:PORT, such as 192.168.1.5:4222", at)
		}
	}
	return nil
}

func isPort(s string, least uint64) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n >= least
}

func (f *engineFlags) signing(c *cobra.Command) {
	c.Flags().BoolVar(&f.unsigned, "unsigned", false, "neither sign jobs nor ask for a signature: who can write to the queue can then choose what workers run")
}

// redis returns a client with the credentials of the environment.
func (a *app) redis(url string) (redis.UniversalClient, error) {
	redisconn.Log(a.log)
	user, err := a.secrets().Redis()
	if err != nil {
		return nil, usage("%w", err)
	}
	sentinels, err := a.secrets().Sentinel()
	if err != nil {
		return nil, usage("%w", err)
	}
	tls, err := a.secrets().TLS()
	if err != nil {
		return nil, usage("%w", err)
	}
	rdb, err := redisconn.New(url, redisconn.Options{Credentials: user, SentinelCredentials: sentinels, Dial: tls.Dial, Name: "overnight"})
	if err != nil {
		return nil, usage("%w", err)
	}
	return rdb, nil
}

func (a *app) secrets() credentials.Env { return credentials.Env{Log: a.log} }

// keys is the folder with the signing key and the keys that are trusted.
func (a *app) keys() string { return a.secrets().KeysDir(filepath.Join(".overnight", "keys")) }

// signing returns the codec of a coordinator: it signs with the key of a folder,
// which is made and trusted on first use.
func (a *app) signing(dir string) (jobs.Codec, error) {
	if err := credentials.MakeSigning(dir, holder()); err != nil {
		return nil, engine(fmt.Errorf("signing key: %w", err))
	}
	key, err := credentials.LoadSigning(a.log, dir)
	if err != nil {
		return nil, engine(fmt.Errorf("signing key: %w", err))
	}
	trusted, err := credentials.LoadTrusted(a.log, filepath.Join(dir, credentials.TrustedFile))
	if err != nil {
		return nil, engine(fmt.Errorf("trusted keys: %w", err))
	}
	return jobs.Signed{Key: key, Trusted: trusted}, nil
}

// trusting returns the codec of a worker: it opens jobs that one of the keys in
// a file signed.
func (a *app) trusting(file string) (jobs.Codec, error) {
	if file == "" {
		file = filepath.Join(a.keys(), credentials.TrustedFile)
	}
	trusted, err := credentials.LoadTrusted(a.log, file)
	if err != nil {
		return nil, engine(fmt.Errorf("%w; they are in the keys folder of the coordinator's machine (.overnight/keys/trusted): copy that file and name it with --trust, or switch signatures off on both sides with --unsigned", err))
	}
	return jobs.Signed{Trusted: trusted}, nil
}

// nats connects with the credentials of the environment.
func (a *app) nats(ctx context.Context, url string) (*nats.Conn, error) {
	tls, err := a.secrets().TLS()
	if err != nil {
		return nil, usage("%w", err)
	}
	who, err := a.secrets().NATS(tls)
	if err != nil {
		return nil, usage("%w", err)
	}
	if err := natsconn.Check(url); err != nil {
		return nil, usage("%w", err)
	}
	nc, err := natsconn.Connect(ctx, url, natsconn.Options{Dial: who.Connect, Log: a.log})
	if err != nil {
		return nil, engine(err)
	}
	return nc, nil
}

// queueOptions say how a queue is used.
type queueOptions struct {
	codec jobs.Codec
	take  bool // only, without the right to make streams
}

// queueURL is where jobs go; "" for the engine inside the process.
func (a *app) queueURL() (string, error) {
	at, folder, err := a.storeURL()
	switch {
	case err != nil:
		return "", err
	case a.cluster != "":
		return at, nil
	case folder && a.queue != "":
		return "", usage("--queue %s with results in the folder %s: workers elsewhere can't reach a folder; write --store redis://host:6379 too", redisconn.Redact(a.queue), at)
	case !folder && a.queue == "":
		return "", usage("--store %s without a queue: write --cluster %s for jobs and results in the same Redis, or --queue nats://host:4222 too", redisconn.Redact(at), redisconn.Redact(at))
	}
	if at := a.queue; at != "" && !isRedis(at) {
		if !strings.HasPrefix(at, "nats://") && !strings.HasPrefix(at, "tls://") {
			return "", usage("--queue %s: jobs go over NATS, such as nats://host:4222, or over Redis, such as redis://host:6379", redisconn.Redact(at))
		}
		if err := natsconn.Check(at); err != nil {
			return "", usage("%w", err)
		}
	}
	return a.queue, nil
}

// connectQueue opens the queue at a URL.
func (a *app) connectQueue(ctx context.Context, url string, o queueOptions) (jobs.Queue, error) {
	if isRedis(url) {
		rdb, err := a.redis(url)
		if err != nil {
			return nil, err
		}
		q, err := asynqqueue.New(ctx, rdb, asynqqueue.Options{Codec: o.codec, Log: a.log})
		if err != nil {
			return nil, engine(errors.Join(fmt.Errorf("open the queue at %s: %w", redisconn.Redact(url), err), rdb.Close()))
		}
		return closingQueue{q, rdb.Close}, nil
	}
	nc, err := a.nats(ctx, url)
	if err != nil {
		return nil, err
	}
	q, err := natsqueue.New(ctx, nc, natsqueue.Options{Codec: o.codec, TakeOnly: o.take, Log: a.log})
	if err != nil {
		nc.Close()
		return nil, engine(fmt.Errorf("open the queue at %s: %w", natsconn.Redact(url), err))
	}
	return q, nil
}

// closingQueue is a queue that closes its client too.
type closingQueue struct {
	*asynqqueue.Queue
	then func() error
}

func (q closingQueue) Close() error { return errors.Join(q.Queue.Close(), q.then()) }

// coordinatorQueue opens the queue for a command that issues jobs, and where the
// engine is inside the process, the server for those who join. stop ends what
// stands behind the queue.
func (a *app) coordinatorQueue(ctx context.Context, s results.Store, f engineFlags) (q jobs.Queue, stop func(), err error) {
	url, err := a.queueURL()
	if err != nil {
		return nil, nil, err
	}
	if url != "" {
		codec, err := a.coordinatorCodec(f)
		if err != nil {
			return nil, nil, err
		}
		q, err := a.connectQueue(ctx, url, queueOptions{codec: codec})
		return q, func() {}, err
	}
	if f.listen != "" {
		return a.listen(ctx, s, f)
	}
	queue, err := natsqueue.Open(ctx, natsqueue.Options{Log: a.log, Dir: filepath.Join(a.store, "queue")})
	if err != nil {
		return nil, nil, fmt.Errorf("start the queue: %w", err)
	}
	return queue, func() {}, nil
}

func (a *app) coordinatorCodec(f engineFlags) (jobs.Codec, error) {
	if f.unsigned {
		return jobs.Plain{}, nil
	}
	return a.signing(a.keys())
}

// listen starts the engine inside the process and opens it to workers elsewhere,
// who read the join file.
func (a *app) listen(ctx context.Context, s results.Store, f engineFlags) (_ jobs.Queue, _ func(), err error) {
	codec, err := a.coordinatorCodec(f)
	if err != nil {
		return nil, nil, err
	}
	id, err := join.Make(filepath.Join(a.store, "identity"))
	if err != nil {
		return nil, nil, engine(fmt.Errorf("make the identity of --listen: %w", err))
	}
	rights, err := natsqueue.TakeRights("", jobs.EngineVersion)
	if err != nil {
		return nil, nil, err
	}
	tls, users, err := id.Server(append(rights, "overnight.store.work.>"))
	if err != nil {
		return nil, nil, err
	}
	server, err := natsserver.Start(natsserver.Options{
		Dir: filepath.Join(a.store, "queue"), Log: a.log, Listen: f.listen, TLS: tls, Users: users,
	})
	if err != nil {
		return nil, nil, engine(fmt.Errorf("--listen %s: %w", f.listen, err))
	}
	defer func() {
		if err != nil {
			_ = server.Close()
		}
	}()
	qc, err := server.Connect()
	if err != nil {
		return nil, nil, err
	}
	queue, err := natsqueue.New(ctx, qc, natsqueue.Options{Codec: codec, Memory: true, Patience: 3 * time.Second, Log: a.log})
	if err != nil {
		qc.Close()
		return nil, nil, fmt.Errorf("start the queue: %w", err)
	}
	sc, err := server.Connect()
	if err != nil {
		return nil, nil, errors.Join(err, queue.Close())
	}
	service, err := natsstore.Serve(ctx, sc, s, natsstore.Options{Log: a.log})
	if err != nil {
		sc.Close()
		return nil, nil, errors.Join(err, queue.Close())
	}
	addresses := f.advertise
	if len(addresses) == 0 {
		addresses = reachableAt(server.Addr())
	}
	name := filepath.Join(a.store, "join")
	if err = writeJoin(name, id, addresses, codec); err != nil {
		return nil, nil, errors.Join(err, service.Close(), queue.Close())
	}
	a.log.Info("listening", zap.String("address", server.Addr()), zap.Strings("advertised", addresses), zap.String("join", name))
	if !a.quiet {
		fmt.Fprintf(a.err, "listening on %s; workers join with: overnight worker --join FILE, a copy of %s\n", server.Addr(), name)
	}
	return queue, func() {
		_ = service.Close()
		sc.Close()
		_ = server.Close()
	}, nil
}

// writeJoin writes what a worker needs to join, for nobody else to read.
func writeJoin(name string, id *join.Identity, addresses []string, codec jobs.Codec) error {
	var trusted []ed25519.PublicKey
	if c, ok := codec.(jobs.Signed); ok {
		trusted = c.Trusted()
	}
	file, err := id.File(addresses, trusted)
	if err != nil {
		return usage("%w", err)
	}
	return file.Write(name)
}

// reachableAt returns at which addresses other machines may reach a listener:
// its own, or where it listens on all, this host's name and addresses.
func reachableAt(addr string) []string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return []string{addr}
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return []string{addr}
	}
	var out []string
	if name, err := os.Hostname(); err == nil {
		out = append(out, net.JoinHostPort(name, port))
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return out
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			out = append(out, net.JoinHostPort(n.IP.String(), port))
		}
	}
	return append(out, net.JoinHostPort("127.0.0.1", port))
}
