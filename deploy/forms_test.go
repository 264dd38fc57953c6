package deploy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"overnight/internal/daemon"
)

// Both forms of compose.yaml run a study: their services as processes, with the
// command lines, variables and secrets that they have there, against servers with
// the configuration and the users of this folder.
func TestForms(t *testing.T) {
	t.Parallel()
	for form, suffix := range map[string]string{"asynq": "", "jetstream": "-jetstream"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			f := newForm(t, suffix == "-jetstream")
			coordinator := f.start(t, "coordinator"+suffix)
			workers := []*daemon.Process{f.start(t, "worker"+suffix), f.start(t, "worker"+suffix)}
			f.cli(t, suffix, "submit", "study.yaml")
			want := f.reference(t)
			end := time.Now().Add(60 * time.Second)
			for {
				got, err := f.try(suffix, "digest", "deployed")
				if err == nil {
					if got != want {
						t.Errorf("digest %s, want %s as on one machine", got, want)
					}
					break
				}
				if time.Now().After(end) {
					t.Fatalf("not finished: %v\nRedis denied: %v\n%s", err, denied(t, f.redis.as(t, "overnight-admin", f.secret(t, "redis-admin"))), f.logs(t))
				}
				<-time.After(100 * time.Millisecond)
			}
			f.cli(t, suffix, "doctor")
			shown(t, f.metrics...)
			for _, p := range append(workers, coordinator) {
				if err := p.Stop(20 * time.Second); err != nil {
					t.Errorf("SIGTERM: %v\n%s", err, f.logs(t))
				}
			}
			if d := denied(t, f.redis.as(t, "overnight-admin", f.secret(t, "redis-admin"))); len(d) > 0 {
				t.Errorf("Redis denied: %v", d)
			}
			if log := f.logs(t); strings.Contains(log, "ermissions violation") {
				t.Errorf("NATS denied something:\n%s", log)
			}
		})
	}
}

const deployed = `study: deployed
env: {name: function, function: noop, x1: {grid: [1, 2, 3, 4]}}
agents: [{name: random}]
replications: 50
`

// form is the engines of one form, and what the services see of them.
type form struct {
	redis   redisUnderTest
	nats    natsUnderTest
	dir     string // a work folder: logs, keys, the study
	secrets string
	n       int      // processes
	metrics []string // their addresses

	services map[string]node
	program  string
}

func newForm(t *testing.T, jetstream bool) *form {
	t.Helper()
	f := &form{secrets: secrets(t), dir: t.TempDir(), services: services(t), program: program(t)}
	f.redis = startRedisWith(t, f.secrets)
	if jetstream {
		f.nats = startNATSWith(t, read(t, filepath.Join(f.secrets, "nats-keys.conf")))
	}
	// What the service keys does.
	for file, mode := range map[string]os.FileMode{"keys/signing.key": 0o600, "keys/trusted": 0o644, "trust/trusted": 0o644} {
		dir := filepath.Join(f.dir, filepath.Dir(file))
		if err := errors.Join(os.MkdirAll(dir, 0o755),
			os.WriteFile(filepath.Join(f.dir, file), []byte(read(t, filepath.Join(f.secrets, filepath.Base(file)))), mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(f.dir, "study.yaml"), []byte(deployed), 0o644); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *form) secret(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(read(t, filepath.Join(f.secrets, name)))
}

// here puts this machine's addresses and folders in the place of a container's.
func (f *form) here(s string) string {
	return strings.NewReplacer(
		"redis://redis:6379", "redis://"+f.redis.addr, "nats://nats:4222", f.nats.url,
		"/run/secrets/", f.secrets+"/", "/trust/", filepath.Join(f.dir, "trust")+"/", "/keys", filepath.Join(f.dir, "keys"),
	).Replace(s)
}

// environment returns a service's variables, and no others of ours.
func (f *form) environment(s node) []string {
	var all []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "OVERNIGHT_") {
			all = append(all, v)
		}
	}
	for k, v := range environment(s) {
		all = append(all, k+"="+f.here(v))
	}
	return all
}

// start runs a service until the test ends, and waits until it is healthy.
func (f *form) start(t *testing.T, service string) *daemon.Process {
	t.Helper()
	s := f.services[service]
	var args []string
	metrics := ""
	for _, w := range words(s, "command") {
		if strings.HasPrefix(w, ":") {
			port, err := daemon.FreePort()
			if err != nil {
				t.Fatal(err)
			}
			addr := "127.0.0.1:" + strconv.Itoa(port)
			if args[len(args)-1] == "--metrics" {
				metrics = addr
			}
			w = addr
		}
		args = append(args, f.here(w))
	}
	f.n++
	f.metrics = append(f.metrics, metrics)
	dir := filepath.Join(f.dir, fmt.Sprint(f.n)) // its /data
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := daemon.Start(filepath.Join(f.dir, fmt.Sprintf("%d-%s.log", f.n, service)), append(f.environment(s), "PWD="+dir), "env", append([]string{"-C", dir, f.program}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	end := time.Now().Add(30 * time.Second)
	for {
		out, err := exec.Command(f.program, "health", metrics).CombinedOutput()
		if err == nil {
			return p
		}
		select {
		case <-p.Done():
			t.Fatalf("%s ended: %v\n%s", service, p.Err(), f.logs(t))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not healthy: %s\n%s", service, out, f.logs(t))
		}
	}
}

// try runs a command as the service cli does.
func (f *form) try(suffix string, args ...string) (string, error) {
	s := f.services["cli"+suffix]
	cmd := exec.Command(f.program, args...)
	cmd.Dir, cmd.Env = f.dir, f.environment(s)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("overnight %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), err
}

func (f *form) cli(t *testing.T, suffix string, args ...string) {
	t.Helper()
	if _, err := f.try(suffix, args...); err != nil {
		t.Errorf("%v\n%s", err, f.logs(t))
	}
}

// reference is the study's digest from a run in one process.
func (f *form) reference(t *testing.T) string {
	t.Helper()
	for _, args := range [][]string{{"run", "study.yaml", "-q", "--store", "alone"}, {"digest", "deployed", "--store", "alone"}} {
		cmd := exec.Command(f.program, args...)
		cmd.Dir, cmd.Env = f.dir, f.environment(nil)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("overnight %s: %v", strings.Join(args, " "), err)
		}
		if args[0] == "digest" {
			return strings.TrimSpace(string(out))
		}
	}
	return ""
}

func (f *form) logs(t *testing.T) string {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(f.dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range logs {
		text := read(t, l)
		if len(text) > 4000 {
			text = text[:2000] + "\n...\n" + text[len(text)-2000:]
		}
		fmt.Fprintf(&b, "%s:\n%s\n", filepath.Base(l), text)
	}
	return b.String()
}
