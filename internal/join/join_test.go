package join

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nkeys"
)

func identity(t testing.TB, dir string) *Identity {
	t.Helper()
	id, err := Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func trusted(t testing.TB) ed25519.PublicKey {
	t.Helper()
	key, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func joinFile(t testing.TB) File {
	t.Helper()
	f, err := identity(t, t.TempDir()).File([]string{"10.0.0.1:4222", "[::1]:4", "host.example:5"}, []ed25519.PublicKey{trusted(t), trusted(t)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWriteRead(t *testing.T) {
	t.Parallel()
	want := joinFile(t)
	path := filepath.Join(t.TempDir(), "join")
	for range 2 { // the second replaces the first
		if err := want.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, error %v, want 0600", info.Mode(), err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(File{})); d != "" {
		t.Errorf("(-written +read):\n%s", d)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%d files beside it, error %v", len(left), err)
	}
	addr, opts, err := got.Dial()
	if err != nil || addr != "tls://10.0.0.1:4222,[::1]:4,host.example:5" || len(opts) == 0 {
		t.Errorf("Dial: %s, %d options, error %v", addr, len(opts), err)
	}
}

// A coordinator that starts again has the same identity, at other addresses too.
func TestMakeAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "listen")
	var all sync.WaitGroup
	ids := make([]*Identity, 8)
	for i := range ids {
		all.Go(func() {
			var err error
			if ids[i], err = Make(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for _, id := range ids {
		if id.seed != ids[0].seed || id.pem != ids[0].pem {
			t.Fatal("processes that start at the same time have different identities")
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Fatalf("%d files in the folder, error %v, want one", len(left), err)
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, identityName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: error %v, mode %v, want %v", path, err, info.Mode(), want)
		}
	}
	if other := identity(t, t.TempDir()); other.seed == ids[0].seed || other.pem == ids[0].pem {
		t.Error("two coordinators have the same identity")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "join")
	if err := joinFile(t).Write(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var w wireFile
	if err := json.Unmarshal(good, &w); err != nil {
		t.Fatal(err)
	}
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := account.Seed()
	if err != nil {
		t.Fatal(err)
	}
	edit := func(f func(w *wireFile)) []byte {
		w := w
		f(&w)
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tests := []struct {
		name string
		b    []byte
		mode fs.FileMode
		want string
	}{
		{"group", good, 0o640, "chmod 600"},
		{"world", good, 0o604, "chmod 600"},
		{"written by others", good, 0o620, "chmod 600"},
		{"empty", nil, 0o600, "no join file, or was cut off: copy the file"},
		{"cut off", good[:len(good)/2], 0o600, "cut off"},
		{"garbage", []byte("SUAsecret"), 0o600, "no join file"},
		{"newer", bytes.Replace(good, []byte(`"version": 1`), []byte(`"version": 2`), 1), 0o600, "version 2, and this build reads version 1: use the same build"},
		{"no version", bytes.Replace(good, []byte(`"version": 1,`), nil, 1), 0o600, "version 0"},
		{"oversize", append(bytes.Clone(good), bytes.Repeat([]byte(" "), maxFileBytes)...), 0o600, "more than 65536 bytes"},
		{"more behind it", append(bytes.Clone(good), "{}"...), 0o600, "no join file"},
		{"unknown field", bytes.Replace(good, []byte(`"version"`), []byte(`"run": "x", "version"`), 1), 0o600, "altered or cut off"},
		{"no address", edit(func(w *wireFile) { w.Addresses = nil }), 0o600, "0 addresses"},
		{"too many addresses", edit(func(w *wireFile) { w.Addresses = make([]string, 17) }), 0o600, "17 addresses"},
		{"bad address", edit(func(w *wireFile) { w.Addresses = []string{"u@h:1"} }), 0o600, `"u@h:1" is not HOST:PORT`},
		{"no port", edit(func(w *wireFile) { w.Addresses = []string{"h"} }), 0o600, "is not HOST:PORT"},
		{"no certificate", edit(func(w *wireFile) { w.Certificate = "" }), 0o600, "one certificate"},
		{"two certificates", edit(func(w *wireFile) { w.Certificate += w.Certificate }), 0o600, "one certificate"},
		{"bad certificate", edit(func(w *wireFile) { w.Certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" }), 0o600, "damaged"},
		{"bad seed", edit(func(w *wireFile) { w.NKeySeed = "SUAsecret" }), 0o600, "no seed of an nkey"},
		{"account's seed", edit(func(w *wireFile) { w.NKeySeed = string(seed) }), 0o600, "not a user's"},
		{"short key", edit(func(w *wireFile) { w.Trusted = [][]byte{{1, 2}} }), 0o600, "has 2 bytes"},
		{"too many keys", edit(func(w *wireFile) { w.Trusted = make([][]byte, 17) }), 0o600, "trusts 17 keys"},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "join")
		if err := os.WriteFile(path, tt.b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if err == nil {
			t.Errorf("%s: read, want an error", tt.name)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %q, want %q and the path in it", tt.name, err, tt.want)
		}
		if strings.Contains(err.Error(), "SUA") || strings.Contains(err.Error(), w.NKeySeed) {
			t.Errorf("%s: a seed is in the error %q", tt.name, err)
		}
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	old, err := newIdentity(time.Now().Add(-life - time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	good, err := newIdentity(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var a, b identityFile
	if err := errors.Join(json.Unmarshal(old, &a), json.Unmarshal(good, &b)); err != nil {
		t.Fatal(err)
	}
	b.Key = a.Key
	mixed, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		b    []byte
		mode fs.FileMode
		want string
	}{
		{"ended", old, 0o600, "its certificate ended on "},
		{"another's key", mixed, 0o600, "don't fit together"},
		{"cut off", good[:100], 0o600, "delete the file for a new one"},
		{"newer", bytes.Replace(good, []byte(`"version": 1`), []byte(`"version": 9`), 1), 0o600, "version 9"},
		{"readable", good, 0o644, "chmod 600"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		path := filepath.Join(dir, identityName)
		if err := os.WriteFile(path, tt.b, tt.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Make(dir); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q and the path in it", tt.name, err, tt.want)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, tt.b) {
			t.Errorf("%s: the file was changed, error %v", tt.name, err)
		}
	}
}

// However a join file is printed, its seed is not.
func TestFilePrintsNoSecret(t *testing.T) {
	t.Parallel()
	f := joinFile(t)
	if f.seed == "" {
		t.Fatal("there is no seed")
	}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(f), fmt.Sprintf("%v %+v %#v %s %q %d", f, f, f, f, f, f), fmt.Sprintf("%+v", &f), fmt.Sprintf("%v", []File{f}), string(b)} {
		if strings.Contains(s, f.seed) || strings.Contains(s, "BEGIN") {
			t.Errorf("printed %s", s)
		}
	}
}

func FuzzDecode(f *testing.F) {
	path := filepath.Join(f.TempDir(), "join")
	if err := joinFile(f).Write(path); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":1}`))
	f.Add(good[:len(good)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Decode(b)
		if err != nil {
			return
		}
		if _, _, err := file.Dial(); err != nil {
			t.Errorf("read, but: %v", err)
		}
		path := filepath.Join(t.TempDir(), "join")
		if err := file.Write(path); err != nil {
			t.Fatal(err)
		}
		again, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(file, again, cmp.AllowUnexported(File{})); d != "" {
			t.Errorf("(-read +read again):\n%s", d)
		}
	})
}
