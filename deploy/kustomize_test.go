package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// overlays are the forms that are applied.
var overlays = []string{"kustomize/overlays/redis", "kustomize/overlays/nats"}

// resources returns the objects of a kustomization and of what it builds on, by
// file.
func resources(t *testing.T, dir string) map[string][]node {
	t.Helper()
	all := map[string][]node{}
	for _, r := range words(mapping(t, filepath.Join(dir, "kustomization.yaml")), "resources") {
		path := filepath.Join(dir, r)
		info, err := os.Stat(path)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		if info.IsDir() {
			for file, objects := range resources(t, path) {
				all[file] = objects
			}
			continue
		}
		for _, o := range documents(t, path) {
			m, ok := o.(node)
			if !ok || text(m, "kind") == "" || text(m, "apiVersion") == "" || text(m, "metadata", "name") == "" {
				t.Errorf("%s: an object has no kind, apiVersion or name", path)
				continue
			}
			all[path] = append(all[path], m)
		}
	}
	return all
}

// container is one of a pod that the manifests make.
type container struct {
	where string
	image string
	args  []string
	env   map[string]string
	pod   node // its spec
	spec  node
	role  string // the label component
}

// containers returns those of all manifests, with what each overlay patches into
// them.
func containers(t *testing.T) []container {
	t.Helper()
	var all []container
	for _, overlay := range overlays {
		for file, objects := range resources(t, overlay) {
			for _, o := range objects {
				pod, ok := at(o, "spec", "template", "spec").(node)
				if !ok {
					continue
				}
				for _, c := range append(list(pod, "containers"), list(pod, "initContainers")...) {
					name := text(o, "metadata", "name")
					it := container{
						where: overlay + ": " + file + ": " + name, image: text(c, "image"), args: words(c, "args"),
						env: map[string]string{}, pod: pod, spec: c.(node),
						role: text(o, "spec", "template", "metadata", "labels", "app.kubernetes.io/component"),
					}
					for _, e := range append(list(c, "env"), patched(t, overlay, text(o, "kind"), name)...) {
						it.env[text(e, "name")] = text(e, "value")
					}
					all = append(all, it)
				}
			}
		}
	}
	if len(all) < 7 {
		t.Fatalf("saw %d containers, want those of both overlays", len(all))
	}
	return all
}

// patched returns the variables that an overlay adds to an object.
func patched(t *testing.T, overlay, kind, name string) []any {
	t.Helper()
	var all []any
	for _, p := range list(mapping(t, filepath.Join(overlay, "kustomization.yaml")), "patches") {
		target, err := regexp.Compile("^" + text(p, "target", "name") + "$")
		if err != nil {
			t.Fatal(err)
		}
		if text(p, "target", "kind") != kind || !target.MatchString(name) {
			continue
		}
		file := filepath.Join(overlay, text(p, "path"))
		for _, op := range documents(t, file)[0].([]any) {
			if text(op, "op") != "add" || text(op, "path") != "/spec/template/spec/containers/0/env/-" {
				t.Errorf("%s: this test knows only additions to env, not %s %s", file, text(op, "op"), text(op, "path"))
			}
			all = append(all, at(op, "value"))
		}
	}
	return all
}

func TestKustomizations(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, file := range files(t, "kustomization.yaml") {
		k := mapping(t, file)
		dir := filepath.Dir(file)
		if text(k, "kind") != "Kustomization" {
			t.Errorf("%s: kind is %q", file, text(k, "kind"))
		}
		for _, g := range list(k, "configMapGenerator") {
			for _, f := range words(g, "files") {
				if strings.Contains(f, "..") {
					t.Errorf("%s: kustomize refuses %s, which is outside its folder", file, f)
				}
				if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
		for _, p := range list(k, "patches") {
			if _, err := os.Stat(filepath.Join(dir, text(p, "path"))); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			matched := 0
			for _, objects := range resources(t, dir) {
				for _, o := range objects {
					if text(o, "kind") == text(p, "target", "kind") && regexp.MustCompile("^"+text(p, "target", "name")+"$").MatchString(text(o, "metadata", "name")) {
						matched++
					}
				}
			}
			if matched == 0 {
				t.Errorf("%s: the patch %s matches nothing", file, text(p, "path"))
			}
		}
		seen++
	}
	if seen != 5 {
		t.Errorf("saw %d kustomizations, want base, redis, nats and two overlays", seen)
	}
}

func TestPodsAreHardened(t *testing.T) {
	t.Parallel()
	for _, c := range containers(t) {
		for _, want := range []struct {
			path []any
			of   node
			want string
		}{
			{[]any{"securityContext", "runAsNonRoot"}, c.pod, "true"},
			{[]any{"securityContext", "seccompProfile", "type"}, c.pod, "RuntimeDefault"},
			{[]any{"automountServiceAccountToken"}, c.pod, "false"},
			{[]any{"securityContext", "readOnlyRootFilesystem"}, c.spec, "true"},
			{[]any{"securityContext", "allowPrivilegeEscalation"}, c.spec, "false"},
			{[]any{"securityContext", "capabilities", "drop"}, c.spec, "[ALL]"},
		} {
			if got := text(want.of, want.path...); got != want.want {
				t.Errorf("%s: %v is %q, want %q", c.where, want.path, got, want.want)
			}
		}
		if u := text(c.pod, "securityContext", "runAsUser"); u == "" || u == "0" {
			t.Errorf("%s: runAsUser is %q", c.where, u)
		}
		for _, r := range []string{"cpu", "memory"} {
			if text(c.spec, "resources", "requests", r) == "" {
				t.Errorf("%s requests no %s", c.where, r)
			}
		}
		if text(c.spec, "resources", "limits", "memory") == "" {
			t.Errorf("%s has no limit of memory", c.where)
		}
		for _, p := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
			if at(c.spec, p) == nil {
				t.Errorf("%s has no %s", c.where, p)
			}
			if path := text(c.spec, p, "httpGet", "path"); path != "" {
				want := map[string]string{"readinessProbe": "/readyz"}[p]
				if want == "" {
					want = "/livez"
				}
				if port := text(c.spec, p, "httpGet", "port"); path != want || port != "metrics" {
					t.Errorf("%s: %s asks %s on port %s, want %s on metrics", c.where, p, path, port, want)
				}
			}
		}
		// The image writes to /data and /tmp, and its root is read-only.
		if c.image == "overnight" {
			for _, dir := range []string{"/data", "/tmp"} {
				if !slices.ContainsFunc(list(c.spec, "volumeMounts"), func(m any) bool { return text(m, "mountPath") == dir }) {
					t.Errorf("%s mounts nothing at %s", c.where, dir)
				}
			}
			if user := instructions(t, "USER"); !strings.HasPrefix(user[0], text(c.pod, "securityContext", "runAsUser")+":") {
				t.Errorf("%s runs as another user than the image's %s", c.where, user)
			}
		}
	}
}

// Volumes that are mounted are declared; what they hold is made by somebody, and
// files that are named lie in one of them.
func TestPodVolumes(t *testing.T) {
	t.Parallel()
	made := kubernetesSecrets(t)
	path := regexp.MustCompile(`/(?:etc/overnight|etc/nats|run)/[\w./-]+`)
	for _, c := range containers(t) {
		volumes := map[string]node{}
		for _, v := range append(list(c.pod, "volumes"), claims(t, c)...) {
			volumes[text(v, "name")] = v.(node)
		}
		mounts := map[string]node{} // by path
		for _, m := range list(c.spec, "volumeMounts") {
			v, ok := volumes[text(m, "name")]
			if !ok {
				t.Errorf("%s mounts %s, which is not declared", c.where, text(m, "name"))
			}
			mounts[text(m, "mountPath")] = v
		}
		for _, v := range volumes {
			secret := text(v, "secret", "secretName")
			if p := list(v, "projected", "sources"); len(p) == 2 {
				secret = text(p[1], "secret", "name")
				if key := text(p[1], "secret", "items", 0, "key"); !slices.Contains(made[secret], key) {
					t.Errorf("%s projects %s of the secret %s, which has no such key", c.where, key, secret)
				}
			}
			if secret == "" {
				continue
			}
			if made[secret] == nil {
				t.Errorf("%s mounts the secret %s, which kubernetes.sh does not make", c.where, secret)
			}
			if c.role == "worker" && secret != "overnight-worker" && secret != "overnight-trust" {
				t.Errorf("%s: a worker mounts the secret %s", c.where, secret)
			}
		}
		named := strings.Join(c.args, " ")
		for _, v := range c.env {
			named += " " + v
		}
		for _, file := range path.FindAllString(named, -1) {
			v, name := mounts[filepath.Dir(file)], filepath.Base(file)
			if v == nil && mounts[file] != nil {
				continue // a folder
			}
			secret := text(v, "secret", "secretName")
			if !slices.Contains(made[secret], name) {
				t.Errorf("%s names %s, which no secret holds", c.where, file)
			}
		}
	}
}

// claims returns the volumes that a StatefulSet makes for its pods.
func claims(t *testing.T, c container) []any {
	t.Helper()
	var all []any
	for _, overlay := range overlays {
		for _, objects := range resources(t, overlay) {
			for _, o := range objects {
				if text(o, "spec", "template", "metadata", "labels", "app.kubernetes.io/component") != c.role {
					continue
				}
				for _, v := range list(o, "spec", "volumeClaimTemplates") {
					all = append(all, node{"name": text(v, "metadata", "name")})
				}
			}
		}
	}
	return all
}

func TestScaling(t *testing.T) {
	t.Parallel()
	objects := resources(t, "kustomize/base")
	var scaled node
	names := map[string]string{} // kind by name
	budgets := map[string]bool{}
	for _, list := range objects {
		for _, o := range list {
			switch text(o, "kind") {
			case "ScaledObject":
				scaled = o
			case "PodDisruptionBudget":
				budgets[text(o, "spec", "selector", "matchLabels", "app.kubernetes.io/component")] = true
			case "Deployment":
				names[text(o, "metadata", "name")] = "Deployment"
				if text(o, "spec", "replicas") != "" && strings.Contains(text(o, "metadata", "name"), "worker") {
					t.Error("the workers' Deployment says replicas, which undoes KEDA's at every apply")
				}
				if text(o, "metadata", "name") == "overnight-coordinator" && text(o, "spec", "replicas") != "2" {
					t.Errorf("coordinator has %s replicas, want 2", text(o, "spec", "replicas"))
				}
			}
		}
	}
	if target := text(scaled, "spec", "scaleTargetRef", "name"); names[target] != "Deployment" {
		t.Errorf("the ScaledObject scales %q, which is no Deployment here", target)
	}
	query := text(scaled, "spec", "triggers", 0, "metadata", "query")
	if text(scaled, "spec", "triggers", 0, "type") != "prometheus" || !strings.Contains(query, "overnight_trials_pending") {
		t.Errorf("the trigger is %q, want prometheus with overnight_trials_pending", query)
	}
	if !budgets["coordinator"] || !budgets["worker"] {
		t.Errorf("disruption budgets for %v, want coordinator and worker", budgets)
	}
}
