package deploy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is one of a Dockerfile, its lines joined.
type instruction struct{ name, rest string }

func dockerfile(t *testing.T) []instruction {
	t.Helper()
	var all []instruction
	src := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(read(t, "Dockerfile"), "")
	for line := range strings.Lines(strings.ReplaceAll(src, "\\\n", " ")) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all = append(all, instruction{name, strings.Join(strings.Fields(rest), " ")})
		}
	}
	return all
}

// instructions returns what stands behind the instructions of a name.
func instructions(t *testing.T, name string) []string {
	t.Helper()
	var all []string
	for _, in := range dockerfile(t) {
		if in.name == name {
			all = append(all, in.rest)
		}
	}
	return all
}

// exec reads the form ["a", "b"].
func execForm(t *testing.T, s string) []string {
	t.Helper()
	var all []string
	_, list, _ := strings.Cut(s, "[")
	if err := json.Unmarshal([]byte("["+list), &all); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return all
}

// dockerCommands are the command lines that the image runs.
func dockerCommands(t *testing.T) [][]string {
	t.Helper()
	entry, cmd, health := instructions(t, "ENTRYPOINT"), instructions(t, "CMD"), instructions(t, "HEALTHCHECK")
	if len(entry) != 1 || len(cmd) != 1 || len(health) != 1 {
		t.Fatalf("got %d ENTRYPOINT, %d CMD, %d HEALTHCHECK, want one of each", len(entry), len(cmd), len(health))
	}
	if got := execForm(t, entry[0]); !slices.Equal(got, []string{"overnight"}) {
		t.Errorf("ENTRYPOINT is %q, want the program alone", got)
	}
	check := execForm(t, health[0])
	if check[0] != "overnight" {
		t.Errorf("HEALTHCHECK runs %s, which is not in the image", check[0])
	}
	return [][]string{execForm(t, cmd[0]), check[1:]}
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	from := instructions(t, "FROM")
	if len(from) != 2 || from[1] != "scratch" || !strings.Contains(from[0], "golang:"+goVersion(t)) {
		t.Errorf("FROM %q, want golang:%s as in go.mod, then scratch", from, goVersion(t))
	}
	build := strings.Join(instructions(t, "RUN"), "\n")
	for _, want := range []string{"CGO_ENABLED=0", "-trimpath", "./cmd/overnight"} {
		if !strings.Contains(build, want) {
			t.Errorf("the build does not say %s", want)
		}
	}
	user := instructions(t, "USER")
	if len(user) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user[0]) {
		t.Errorf("USER %q, want one numeric user and group that are not root (runAsNonRoot checks the number)", user)
	}
	for _, copied := range instructions(t, "COPY") {
		if src, ok := strings.CutPrefix(copied, "--from="); ok && !strings.HasPrefix(src, "build ") {
			t.Errorf("COPY %s: from another stage than build", copied)
		}
	}
}

var goMod = regexp.MustCompile(`(?m)^go (\d+\.\d+)`)

// goVersion is the language version of go.mod, which is enough for an image's tag.
func goVersion(t *testing.T) string {
	t.Helper()
	m := goMod.FindStringSubmatch(read(t, "../go.mod"))
	if m == nil {
		t.Fatal("go.mod names no version")
	}
	return m[1]
}

func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	images := map[string]string{}
	for _, from := range instructions(t, "FROM") {
		f := strings.Fields(from)
		f = slices.DeleteFunc(f, func(w string) bool { return strings.HasPrefix(w, "--") })
		if f[0] != "scratch" {
			images[f[0]] = "Dockerfile"
		}
	}
	for name, s := range services(t) {
		images[text(s, "image")] = "compose.yaml: " + name
	}
	for _, c := range containers(t) {
		if c.image != "overnight" { // its tag stands in the kustomization
			images[c.image] = c.where
		}
	}
	own := mapping(t, "kustomize/base/kustomization.yaml")
	images["overnight:"+text(own, "images", 0, "newTag")] = "kustomize/base/kustomization.yaml"
	tag := regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+[\w.-]*$`)
	names := map[string]string{}
	for image, where := range images {
		if !tag.MatchString(image) {
			t.Errorf("%s: the image %s is not pinned to a version", where, image)
		}
		name, version, _ := strings.Cut(image, ":")
		if other, ok := names[name]; ok && other != version {
			t.Errorf("%s: the image %s has the tags %s and %s", where, name, version, other)
		}
		names[name] = version
	}
	nats := regexp.MustCompile(`nats-io/nats-server/v2 v(\S+)`).FindStringSubmatch(read(t, "../go.mod"))
	if want := nats[1] + "-alpine"; names["nats"] != want {
		t.Errorf("the image of nats has the tag %s, want %s, the version that the tests run", names["nats"], want)
	}
}
