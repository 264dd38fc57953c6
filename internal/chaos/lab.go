package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"overnight/internal/daemon"
	"overnight/internal/faultproxy"
	"overnight/results"
)

const (
	studyName = "chaos"
	points    = 25
)

// lab is an engine with its processes.
type lab struct {
	Options
	rng          *rand.Rand
	study        string // file
	store        results.Store
	replications uint64

	redis   *daemon.Redis
	nats    *daemon.Process
	natsAt  string
	ways    []*faultproxy.Proxy // to what workers and coordinators connect to
	workers []*daemon.Process
	coords  []*daemon.Process
	listen  string // of run --listen
	urls    [2][]string
	mounted bool
	closed  bool
}

// Who connects through which proxies.
const (
	forWorkers = iota
	forCoordinators
)

func newLab(ctx context.Context, o Options) (_ *lab, err error) {
	l := &lab{Options: o, rng: rand.New(rand.NewPCG(o.Seed, 2))}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if err := os.MkdirAll(l.disk(), 0o700); err != nil {
		return nil, err
	}
	if err := l.setClock(0); err != nil {
		return nil, err
	}
	if needTmpfs() == "" {
		if err := mount(l.disk()); err != nil {
			return nil, err
		}
		l.mounted = true
	}
	l.study = l.path("chaos.yaml")
	text := fmt.Sprintf("study: %s\nseed: %d\nenv: {name: faulty, idle: %g, x: {grid: [%s]}}\nagents: [{name: random}]\nevaluate: {final: 1}\n",
		studyName, o.Seed, o.Idle, numbers(points))
	if err := os.WriteFile(l.study, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if o.Engine == Asynq || o.Engine == NATS {
		if err := l.startServers(); err != nil {
			return nil, err
		}
	}
	if o.Engine == Joined {
		if err := l.startWay(); err != nil {
			return nil, err
		}
	}
	l.grow(l.Work)
	if err := l.coordinate(ctx); err != nil {
		return nil, err
	}
	if l.store, err = l.openStore(ctx); err != nil {
		return nil, err
	}
	if o.Engine != Embedded {
		for range o.Workers {
			if err := l.startWorker(); err != nil {
				return nil, err
			}
		}
	}
	return l, l.until(ctx, 60*time.Second, "the first trials are committed", func() bool {
		done, _, err := l.count(ctx)
		return err == nil && done > 0
	})
}

func numbers(n int) string {
	s := make([]string, n)
	for i := range s {
		s[i] = strconv.Itoa(i)
	}
	return strings.Join(s, ", ")
}

func (l *lab) path(name string) string { return filepath.Join(l.Dir, name) }

func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(l.Log, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// startServers starts redis-server, and for NATS a nats-server, with a proxy
// before each for workers and another for coordinators.
func (l *lab) startServers() (err error) {
	env, err := l.shifted()
	if err != nil {
		return err
	}
	if l.redis, err = daemon.StartRedisEnv(l.path("redis"), env); err != nil {
		return err
	}
	if l.Engine == NATS {
		port, err := daemon.FreePort()
		if err != nil {
			return err
		}
		l.natsAt = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err := l.startNATS(); err != nil {
			return err
		}
	}
	for who := range l.urls {
		p, err := faultproxy.New(l.redis.Addr)
		if err != nil {
			return err
		}
		l.ways = append(l.ways, p)
		store := "redis://" + p.Addr()
		if l.Engine == Asynq {
			l.urls[who] = []string{"--cluster", store}
			continue
		}
		q, err := faultproxy.New(l.natsAt)
		if err != nil {
			return err
		}
		l.ways = append(l.ways, q)
		l.urls[who] = []string{"--queue", "nats://" + q.Addr(), "--store", store}
	}
	return nil
}

func (l *lab) startNATS() (err error) {
	_, port, err := net.SplitHostPort(l.natsAt)
	if err != nil {
		return err
	}
	l.nats, err = daemon.Start(l.path("nats.log"), nil, l.Binary, "nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd", l.path("nats"))
	if err != nil {
		return err
	}
	return daemon.WaitPort(l.natsAt, 10*time.Second)
}

// startWay chooses the address of run --listen and the proxy before it.
func (l *lab) startWay() error {
	port, err := daemon.FreePort()
	if err != nil {
		return err
	}
	l.listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p, err := faultproxy.New(l.listen)
	l.ways = append(l.ways, p)
	return err
}

// env is what all processes have in common.
func (l *lab) env() []string {
	return []string{"OVERNIGHT_KEYS=" + l.path("keys"), "OVERNIGHT_CLOCK=" + l.path("clock"), "OVERNIGHT_STORE=", "OVERNIGHT_QUEUE=", "OVERNIGHT_CLUSTER="}
}

// serves tells whether the coordinator is a service that studies are submitted
// to.
func (l *lab) serves() bool { return l.Engine == Asynq || l.Engine == NATS }

// coordinate starts the coordinator, and hands it the study.
func (l *lab) coordinate(ctx context.Context) error {
	if err := l.startCoordinator(); err != nil {
		return err
	}
	if !l.serves() {
		return nil
	}
	return l.submit(ctx)
}

// startCoordinator starts one more coordinator.
func (l *lab) startCoordinator() error {
	args := []string{"run", l.study, "--store", l.path("store"), "--set", fmt.Sprintf("replications=%d", l.replications), "--drain-timeout", "5s"}
	switch l.Engine {
	case Embedded:
		args = append(args, "--isolate", "--slots", strconv.Itoa(l.Workers*l.Slots))
	case Joined:
		args = append(args, "--slots", "0", "--listen", l.listen, "--advertise", l.ways[0].Addr())
	default:
		args = append([]string{"serve", "--api", "127.0.0.1:0", "--metrics", "127.0.0.1:0"}, l.urls[forCoordinators]...)
	}
	p, err := daemon.Start(l.path("coordinator.log"), l.env(), l.Binary, args...)
	if err == nil {
		l.coords = append(l.coords, p)
	}
	return err
}

func (l *lab) workerArgs() []string {
	args := []string{"worker", "--slots", strconv.Itoa(l.Slots), "--drain-timeout", "5s"}
	if l.Engine == Joined {
		return append(args, "--join", filepath.Join(l.path("store"), "join"))
	}
	return append(args, l.urls[forWorkers]...)
}

func (l *lab) startWorker() error {
	file := filepath.Join(l.path("keys"), "trusted") // which the coordinator writes
	if l.Engine == Joined {
		file = filepath.Join(l.path("store"), "join")
	}
	err := l.until(context.Background(), 20*time.Second, file+" is there", func() bool {
		_, err := os.Stat(file)
		return err == nil
	})
	if err != nil {
		return err
	}
	p, err := daemon.Start(l.path("worker.log"), l.env(), l.Binary, l.workerArgs()...)
	if err == nil {
		l.workers = append(l.workers, p)
	}
	return err
}

// submit hands the study to the service, with all its replications.
func (l *lab) submit(ctx context.Context) error {
	args := append([]string{"submit", l.study, "--set", fmt.Sprintf("replications=%d", l.replications)}, l.redisURL()...)
	return l.call(ctx, "submit.log", args...)
}

// redisURL is the store without a proxy before it.
func (l *lab) redisURL() []string { return []string{"--store", "redis://" + l.redis.Addr} }

// call runs a command to its end.
func (l *lab) call(ctx context.Context, log string, args ...string) error {
	p, err := daemon.Start(l.path(log), l.env(), l.Binary, args...)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("overnight %s: %w: %s", args[0], err, lastLine(l.path(log)))
	}
	return nil
}

func (l *lab) openStore(ctx context.Context) (results.Store, error) {
	if l.serves() {
		return l.OpenStore(ctx, "redis://"+l.redis.Addr)
	}
	var s results.Store
	err := l.until(ctx, 20*time.Second, "the store is there", func() (ok bool) {
		var err error
		s, err = l.OpenStore(ctx, l.path("store"))
		return err == nil
	})
	return s, err
}

// grow adds replications that last for d when all slots work.
func (l *lab) grow(d time.Duration) {
	each := l.Idle + 3 // ms, with what a trial costs beside its own time
	trials := d.Seconds() * 1000 / each * float64(l.Workers*l.Slots)
	l.replications += uint64(trials)/points + 1
}

// work adds replications where the study is about to end.
func (l *lab) work(ctx context.Context) error {
	done, all, err := l.count(ctx)
	if err != nil {
		return err
	}
	left := time.Duration(float64(all-done) * l.Idle / float64(l.Workers*l.Slots) * float64(time.Millisecond))
	if left > l.Work*3/5 {
		return nil
	}
	if l.serves() {
		l.grow(l.Work)
		return l.submit(ctx)
	}
	if err := l.finish(ctx); err != nil {
		return err
	}
	l.grow(l.Work)
	if err := l.startCoordinator(); err != nil {
		return err
	}
	return l.until(ctx, 30*time.Second, "the study goes on", func() bool {
		now, _, err := l.count(ctx)
		return err == nil && now > done
	})
}

// finish waits until every trial has a record.
func (l *lab) finish(ctx context.Context) error {
	last, since := uint64(0), time.Now()
	stuck := false
	err := l.until(ctx, time.Hour, "the study is finished", func() bool {
		done, _, err := l.count(ctx)
		if err == nil && done != last {
			last, since = done, time.Now()
		}
		stuck = time.Since(since) > 90*time.Second
		p, err := l.store.Plan(ctx, studyName)
		return stuck || err == nil && p.State == results.Finished && p.Trials == l.replications*points
	})
	if stuck {
		return fmt.Errorf("nothing was committed for 90 s, with %d of %d trials done", last, l.replications*points)
	}
	if err != nil || l.serves() {
		return err
	}
	for _, p := range l.coords { // run ends by itself
		select {
		case <-p.Done():
		case <-time.After(20 * time.Second):
			return errors.New("run did not end after its study was finished")
		}
	}
	l.coords = nil
	return nil
}

// count returns how many trials have a record, and how many there are to be.
func (l *lab) count(ctx context.Context) (done, all uint64, err error) {
	t, err := l.store.Tally(ctx, studyName)
	return t.Total(), l.replications * points, err
}

// until polls.
func (l *lab) until(ctx context.Context, within time.Duration, what string, ok func() bool) error {
	end := time.Now().Add(within)
	for !ok() {
		if time.Now().After(end) {
			return fmt.Errorf("waited %v in vain until %s", within, what)
		}
		if !pause(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

// pause sleeps and tells whether ctx is still good.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// between returns a random time.
func (l *lab) between(least, most time.Duration) time.Duration {
	return least + time.Duration(l.rng.Int64N(int64(most-least)+1))
}

func (l *lab) close() {
	if l.closed {
		return
	}
	l.closed = true
	for _, p := range append(l.workers, l.coords...) {
		p.Signal(syscall.SIGCONT)
		p.Kill()
	}
	if l.nats != nil {
		l.nats.Kill()
	}
	if l.redis != nil && l.redis.Process != nil {
		l.redis.Kill()
	}
	for _, p := range l.ways {
		p.Close()
	}
	if l.store != nil {
		_ = l.store.Close()
	}
	if l.mounted {
		_ = unmount(l.disk())
	}
}

// lastLine returns the last line of a file.
func lastLine(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}
