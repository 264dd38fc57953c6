package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"overnight/internal/redisconn"
	"overnight/results"
	"overnight/results/sqlitestore"
)

type doctorFlags struct {
	acceptLoss bool
}

func (a *app) doctorCmd() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check that this machine, the store and the queue are fit to run studies",
		Long: `Doctor checks the machine, and the data folder, or with --cluster, --queue and
--store the servers: that they answer, that they keep what they acknowledge,
that they throw nothing away, their versions and clocks, and that this user may
do what is needed. It exits with 0 where all is well and with 3 where not.`,
		Example: "  overnight doctor\n  overnight doctor --cluster redis://127.0.0.1:6379\n  overnight doctor --cluster redis://127.0.0.1:6379 --accept-loss",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), f) },
	}
	c.Flags().BoolVar(&f.acceptLoss, "accept-loss", false, "take a Redis without an append-only file for good: it loses all results when it dies")
	return c
}

// checks is the list of what was found.
type checks struct {
	a   *app
	bad int
}

func (c *checks) say(ok bool, format string, args ...any) {
	mark := "ok  "
	if !ok {
		mark = "BAD "
		c.bad++
	}
	fmt.Fprintf(c.a.out, "%s %s\n", mark, fmt.Sprintf(format, args...))
}

func (a *app) doctor(ctx context.Context, f doctorFlags) error {
	at, folder, err := a.storeURL()
	if err != nil {
		return err
	}
	c := &checks{a: a}
	c.say(true, "overnight %s, %s/%s, %d cores, %s", version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), vectors())
	if folder {
		c.folder(ctx, at)
	} else {
		c.redis(ctx, at, f)
	}
	if a.queue != "" && isRedis(a.queue) && a.queue != at {
		c.redisQueue(ctx, a.queue)
	} else if a.queue != "" && !isRedis(a.queue) {
		c.nats(ctx, a.queue)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.bad > 0 {
		return engine(fmt.Errorf("%d checks are bad", c.bad))
	}
	return nil
}

// folder checks a data folder.
func (c *checks) folder(ctx context.Context, dir string) {
	base := dir
	if _, err := os.Stat(dir); err != nil {
		base = filepath.Dir(dir)
		c.say(true, "no data folder %s yet: the first run makes it", dir)
	}
	free, err := freeBytes(base)
	c.say(err == nil && free > 1e9, "%s free where %s is", byteCount(free), dir)
	took, err := syncTime(base)
	switch {
	case err != nil:
		c.say(false, "can't write in %s: %v", base, err)
	default:
		c.say(took < 200*time.Millisecond, "a write that survives power loss takes %v", took.Round(10*time.Microsecond))
	}
	if base != dir {
		return
	}
	if release, err := sqlitestore.Lock(dir); err != nil {
		c.say(true, "%v", err)
	} else {
		release()
		c.say(true, "nobody runs a study in %s", dir)
	}
	s, err := sqlitestore.Open(ctx, dir, sqlitestore.Options{})
	if err != nil {
		c.say(false, "%v", err)
		return
	}
	c.damage(ctx, s)
	if err := s.Close(); err != nil {
		c.say(false, "close: %v", err)
	}
}

// damage reads everything that a store holds.
func (c *checks) damage(ctx context.Context, s results.Checker) {
	damaged := 0
	for d, err := range s.Check(ctx, "") {
		if err != nil {
			c.say(false, "%v", err)
			break
		}
		damaged++
		if damaged <= 3 {
			c.say(false, "%v", d)
		}
	}
	c.say(damaged == 0, "%d damaged records or parts in the store", damaged)
}

// redisQueue checks that a Redis that carries only jobs answers.
func (c *checks) redisQueue(ctx context.Context, url string) {
	rdb, err := c.a.redis(url)
	if err == nil {
		err = errors.Join(rdb.Ping(ctx).Err(), rdb.Close())
	}
	c.say(err == nil, "the queue %s answers%s", redisconn.Redact(url), because(err))
}

// nats checks that JetStream answers.
func (c *checks) nats(ctx context.Context, url string) {
	nc, err := c.a.nats(ctx, url)
	if err != nil {
		c.say(false, "the queue %s does not answer: %v", redisconn.Redact(url), err)
		return
	}
	defer nc.Close()
	rtt, err := nc.RTT()
	c.say(err == nil && rtt < 100*time.Millisecond, "NATS %s answers in %v%s", nc.ConnectedServerVersion(), rtt.Round(10*time.Microsecond), because(err))
	c.say(nc.HeadersSupported(), "NATS %s is recent enough (headers)", nc.ConnectedServerVersion())
	js, err := jetstream.New(nc)
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	c.say(err == nil, "JetStream is on and this user may ask about it%s", because(err))
	if !nc.TLSRequired() {
		c.say(true, "note: the connection to NATS has no TLS")
	}
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// syncTime measures a small durable write.
func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	best := time.Hour
	for range 5 {
		start := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		best = min(best, time.Since(start))
	}
	return best, nil
}
