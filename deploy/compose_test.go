package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// services returns the services of compose.yaml, merge keys resolved.
func services(t *testing.T) map[string]node {
	t.Helper()
	all := map[string]node{}
	for name, v := range mapping(t, "compose.yaml")["services"].(node) {
		s, ok := v.(node)
		if !ok {
			t.Fatalf("compose.yaml: %s is no mapping", name)
		}
		all[name] = s
	}
	return all
}

// environment returns the variables of a service.
func environment(s node) map[string]string {
	all := map[string]string{}
	m, _ := s["environment"].(node)
	for k := range m {
		all[k] = text(m, k)
	}
	return all
}

// runs tells whether a service is up when a profile is chosen.
func runs(s node, profile string) bool {
	p := words(s, "profiles")
	return len(p) == 0 || slices.Contains(p, profile)
}

func TestComposeForms(t *testing.T) {
	t.Parallel()
	all := services(t)
	up := func(profile string) []string {
		var names []string
		for name, s := range all {
			if runs(s, profile) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
	for profile, want := range map[string][]string{
		"asynq":     {"coordinator", "folders", "keys", "redis", "worker"},
		"jetstream": {"coordinator-jetstream", "folders", "keys", "nats", "redis", "worker-jetstream"},
		"metrics":   {"folders", "grafana", "keys", "prometheus", "redis"},
		"cli":       {"cli", "folders", "keys", "redis"},

		"cli-jetstream": {"cli-jetstream", "folders", "keys", "nats", "redis"},
	} {
		if got := up(profile); !slices.Equal(got, want) {
			t.Errorf("profile %s: %v, want %v", profile, got, want)
		}
	}
	for name, s := range all {
		if _, ok := s["container_name"]; ok {
			t.Errorf("%s has a container_name, which --scale refuses", name)
		}
		if strings.HasPrefix(name, "worker") && len(list(s, "ports")) > 0 {
			t.Errorf("%s publishes ports, which --scale refuses", name)
		}
	}
}

// Names in one part of the file stand in the part that declares them.
func TestComposeReferences(t *testing.T) {
	t.Parallel()
	file := mapping(t, "compose.yaml")
	declared := func(kind string) []string {
		return slices.Collect(maps.Keys(file[kind].(node)))
	}
	all := services(t)
	used := map[string]map[string]bool{"secrets": {}, "volumes": {}, "networks": {}}
	for name, s := range all {
		profiles := words(s, "profiles")
		if len(profiles) == 0 {
			profiles = []string{"asynq", "jetstream", "metrics", "cli", "cli-jetstream"}
		}
		for _, w := range append(words(s, "networks"), words(s, "secrets")...) {
			if !slices.Contains(declared("networks"), w) && !slices.Contains(declared("secrets"), w) {
				t.Errorf("%s uses %s, which is not declared", name, w)
			}
			used["secrets"][w], used["networks"][w] = true, true
		}
		for _, v := range words(s, "volumes") {
			src, _, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(src, ".") {
				if !slices.Contains(declared("volumes"), src) {
					t.Errorf("%s mounts the volume %s, which is not declared", name, src)
				}
				used["volumes"][src] = true
				continue
			}
			path := src
			if file, ok := strings.CutPrefix(src, "./secrets/"); ok {
				path = filepath.Join(secrets(t), file)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s mounts %s: %v", name, src, err)
			}
			if !strings.HasSuffix(v, ":ro") {
				t.Errorf("%s mounts %s, of this folder, for writing", name, v)
			}
		}
		after, _ := s["depends_on"].(node)
		for other, how := range after {
			o, ok := all[other]
			switch {
			case !ok:
				t.Errorf("%s depends on %s, which is not there", name, other)
			case slices.ContainsFunc(profiles, func(p string) bool { return !runs(o, p) }):
				t.Errorf("%s depends on %s, which not all of the profiles %v start", name, other, profiles)
			case text(how, "condition") == "service_healthy" && o["healthcheck"] == nil:
				t.Errorf("%s waits for %s to be healthy, which has no health check", name, other)
			}
		}
	}
	for kind, names := range used {
		for _, d := range declared(kind) {
			if !names[d] {
				t.Errorf("%s declares %s, which nobody uses", kind, d)
			}
		}
	}
}

// A value of the environment is never a secret, and each secret is a file that is
// mounted.
func TestComposeSecrets(t *testing.T) {
	t.Parallel()
	path := regexp.MustCompile(`/run/secrets/[\w.-]+`)
	for name, s := range services(t) {
		mounted := words(s, "secrets")
		uses := strings.Join(words(s, "command"), " ")
		for k, v := range environment(s) {
			uses += " " + v
			if strings.Contains(k, "PASSWORD") && !strings.HasSuffix(k, "_FILE") && !strings.HasSuffix(k, "__FILE") {
				t.Errorf("%s: %s stands in the environment: name a file with %s_FILE", name, k, k)
			}
			if strings.Contains(v, "@") {
				t.Errorf("%s: %s has credentials in its address", name, k)
			}
		}
		for _, p := range path.FindAllString(uses, -1) {
			if !slices.Contains(mounted, filepath.Base(p)) {
				t.Errorf("%s reads %s, which is not among its secrets", name, p)
			}
		}
		if strings.HasPrefix(name, "worker") {
			for _, m := range mounted {
				if strings.Contains(m, "coordinator") || strings.Contains(m, "admin") || strings.HasPrefix(m, "api") {
					t.Errorf("%s has the secret %s", name, m)
				}
			}
			for _, v := range words(s, "volumes") {
				if strings.HasPrefix(v, "signing:") {
					t.Errorf("%s mounts the signing key", name)
				}
			}
		}
	}
	made := secrets(t)
	for name, s := range mapping(t, "compose.yaml")["secrets"].(node) {
		if file := text(s, "file"); file != "./secrets/"+name {
			t.Errorf("secret %s comes from %s", name, file)
		}
		if _, err := os.Stat(filepath.Join(made, name)); err != nil {
			t.Errorf("secrets.sh does not make %s", name)
		}
	}
}

func TestComposeHardening(t *testing.T) {
	t.Parallel()
	for name, s := range services(t) {
		if text(s, "read_only") != "true" {
			t.Errorf("%s: its root can be written", name)
		}
		if !slices.Contains(words(s, "cap_drop"), "ALL") {
			t.Errorf("%s keeps capabilities", name)
		}
		if !slices.Contains(words(s, "security_opt"), "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", name)
		}
		if name != "folders" && !strings.Contains(text(s, "user"), "RUN_AS") {
			t.Errorf("%s runs as %q", name, text(s, "user"))
		}
		for _, p := range words(s, "ports") {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %s beyond this machine", name, p)
			}
		}
	}
}

func TestGraceIsLongerThanDrain(t *testing.T) {
	t.Parallel()
	seen := 0
	check := func(where, drain, grace string) {
		t.Helper()
		d, err := time.ParseDuration(drain)
		g, gerr := time.ParseDuration(grace)
		if err != nil || gerr != nil || g < d+10*time.Second {
			t.Errorf("%s: it is killed after %q, want at least 10 s more than its --drain-timeout %q", where, grace, drain)
		}
		seen++
	}
	for name, s := range services(t) {
		if d := option(words(s, "command"), "--drain-timeout"); d != "" {
			check("compose.yaml: "+name, d, text(s, "stop_grace_period"))
		}
	}
	for _, c := range containers(t) {
		if d := option(c.args, "--drain-timeout"); d != "" {
			check(c.where, d, text(c.pod, "terminationGracePeriodSeconds")+"s")
		}
	}
	for file, u := range units(t) {
		if d := option(strings.Fields(u.only(t, "ExecStart")), "--drain-timeout"); d != "" {
			check(file, d, u.only(t, "TimeoutStopSec"))
		}
	}
	if seen < 4 {
		t.Errorf("saw %d workers, want those of compose, kustomize and systemd", seen)
	}
}
