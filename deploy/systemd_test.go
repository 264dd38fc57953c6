package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unit is a systemd unit: values by key, in the order of the file.
type unit map[string][]string

func (u unit) only(t *testing.T, key string) string {
	t.Helper()
	if len(u[key]) != 1 {
		t.Fatalf("%s is given %d times, want once", key, len(u[key]))
	}
	return u[key][0]
}

func units(t *testing.T) map[string]unit {
	t.Helper()
	all := map[string]unit{}
	for _, file := range files(t, ".service") {
		u := unit{}
		for line := range strings.Lines(read(t, file)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "[") {
				continue
			}
			key, value, ok := strings.Cut(line, "=")
			if !ok {
				t.Errorf("%s: %q is no setting", file, line)
			}
			u[key] = append(u[key], value)
		}
		all[file] = u
	}
	return all
}

func TestUnits(t *testing.T) {
	t.Parallel()
	credential := regexp.MustCompile(`%d/([\w.-]+)`)
	for file, u := range units(t) {
		for key, want := range map[string]string{
			"DynamicUser": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "NoNewPrivileges": "yes",
			"CapabilityBoundingSet": "", "KillSignal": "SIGTERM", "KillMode": "mixed", "Restart": "always", "SystemCallFilter": "@system-service",
		} {
			if got := u.only(t, key); got != want {
				t.Errorf("%s: %s=%s, want %s", file, key, got, want)
			}
		}
		var loaded []string
		for _, l := range u["LoadCredential"] {
			name, _, _ := strings.Cut(l, ":")
			loaded = append(loaded, name)
		}
		used := u.only(t, "ExecStart") + " " + strings.Join(u["Environment"], " ")
		for _, m := range credential.FindAllStringSubmatch(used, -1) {
			if !slices.Contains(loaded, m[1]) {
				t.Errorf("%s names the credential %s, which it does not load", file, m[1])
			}
		}
		if strings.Contains(file, "worker") && slices.Contains(loaded, "signing.key") {
			t.Errorf("%s loads the signing key, which a worker has no use for", file)
		}
	}
}

// systemd reads the units as it would on a machine where the program is installed.
func TestUnitsVerify(t *testing.T) {
	t.Parallel()
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: units are parsed, not verified")
	}
	dir := t.TempDir()
	var paths []string
	write := func(name, src string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for file := range units(t) {
		src := strings.ReplaceAll(read(t, file), "/usr/local/bin/overnight", program(t))
		write(strings.Replace(filepath.Base(file), "@", "@9101", 1), src)
	}
	check := func() string {
		out, err := exec.Command(verify, append([]string{"verify", "--man=no"}, paths...)...).CombinedOutput()
		if err != nil && len(out) == 0 {
			t.Skipf("systemd-analyze does not work here: %v", err)
		}
		return string(out)
	}
	if out := check(); out != "" {
		t.Errorf("systemd-analyze verify:\n%s", out)
	}
	write("overnight-broken.service", "[Service]\nExecStart=/no/such/program\n")
	if out := check(); !strings.Contains(out, "/no/such/program") {
		t.Errorf("a broken unit passes: %q", out)
	}
}
