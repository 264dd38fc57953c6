package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"overnight/internal/daemon"
)

// TestBackupOfRedis does what docs/operations.md says of backups while a study
// runs: it copies Redis's files, lets the study go on, kills Redis and starts it
// again with the copy. The study ends with its digest, and its coordinator and
// `watch` say that counts went back.
func TestBackupOfRedis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// copies returns the backup's folder, restore puts it back while Redis is down
		// and starts it.
		copies  func(l *lab) string
		restore func(l *lab, backup string)
	}{
		{"append-only file", copyAppendOnly, func(l *lab, backup string) {
			l.replace(filepath.Join(l.redis.Dir, "appendonlydir"), backup)
			if err := l.redis.Restart(); err != nil {
				t.Fatal(err)
			}
		}},
		{"snapshot", copySnapshot, restoreSnapshot},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			file := l.file("precious.yaml", idleStudy("precious", 250, 40))
			want := l.alone(file)
			runner := l.start("run", slices.Concat([]string{"run", file, "--slots", "0"}, l.args)...)
			l.workersOf(2, 2)
			l.await("first records", 30*time.Second, func() bool { return l.committed("precious") >= 40 })
			watcher := l.start("watch", append([]string{"watch", "precious"}, l.args...)...)
			backup := c.copies(l)
			copied := l.committed("precious")
			l.await("more records", 30*time.Second, func() bool { return l.committed("precious") >= copied+40 })
			had := l.committed("precious")
			l.redis.Kill()
			c.restore(l, backup)
			back := l.committed("precious")
			if back >= had {
				t.Fatalf("the backup of %d records or less has %d, before Redis was killed there were %d: nothing was lost", copied, back, had)
			}
			restored := time.Now()
			endsWell(t, l, runner, time.Minute)
			endsWell(t, l, watcher, time.Minute)
			t.Logf("the backup was made at %d of 250 records, Redis killed at %d and restored with %d; the study ended %v later", copied, had, back, time.Since(restored).Round(10*time.Millisecond))
			if m := digestLine().FindStringSubmatch(l.log("run")); m == nil || m[1] != want {
				t.Errorf("want digest %s, run ends with\n%s", want, l.log("run"))
			}
			const told = "counts went back: the store has lost"
			if !strings.Contains(l.log("run"), told) {
				t.Errorf("run does not say that counts went back:\n%s", l.log("run"))
			}
			// A watch that connects again only after the trials have run again has seen
			// nothing but that the store was away.
			if w := l.log("watch"); !strings.Contains(w, told) && !strings.Contains(w, "the store does not answer") {
				t.Errorf("watch says neither that counts went back nor that the store was away:\n%s", w)
			}
			l.say("fsck")
			if st := l.status("precious"); st.Committed != 250 || st.Done != 250 || st.Differs != 0 || st.Digest != want {
				t.Errorf("after the restore: %+v", st)
			}
		})
	}
}

// copyAppendOnly copies the append-only file of a Redis that runs.
func copyAppendOnly(l *lab) string {
	l.t.Helper()
	set := func(percentage string) {
		if err := l.rdb.ConfigSet(l.t.Context(), "auto-aof-rewrite-percentage", percentage).Err(); err != nil {
			l.t.Fatal(err)
		}
	}
	backup := filepath.Join(l.t.TempDir(), "appendonlydir")
	set("0")
	l.replace(backup, filepath.Join(l.redis.Dir, "appendonlydir"))
	set("100")
	return backup
}

// copySnapshot makes and copies a snapshot of a Redis that runs.
func copySnapshot(l *lab) string {
	l.t.Helper()
	ctx := l.t.Context()
	// LASTSAVE counts whole seconds: one that began this second would look like the
	// start of the server.
	before := l.rdb.LastSave(ctx).Val()
	l.await("next second", 5*time.Second, func() bool { return time.Now().Unix() > before })
	if err := l.rdb.BgSave(ctx).Err(); err != nil {
		l.t.Fatal(err)
	}
	l.await("snapshot", 20*time.Second, func() bool { return l.rdb.LastSave(ctx).Val() != before })
	backup := filepath.Join(l.t.TempDir(), "dump.rdb")
	b, err := os.ReadFile(filepath.Join(l.redis.Dir, "dump.rdb"))
	if err == nil {
		err = os.WriteFile(backup, b, 0o600)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return backup
}

// restoreSnapshot starts Redis once without an append-only file, so that it reads
// the snapshot, and lets it write a new one.
func restoreSnapshot(l *lab, backup string) {
	l.t.Helper()
	dir := l.redis.Dir
	b, err := os.ReadFile(backup)
	if err == nil {
		err = errors.Join(os.RemoveAll(filepath.Join(dir, "appendonlydir")), os.WriteFile(filepath.Join(dir, "dump.rdb"), b, 0o600))
	}
	if err != nil {
		l.t.Fatal(err)
	}
	_, port, _ := strings.Cut(l.redis.Addr, ":")
	p, err := daemon.Start(filepath.Join(dir, "redis.log"), nil, "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--appendonly", "no", "--save", "", "--maxmemory-policy", "noeviction")
	if err == nil {
		l.t.Cleanup(p.Kill)
		err = daemon.WaitPort(l.redis.Addr, 10*time.Second)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.await("append-only file", 20*time.Second, func() bool { return l.rdb.ConfigSet(l.t.Context(), "appendonly", "yes").Err() == nil })
}

// replace makes a folder a copy of another one.
func (l *lab) replace(to, from string) {
	l.t.Helper()
	if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from))); err != nil {
		l.t.Fatal(err)
	}
}

// TestBackupOfFolder does what docs/operations.md says of a data folder: a copy
// made while nobody runs a study there, and an archive made while somebody does,
// are whole: `run` goes on from both, elsewhere, to the same digest.
func TestBackupOfFolder(t *testing.T) {
	t.Parallel()
	f := &testFleet{t: t, dir: t.TempDir()}
	l := &lab{testFleet: f}
	file := l.file("folder.yaml", idleStudy("folder", 300, 40))
	want := l.alone(file)
	store, archive := filepath.Join(f.dir, "store"), filepath.Join(f.dir, "folder.overnight")
	say := func(args ...string) (string, string, int) { return run(t, overnight(t.Context(), args...)) }
	committed := func(store string) uint64 {
		out, _, code := say("--store", store, "status", "folder", "--format", "json")
		var st standing
		if code == 0 {
			fromJSON(t, out, &st)
		}
		return st.Committed
	}
	p := l.start("run", "run", file, "--store", store, "--slots", "2")
	l.await("first records", 30*time.Second, func() bool { return committed(store) >= 20 })
	if out, errs, code := say("--store", store, "archive", "folder", "-o", archive); code != 0 {
		t.Fatalf("archive of a study that runs: exit code %d\n%s%s", code, out, errs)
	}
	if out, _, _ := say("--store", store, "doctor"); !strings.Contains(out, "in use by process") {
		t.Errorf("doctor does not say that the folder is in use:\n%s", out)
	}
	p.Signal(syscall.SIGINT)
	<-p.Done()
	var exit *exec.ExitError
	if !errors.As(p.Err(), &exit) || exit.ExitCode() != exitInterrupted {
		t.Fatalf("the interrupted run ended with %v\n%s", p.Err(), f.log("run"))
	}
	if out, _, code := say("--store", store, "doctor"); code != 0 || !strings.Contains(out, "nobody runs a study") {
		t.Errorf("doctor of a folder at rest: exit code %d\n%s", code, out)
	}
	backup, imported := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "imported")
	l.replace(backup, store)
	had := committed(store)
	if err := os.RemoveAll(store); err != nil {
		t.Fatal(err)
	}
	if out, errs, code := say("--store", imported, "import", archive); code != 0 {
		t.Fatalf("import: exit code %d\n%s%s", code, out, errs)
	}
	for _, c := range []struct {
		dir   string
		least uint64
	}{{backup, had}, {imported, 20}} {
		n := committed(c.dir)
		if n < c.least || n >= 300 {
			t.Errorf("%s has %d records, want %d or a few more", filepath.Base(c.dir), n, c.least)
		}
		if out, _, code := say("--store", c.dir, "digest", "folder"); code != exitFailures || out != "" {
			t.Errorf("%s: digest of a part: exit code %d, %q", filepath.Base(c.dir), code, out)
		}
		_, errs, code := say("run", file, "--store", c.dir, "--slots", "16")
		if code != 0 || !matches(`\d+ new, \d+ (done before|reused)`, errs) {
			t.Errorf("%s: run: exit code %d\n%s", filepath.Base(c.dir), code, errs)
		}
		if out, errs, code := say("--store", c.dir, "digest", "folder"); code != 0 || strings.TrimSpace(out) != want {
			t.Errorf("%s: exit code %d, digest %s%s, want %s", filepath.Base(c.dir), code, out, errs, want)
		}
		t.Logf("%s: restored with %d of 300 records, went on to the same digest", filepath.Base(c.dir), n)
	}
}
