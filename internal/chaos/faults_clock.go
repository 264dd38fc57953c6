package chaos

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// faketime returns the library that shifts a program's clock, or "".
func faketime() string {
	found, err := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[0]
}

func needFaketime() string {
	if faketime() == "" {
		return "needs libfaketime, for the clock of redis-server: apt-get install faketime"
	}
	return ""
}

// setClock shifts the clock of the store: of redis-server by libfaketime, of our
// own processes by OVERNIGHT_CLOCK.
func (l *lab) setClock(by string) error {
	for _, name := range []string{"clock", "faketime"} {
		temp := l.path(name + ".new")
		if err := os.WriteFile(temp, []byte(by+"\n"), 0o600); err != nil {
			return err
		}
		if err := os.Rename(temp, l.path(name)); err != nil {
			return err
		}
	}
	return nil
}

// clockJump sets the clock an hour ahead, back again, and once an hour behind.
func clockJump(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	mark()
	for _, by := range []string{"+3600s", "+0s", "-3600s", "+0s"} {
		if err := l.setClock(by); err != nil {
			return time.Time{}, "", err
		}
		pause(ctx, 3*time.Second)
	}
	return time.Now(), "", nil
}
