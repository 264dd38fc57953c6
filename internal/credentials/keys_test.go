package credentials

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"overnight/jobs"
)

// job is signed by dir's key and opened with the trusted ones of file.
func roundTrip(t *testing.T, dir, file string) error {
	t.Helper()
	key, err := LoadSigning(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := LoadTrusted(nil, file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := jobs.Signed{Key: key}.Seal(jobs.Job{ID: "1", Engine: 1, Study: "s", Trials: []jobs.Range{{From: 0, To: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = jobs.Signed{Trusted: trusted}.Open(b)
	return err
}

// TestMakeSigning makes a pair in two processes' stead many times at once: one key
// comes out, pinned once, and nothing changes when it is called again.
func TestMakeSigning(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "keys")
	errs := make(chan error)
	for range 16 {
		go func() { errs <- MakeSigning(dir, "host a") }()
	}
	for range 16 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	signing, trusted := filepath.Join(dir, SigningFile), filepath.Join(dir, TrustedFile)
	if info, err := os.Stat(signing); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v, want mode 0600", info.Mode(), err)
	}
	before, err := os.ReadFile(trusted)
	if err != nil || strings.Count(string(before), "\ned25519 ") != 1 {
		t.Errorf("%s %v: want one key", before, err)
	}
	if err := MakeSigning(dir, "host b"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, ".lock")); err != nil {
		t.Fatal(err)
	}
	if err := MakeSigning(dir, "host b"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".lock")); err == nil {
		t.Error("wrote into a folder that has both files: it may be read-only")
	}
	if after, _ := os.ReadFile(trusted); string(after) != string(before) {
		t.Errorf("trusted changed from\n%s to\n%s", before, after)
	}
	if err := roundTrip(t, dir, trusted); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestMakeSigningKeeps holds that what is there is never replaced: others' lines
// of trusted stay, and a key that can't be read is an error.
func TestMakeSigningKeeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := TrustedLine(make([]byte, ed25519.PublicKeySize), "somebody")
	write(t, filepath.Join(dir, TrustedFile), "# ours\n"+strings.TrimSpace(other), 0o644)
	if err := MakeSigning(dir, "here"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, TrustedFile))
	if err != nil || !strings.HasPrefix(string(text), "# ours\n"+other) || strings.Count(string(text), "\n") != 3 {
		t.Errorf("%s %v: want the line of before and ours", text, err)
	}
	for name, text := range map[string]string{SigningFile: "not a key", TrustedFile: "rsa AAAA\n"} {
		path := filepath.Join(dir, name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, text, 0o600)
		if err := MakeSigning(dir, "here"); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), text) {
			t.Errorf("%s is garbage: got %v, want an error that names it", name, err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("%s was replaced", name)
		}
		write(t, path, string(before), 0o600)
	}
}

func TestSigningForms(t *testing.T) {
	t.Parallel()
	seed := sha256.Sum256([]byte("seed"))
	text := base64.StdEncoding.EncodeToString(seed[:])
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"seed":           {text, true},
		"newlines":       {"\n" + text + "\n", true},
		"short":          {text[4:], false},
		"two":            {text + text, false},
		"public PEM":     {"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n", false},
		"PEM of nothing": {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", false},
		// RFC 8410, section 10.3.
		"PEM": {"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n", true},
	} {
		key, err := parseSigning([]byte(c.text))
		if (err == nil) != c.ok || c.ok != (len(key) == ed25519.PrivateKeySize) {
			t.Errorf("%s: got %v, want a key: %v", name, err, c.ok)
		}
		if err != nil && strings.Contains(err.Error(), text[4:]) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
}

// TestOpenSSL holds the commands of docs/security.md: a key that openssl makes
// signs, and the line made of its public half is trusted.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-ec", `umask 077
openssl genpkey -algorithm ed25519 -out signing.key
echo "ed25519 $(openssl pkey -in signing.key -pubout -outform DER | tail -c 32 | base64) serve-2" >> trusted`)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := roundTrip(t, dir, filepath.Join(dir, TrustedFile)); err != nil {
		t.Error(err)
	}
}

// TestKeyRotation signs with an old and then a new key while workers run: with
// both lines in trusted no job is refused, and with the old line gone the old key
// is.
func TestKeyRotation(t *testing.T) {
	old, fresh := t.TempDir(), t.TempDir()
	for _, dir := range []string{old, fresh} {
		if err := MakeSigning(dir, "serve"); err != nil {
			t.Fatal(err)
		}
	}
	lines := func(dirs ...string) string {
		text := "# keys\n"
		for _, dir := range dirs {
			key, err := LoadSigning(nil, dir)
			if err != nil {
				t.Fatal(err)
			}
			text += TrustedLine(key().Public().(ed25519.PublicKey), "serve")
		}
		return text
	}
	at := t.TempDir()
	signing, trust := filepath.Join(at, SigningFile), filepath.Join(at, TrustedFile)
	copyKey := func(dir string) {
		b, err := os.ReadFile(filepath.Join(dir, SigningFile))
		if err != nil {
			t.Fatal(err)
		}
		write(t, signing, string(b), 0o600)
	}
	copyKey(old)
	write(t, trust, lines(old), 0o644)
	synctest.Test(t, func(t *testing.T) {
		key, err := LoadSigning(nil, at)
		if err != nil {
			t.Fatal(err)
		}
		trusted, err := LoadTrusted(nil, trust)
		if err != nil {
			t.Fatal(err)
		}
		codec := jobs.Signed{Key: key, Trusted: trusted}
		job := jobs.Job{ID: "1", Engine: 1, Study: "s", Trials: []jobs.Range{{From: 0, To: 1}}}
		first, err := codec.Seal(job)
		if err != nil {
			t.Fatal(err)
		}
		for i, step := range []struct {
			do   func()
			want bool // first opens
		}{
			{func() {}, true},
			{func() { write(t, trust, lines(old, fresh), 0o644) }, true},
			{func() { copyKey(fresh) }, true},
			{func() { write(t, trust, lines(fresh), 0o644) }, false},
			{func() { write(t, trust, lines(old)+"garbage\n", 0o644) }, false}, // refused whole
		} {
			step.do()
			time.Sleep(lookEvery)
			b, err := codec.Seal(job)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := codec.Open(b); err != nil {
				t.Errorf("step %d: a job of now: %v", i, err)
			}
			if _, err := codec.Open(first); (err == nil) != step.want {
				t.Errorf("step %d: a job of the first key: %v, want it opened: %v", i, err, step.want)
			}
		}
	})
}

func TestParseTrusted(t *testing.T) {
	t.Parallel()
	line := TrustedLine(make([]byte, 32), "a  b\nc")
	if want := "ed25519 " + strings.Repeat("A", 43) + "= a b c\n"; line != want {
		t.Errorf("got %q, want %q", line, want)
	}
	for text, want := range map[string]int{
		"# nobody\n":                          0,
		"\n  # x\n" + line + line:             1,
		"\t" + line:                           1,
		"":                                    -1,
		"ed25519\n":                           -1,
		"ED25519 " + line[8:]:                 -1,
		"ed25519 AAAA= x\n":                   -1,
		"ed25519 " + strings.Repeat("A", 43):  -1,
		line + "ssh-ed25519 AAAA\n":           -1,
		strings.TrimSpace(line) + "\xff\n":    -1,
		"ed25519 " + strings.Repeat("A", 88):  -1,
		"ed25519 " + strings.Repeat("!", 44):  -1,
		"ed25519 " + line[8:50] + "B= spoilt": -1,
	} {
		keys, err := ParseTrusted([]byte(text))
		got := len(keys)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: got %d keys and %v, want %d", text, got, err, want)
		}
	}
}

// FuzzParseTrusted holds that whatever is accepted is whole keys, which written
// anew are read as the same.
func FuzzParseTrusted(f *testing.F) {
	line := TrustedLine(make([]byte, 32), "somebody")
	f.Add([]byte(line))
	f.Add([]byte("# x\n\n" + line + line))
	f.Add([]byte("ed25519 AAAA"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseTrusted(text)
		if err != nil {
			return
		}
		again := "#\n"
		for _, k := range keys {
			if len(k) != ed25519.PublicKeySize {
				t.Fatalf("a key of %d bytes", len(k))
			}
			again += TrustedLine(k, "x")
		}
		got, err := ParseTrusted([]byte(again))
		if err != nil || len(got) != len(keys) {
			t.Fatalf("%d keys became %d: %v", len(keys), len(got), err)
		}
	})
}
