package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/daemon"
	"overnight/results"
)

// TestCopies holds that a study keeps its digest from a folder to Redis and back,
// as an archive and under another name, and that running it again finds nothing
// to do.
func TestCopies(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	study, err := filepath.Abs(*killStudy)
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(l.dir, "source")
	out, errs, code := run(t, overnight(t.Context(), "run", study, "--store", source, "--set", "replications=2"))
	if code != 0 {
		t.Fatalf("run: exit code %d\n%s%s", code, out, errs)
	}
	digest := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(l.say(append([]string{"digest"}, args...)...))
	}
	want := digest("kills", "--store", source)
	l.say("copy", "kills", "--from", source, "--to", l.url)
	back := filepath.Join(l.dir, "back")
	if out := l.say("copy", "kills", "--from", l.url, "--to", back, "--as", "returned"); !strings.Contains(out, "returned is copied with 48 records") {
		t.Errorf("copy says\n%s", out)
	}
	if _, errs, code := l.try("copy", "kills", "--from", source, "--to", l.url); code != exitUsage || !strings.Contains(errs, "--as") {
		t.Errorf("a second copy under the same name: exit code %d\n%s", code, errs)
	}
	file := filepath.Join(l.dir, "kills.overnight")
	l.say("archive", "kills", "-o", file)
	l.say("import", file, "--as", "imported")
	l.say("import", file, "--store", filepath.Join(l.dir, "folder"))
	for what, got := range map[string]string{
		"in Redis":                    digest("kills"),
		"back in a folder":            digest("returned", "--store", back),
		"imported into Redis":         digest("imported"),
		"archived by Redis, a folder": digest("kills", "--store", filepath.Join(l.dir, "folder")),
	} {
		if got != want {
			t.Errorf("digest %s %s, want %s", got, what, want)
		}
	}
	l.say("fsck")
	for _, args := range [][]string{l.args, {"--store", back}} {
		_, errs, code := l.try(append([]string{"run", study, "--set", "replications=2"}, args...)...)
		if code != 0 || !matches(`: 48 (done before|reused)\n`, errs) {
			t.Errorf("run %v computes copied trials again: exit code %d\n%s", args, code, errs)
		}
	}
	a, b := l.say("export", "kills"), l.say("export", "kills", "--store", source)
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("the export of Redis differs from the folder's:\n%s", diff)
	}
}

// TestRetention holds that gc removes what ended long enough ago or was to be kept
// until now, nothing else, and says so before; and that a study that somebody
// runs is not removed.
func TestRetention(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, name := range []string{"old", "short", "kept"} {
		l.say("run", l.file(name+".yaml", idleStudy(name, 4, 0)), "--cluster", l.url, "--slots", "2")
	}
	set := func(study string, change func(*results.Plan)) {
		t.Helper()
		if _, err := l.store.Update(t.Context(), study, func(p *results.Plan) error { change(p); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	set("old", func(p *results.Plan) { p.Ended = p.Ended.Add(-100 * time.Hour) })
	set("short", func(p *results.Plan) { p.Ended, p.Keep = p.Ended.Add(-2*time.Hour), time.Hour })
	busy := l.file("busy.yaml", idleStudy("busy", 4, 7))
	runner := l.start("run", append([]string{"run", busy, "--slots", "0"}, l.args...)...)
	l.await("study that runs", 20*time.Second, func() bool {
		by, err := l.store.Lease(t.Context(), "study/busy", "the test", time.Millisecond)
		return err == nil && by != "the test"
	})
	there := func() (names []string) {
		t.Helper()
		plans, err := l.store.Studies(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range plans {
			names = append(names, p.Study)
		}
		slices.Sort(names)
		return names
	}

	if out := l.say("gc", "--older-than", "99h", "--dry-run"); strings.Count(out, "would be removed") != 2 {
		t.Errorf("gc --dry-run says\n%s", out)
	}
	if got := there(); len(got) != 4 {
		t.Errorf("a dry run has left %v", got)
	}
	l.say("gc")
	if got := there(); !slices.Equal(got, []string{"busy", "kept", "old"}) {
		t.Errorf("gc has left %v", got)
	}
	l.say("gc", "--older-than", "99h")
	if got := there(); !slices.Equal(got, []string{"busy", "kept"}) {
		t.Errorf("gc --older-than has left %v", got)
	}
	if out := l.say("gc", "--older-than", "99h"); out != "no study is due\n" {
		t.Errorf("gc without work says %q", out)
	}

	if _, errs, code := l.try("rm", "kept"); code != exitUsage || !strings.Contains(errs, "--yes") || !strings.Contains(errs, "overnight archive kept") {
		t.Errorf("rm of records without --yes: exit code %d\n%s", code, errs)
	}
	_, errs, code := l.try("rm", "busy", "--yes")
	if code != exitEngine || !strings.Contains(errs, "busy is being run by") || !slices.Contains(there(), "busy") {
		t.Errorf("rm of a study that runs: exit code %d, %v are there\n%s", code, there(), errs)
	}
	if err := runner.Stop(20 * time.Second); err == nil {
		t.Error("an interrupted run ended with 0")
	}
	l.say("rm", "busy", "--yes")
	l.say("rm", "kept", "--yes")
	if got := there(); len(got) != 0 {
		t.Errorf("%v are left", got)
	}
	keys, err := l.rdb.Keys(t.Context(), "*{*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if left := l.rdb.TTL(t.Context(), k).Val(); left <= 0 && strings.Contains(k, "kept") {
			t.Errorf("key %s of a removed study stays", k)
		}
	}
}

// TestDoctorCodes holds the exit codes of `overnight doctor`.
func TestDoctorCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		conf  []string // of the server; nil: there is none
		args  []string
		code  int
		wants string
	}{
		{"good", []string{"--appendonly", "yes"}, nil, 0, "ok   .*append-only file"},
		{"no append-only file", []string{"--appendonly", "no"}, nil, exitEngine, "BAD  .*has no append-only file.*--accept-loss"},
		{"loss accepted", []string{"--appendonly", "no"}, []string{"--accept-loss"}, 0, "ok   .*--accept-loss"},
		{"evicts", []string{"--maxmemory-policy", "allkeys-lru"}, nil, exitEngine, "BAD  .*maxmemory-policy allkeys-lru.*noeviction"},
		{"nearly full", []string{"--maxmemory", "1100000"}, nil, exitEngine, "BAD  .* uses .* of 1.1 MB"},
		{"nobody", nil, nil, exitEngine, "BAD  .*can't be reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr := hostPort(t)
			if c.conf != nil {
				addr = startRedis(t, c.conf...)
			}
			out, errs, code := run(t, overnight(t.Context(), append([]string{"doctor", "--cluster", "redis://" + addr}, c.args...)...))
			if code != c.code || !matches(c.wants, out) {
				t.Errorf("exit code %d, want %d and %q in\n%s%s", code, c.code, c.wants, out, errs)
			}
			if bad := strings.Contains(out, "BAD"); bad != (code != 0) {
				t.Errorf("exit code %d with\n%s", code, out)
			}
		})
	}
}

// TestBundleIsClean holds that no file of a support bundle holds a password, from
// wherever it came.
func TestBundleIsClean(t *testing.T) {
	t.Parallel()
	const secret, urlSecret = "correct-horse-battery", "staple-in-the-address"
	r, err := daemon.StartRedis(t.TempDir(), "--requirepass", secret)
	if errors.Is(err, daemon.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Kill() })
	dir := t.TempDir()
	study := filepath.Join(dir, "plain.yaml")
	if err := os.WriteFile(study, []byte(idleStudy("plain", 4, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	good := "redis://" + r.Addr
	for _, c := range []struct {
		name string
		env  []string
		knew bool // it reached the store
	}{
		{"password in the environment", []string{"OVERNIGHT_REDIS_PASSWORD=" + secret, "OVERNIGHT_CLUSTER=" + good}, true},
		{"password in the address", []string{"OVERNIGHT_REDIS_PASSWORD=" + secret, "OVERNIGHT_CLUSTER=redis://:" + urlSecret + "@" + r.Addr}, false},
		{"wrong password", []string{"OVERNIGHT_REDIS_PASSWORD=" + urlSecret, "OVERNIGHT_CLUSTER=" + good}, false},
		{"both addresses", []string{"OVERNIGHT_REDIS_PASSWORD=" + secret, "OVERNIGHT_STORE=redis://me:" + urlSecret + "@" + r.Addr, "OVERNIGHT_QUEUE=nats://me:" + urlSecret + "@127.0.0.1:1"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := func(args ...string) (string, string, int) {
				cmd := overnight(t.Context(), args...)
				cmd.Dir = dir
				cmd.Env = append(cmd.Env, c.env...)
				cmd.Env = append(cmd.Env, "OVERNIGHT_KEYS="+filepath.Join(dir, "keys"))
				return run(t, cmd)
			}
			if c.knew {
				if out, errs, code := in("run", study); code != 0 {
					t.Fatalf("run: exit code %d\n%s%s", code, out, errs)
				}
			}
			out, errs, code := in("support-bundle", "-o", "bundle.tar.gz")
			if code != 0 {
				t.Fatalf("exit code %d\n%s%s", code, out, errs)
			}
			files := untar(t, filepath.Join(dir, "bundle.tar.gz"))
			files["what it said"] = out + errs
			for name, text := range files {
				if strings.Contains(text, secret) || strings.Contains(text, urlSecret) {
					t.Errorf("%s holds a password:\n%s", name, text)
				}
			}
			for _, name := range []string{"version.txt", "settings.txt", "doctor.txt", "studies.json", "workers.json"} {
				if files["overnight-support/"+name] == "" {
					t.Errorf("no %s in the bundle", name)
				}
			}
			if text := files["overnight-support/settings.txt"]; !strings.Contains(text, "OVERNIGHT_REDIS_PASSWORD is set") || !strings.Contains(text, r.Addr) {
				t.Errorf("settings.txt holds\n%s", text)
			}
			if text := files["overnight-support/studies.json"]; strings.Contains(text, `"plain"`) != c.knew {
				t.Errorf("studies.json holds\n%s", text)
			}
		})
	}
}

// untar returns the files of a .tar.gz by name.
func untar(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(io.LimitReader(r, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = string(b)
	}
}
