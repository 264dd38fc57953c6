package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// outage is how long a store stays broken.
const outage = 4 * time.Second

// disk is the folder that the store writes to, on a small file system of its
// own where that can be made.
func (l *lab) disk() string {
	if l.serves() {
		return l.path("redis")
	}
	return l.path("store")
}

// fullDisk fills the store's file system.
func fullDisk(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	name := filepath.Join(l.disk(), "ballast")
	f, err := os.Create(name)
	if err != nil {
		return time.Time{}, "", err
	}
	mark()
	end := time.Now().Add(outage + time.Second)
	full := false
	b := make([]byte, 1<<20)
	for time.Now().Before(end) {
		if _, err := f.Write(b[:min(len(b), 4096)]); err != nil {
			full = true
			pause(ctx, 100*time.Millisecond) // what is freed meanwhile is filled again
			continue
		}
		if !full {
			_, _ = f.Write(b)
		}
	}
	err = errors.Join(f.Close(), os.Remove(name))
	if !full {
		err = errors.Join(err, errors.New("the disk did not get full"))
	}
	return time.Now(), "", err
}

func (l *lab) admin() *redis.Client { return redis.NewClient(&redis.Options{Addr: l.redis.Addr}) }

// refuses tells, as an error, where Redis takes a write that it should not take.
func refuses(ctx context.Context, c *redis.Client, how string) error {
	err := c.Set(ctx, "overnight-chaos", "", time.Second).Err()
	if err == nil || !strings.HasPrefix(err.Error(), how) {
		return fmt.Errorf("the fault did not happen: a write should be refused with %s, and its error is %v", how, err)
	}
	return nil
}

func redisFull(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	c := l.admin()
	defer func() { err = errors.Join(err, c.Close()) }()
	mark()
	if err := c.ConfigSet(ctx, "maxmemory", "1mb").Err(); err != nil {
		return time.Time{}, "", err
	}
	happened := refuses(ctx, c, "OOM")
	pause(ctx, outage)
	return time.Now(), "", errors.Join(happened, c.ConfigSet(ctx, "maxmemory", "0").Err())
}

func redisReadOnly(ctx context.Context, l *lab, mark func()) (_ time.Time, _ string, err error) {
	c := l.admin()
	defer func() { err = errors.Join(err, c.Close()) }()
	mark()
	if err := c.ReplicaOf(ctx, "127.0.0.1", "1").Err(); err != nil {
		return time.Time{}, "", err
	}
	happened := refuses(ctx, c, "READONLY")
	pause(ctx, outage)
	return time.Now(), "", errors.Join(happened, c.ReplicaOf(ctx, "NO", "ONE").Err())
}

// redisRollback copies Redis's files, lets records be acknowledged, kills Redis
// and starts it from the copy: what an asynchronous failover or a restored
// backup do.
func redisRollback(ctx context.Context, l *lab, mark func()) (time.Time, string, error) {
	dir := l.path("redis")
	backup := l.path("backup")
	if err := os.RemoveAll(backup); err != nil {
		return time.Time{}, "", err
	}
	pause(ctx, 1200*time.Millisecond) // the append-only file is written every second
	if err := copyFolder(filepath.Join(dir, "appendonlydir"), backup); err != nil {
		return time.Time{}, "", err
	}
	pause(ctx, 2500*time.Millisecond)
	mark()
	before, _, err := l.count(ctx)
	if err != nil {
		return time.Time{}, "", err
	}
	l.redis.Kill()
	if err := os.RemoveAll(filepath.Join(dir, "appendonlydir")); err != nil {
		return time.Time{}, "", err
	}
	if err := copyFolder(backup, filepath.Join(dir, "appendonlydir")); err != nil {
		return time.Time{}, "", err
	}
	start := time.Now()
	if err := l.redis.Restart(); err != nil {
		return start, "", err
	}
	after := before
	err = l.until(ctx, 10*time.Second, "Redis answers", func() bool {
		var err error
		after, _, err = l.count(ctx)
		return err == nil
	})
	if err != nil {
		return start, "", err
	}
	if after >= before {
		return start, "", fmt.Errorf("nothing was lost: %d records before, %d after", before, after)
	}
	return start, fmt.Sprintf("the last took back %d acknowledged records", before-after), nil
}

func copyFolder(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		in, err := os.Open(name)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.Create(filepath.Join(to, d.Name()))
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close())
	})
}
