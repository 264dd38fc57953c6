package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"overnight/internal/daemon"
	"overnight/results"
)

// poisonStudy plants two trials of each kind; Seed makes it another study each
// time.
const poisonStudy = `study: %s
seed: %d
env: {name: faulty, fault: {grid: [none, panic, exit, loop, memory]}}
agents: [{name: random}]
evaluate: {final: 1}
replications: 2
limits: {time: 2s, memory: 300MB}
`

// poison runs a study of trials that go wrong beside the other one, and compares
// what became of them with what was planted.
func poison(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	seed := l.rng.Uint32()
	name := fmt.Sprintf("poison-%d", seed)
	file := l.path(name + ".yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, poisonStudy, name, seed), 0o600); err != nil {
		return time.Time{}, "", err
	}
	mark()
	store := l.store
	if l.serves() {
		err = l.call(ctx, "poison.log", append([]string{"submit", file}, l.redisURL()...)...)
	} else {
		store, err = l.poisonAlone(ctx, file, l.path(name))
		if err == nil {
			defer func() { err = errors.Join(err, store.Close()) }()
		}
	}
	if err != nil {
		return time.Time{}, "", err
	}
	err = l.until(ctx, 90*time.Second, "the poisoned study is finished", func() bool {
		p, err := store.Plan(ctx, name)
		return err == nil && p.State == results.Finished
	})
	t, terr := store.Tally(ctx, name)
	if err := errors.Join(err, terr); err != nil {
		return time.Time{}, "", fmt.Errorf("%w: done %d, failed %d, dead %d, overrun %d", err, t.Done, t.Failed, t.Dead, t.Overrun)
	}
	if t.Done != 2 || t.Failed != 2 || t.Dead != 2 || t.Overrun != 4 {
		return time.Time{}, "", fmt.Errorf("planted 2 fine, 2 that panic, 2 that exit, 2 that never end, 2 that eat memory; found done %d, failed %d, dead %d, overrun %d", t.Done, t.Failed, t.Dead, t.Overrun)
	}
	return time.Now(), "each: 2 done, 2 failed, 2 dead, 4 overrun, as planted", nil
}

// poisonAlone runs the poisoned study in a folder of its own: with slots in
// processes of their own, or with a worker that joins.
func (l *lab) poisonAlone(ctx context.Context, file, dir string) (results.Store, error) {
	args := []string{"run", file, "--store", dir, "--isolate", "--slots", "2"}
	if l.Engine == Joined {
		port, err := daemon.FreePort()
		if err != nil {
			return nil, err
		}
		args = []string{"run", file, "--store", dir, "--slots", "0", "--listen", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	}
	run, err := daemon.Start(l.path("poison.log"), l.env(), l.Binary, args...)
	if err != nil {
		return nil, err
	}
	defer run.Kill()
	if l.Engine == Joined {
		err := l.until(ctx, 20*time.Second, "the join file is there", func() bool {
			_, err := os.Stat(dir + "/join")
			return err == nil
		})
		if err != nil {
			return nil, err
		}
		w, err := daemon.Start(l.path("poison-worker.log"), l.env(), l.Binary, "worker", "--slots", "2", "--join", dir+"/join")
		if err != nil {
			return nil, err
		}
		defer w.Kill()
	}
	select {
	case <-run.Done():
	case <-time.After(90 * time.Second):
		return nil, errors.New("the poisoned study did not end within 90 s")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return l.OpenStore(ctx, dir)
}

// refused is the exit code of a command that the engine refuses.
const refused = 3

// twoCoordinators: of a service, a second replica takes over while the first one
// sleeps, which then wakes up and believes to lead still. Of run, the second one
// is refused.
func twoCoordinators(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	first := l.coords[0]
	if !l.serves() {
		mark()
		start := time.Now()
		if err := l.startCoordinator(); err != nil {
			return start, "", err
		}
		second := l.coords[len(l.coords)-1]
		l.coords = l.coords[:len(l.coords)-1]
		select {
		case <-second.Done():
		case <-time.After(20 * time.Second):
			second.Kill()
			return start, "", errors.New("a second run on the same folder was not refused")
		}
		var exited *exec.ExitError
		if err := second.Err(); !errors.As(err, &exited) || exited.ExitCode() != refused {
			return start, "", fmt.Errorf("a second run on the same folder should be refused with exit code %d: %v", refused, err)
		}
		return start, "the second one is refused", nil
	}
	if err := l.startCoordinator(); err != nil {
		return time.Time{}, "", err
	}
	pause(ctx, 2*time.Second) // it stands by
	first.Signal(syscall.SIGSTOP)
	mark()
	start := time.Now()
	pause(ctx, lease+3*time.Second)
	first.Signal(syscall.SIGCONT)
	pause(ctx, 3*time.Second)
	first.Kill()
	l.coords = l.coords[1:]
	return start, "recovery from the moment the first one sleeps", nil
}
