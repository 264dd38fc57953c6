package deploy

import (
	"crypto/ed25519"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/nats-io/nkeys"

	"overnight/internal/credentials"
)

// scratch is a folder of this test binary, removed when it ends.
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "overnight-deploy-") })

// makeSecrets runs secrets.sh once, in the scratch folder.
var makeSecrets = sync.OnceValues(func() (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	out, err := exec.Command("sh", "secrets.sh", filepath.Join(dir, "secrets"), filepath.Join(dir, "env")).CombinedOutput()
	if err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return filepath.Join(dir, "secrets"), nil
})

// secrets returns the folder that secrets.sh made.
func secrets(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed: secrets.sh is not tried")
	}
	dir, err := makeSecrets()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// kubernetesSecrets returns the keys of each secret that kubernetes.sh prints.
func kubernetesSecrets(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("sh", "kubernetes.sh", secrets(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for d := yaml.NewDecoder(strings.NewReader(string(out))); ; {
		var s struct {
			Kind     string
			Metadata struct{ Name, Namespace string }
			Data     map[string]string
		}
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if s.Kind != "Secret" || s.Metadata.Namespace != "overnight" {
			t.Errorf("kubernetes.sh prints a %s of namespace %s", s.Kind, s.Metadata.Namespace)
		}
		for name, value := range s.Data {
			b, err := base64.StdEncoding.DecodeString(value)
			if want := read(t, filepath.Join(secrets(t), name)); err != nil || string(b) != want {
				t.Errorf("secret %s: %s is not what secrets.sh made: %v", s.Metadata.Name, name, err)
			}
			all[s.Metadata.Name] = append(all[s.Metadata.Name], name)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := secrets(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, want nothing for others", e.Name(), info.Mode())
		}
		before[e.Name()] = read(t, filepath.Join(dir, e.Name()))
	}
	if len(before) < 12 {
		t.Errorf("made %d files, want all", len(before))
	}
	if env := read(t, filepath.Join(filepath.Dir(dir), "env")); !regexp.MustCompile(`^COMPOSE_PROFILES=asynq\nRUN_AS=[1-9]\d*:[1-9]\d*\n$`).MatchString(env) {
		t.Errorf(".env is %q, want the form and a user that is not root", env)
	}
	if out, err := exec.Command("sh", "secrets.sh", dir, filepath.Join(filepath.Dir(dir), "env")).CombinedOutput(); err != nil {
		t.Fatalf("once more: %v\n%s", err, out)
	}
	for name, want := range before {
		if got := read(t, filepath.Join(dir, name)); got != want {
			t.Errorf("once more, %s has changed", name)
		}
	}
	ignored := read(t, ".gitignore")
	for _, want := range []string{"/secrets/\n", "/.env\n"} {
		if !strings.Contains(ignored, want) {
			t.Errorf(".gitignore does not say %s", want)
		}
	}
}

// What the script makes is what the program reads.
func TestSecretsAreUsable(t *testing.T) {
	t.Parallel()
	dir := secrets(t)
	sign, err := credentials.LoadSigning(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := credentials.LoadTrusted(nil, filepath.Join(dir, "trusted"))
	if err != nil {
		t.Fatal(err)
	}
	own := sign().Public().(ed25519.PublicKey)
	if !slices.ContainsFunc(trusted(), func(k ed25519.PublicKey) bool { return own.Equal(k) }) {
		t.Error("the signing key is not the trusted one")
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, "api.crt"), filepath.Join(dir, "api.key")); err != nil {
		t.Error(err)
	}
	keys := read(t, filepath.Join(dir, "nats-keys.conf"))
	for _, name := range []string{"coordinator", "worker"} {
		key, err := nkeys.ParseDecoratedUserNKey([]byte(read(t, filepath.Join(dir, "nats-"+name))))
		if err != nil {
			t.Fatal(err)
		}
		public, err := key.PublicKey()
		if line := strings.ToUpper(name) + ` = "` + public + `"`; err != nil || !strings.Contains(keys, line+"\n") {
			t.Errorf("nats-keys.conf has no line %s: %v", line, err)
		}
	}
}
