package chaos

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"overnight/results"
)

// clockC is the source of a library that shifts the clock of redis-server, which
// is a C program.
//
//go:embed shift/clock.c
var clockC []byte

func needCompiler() string {
	if _, err := exec.LookPath("cc"); err != nil {
		return "needs a C compiler, for a library that shifts the clock of redis-server: apt-get install gcc libc6-dev"
	}
	return ""
}

// shifted compiles the library and returns the environment that preloads it; nil
// where there is no compiler.
func (l *lab) shifted() ([]string, error) {
	if needCompiler() != "" {
		return nil, nil
	}
	source, library := l.path("clock.c"), l.path("clock.so")
	if err := os.WriteFile(source, clockC, 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.Command("cc", "-O1", "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile %s: %w: %s", source, err, out)
	}
	return []string{"LD_PRELOAD=" + library, "CHAOS_CLOCK=" + l.path("offset")}, nil
}

// setClock shifts the clock of the store: of redis-server by the library, of our
// own processes by OVERNIGHT_CLOCK.
func (l *lab) setClock(by time.Duration) error {
	text := l.path("clock")
	if err := os.WriteFile(text+".new", []byte(by.String()+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.Rename(text+".new", text); err != nil {
		return err
	}
	f, err := os.OpenFile(l.path("offset"), os.O_RDWR|os.O_CREATE, 0o600) // mapped: written in place
	if err != nil {
		return err
	}
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], uint64(int64(by/time.Second)))
	if _, err := f.WriteAt(b[:], 0); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// clockJump sets the clock an hour ahead, back again, an hour behind, and right.
func clockJump(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	mark()
	for _, by := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
		if err := l.setClock(by); err != nil {
			return time.Time{}, "", err
		}
		if err := l.until(ctx, 20*time.Second, fmt.Sprintf("the store's clock is %v off", by), func() bool { return l.storeOff(ctx, by) }); err != nil {
			return time.Time{}, "", err
		}
		pause(ctx, 1500*time.Millisecond)
	}
	return time.Now(), "", nil
}

// storeOff tells whether the store's clock is off by that much: it stamps the
// workers' beats.
func (l *lab) storeOff(ctx context.Context, by time.Duration) bool {
	ws, err := l.store.Workers(ctx)
	return err == nil && slices.ContainsFunc(ws, func(w results.Worker) bool {
		return (time.Since(w.Seen) + by).Abs() < 5*time.Second
	})
}
