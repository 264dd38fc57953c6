package credentials

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const password = "correct horse battery staple"

// env is an Env of variables, with its log.
func env(vars ...string) (Env, *observer.ObservedLogs) {
	core, logs := observer.New(zap.DebugLevel)
	set := map[string]string{}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		set[name] = value
	}
	return Env{Log: zap.New(core), Lookup: func(n string) (string, bool) { v, ok := set[n]; return v, ok }}, logs
}

func write(t *testing.T, path, text string, mode fs.FileMode) string {
	t.Helper()
	if err := replace(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// quiet fails where a log holds a secret.
func quiet(t *testing.T, logs *observer.ObservedLogs, secrets ...string) {
	t.Helper()
	for _, e := range logs.All() {
		text := fmt.Sprint(e.Message, e.ContextMap())
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("a log line holds a secret: %s", text)
			}
		}
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		mode fs.FileMode
		vars string // with FILE for the path
		want string
		err  string
		warn string
	}{
		"variable":           {vars: "PW=" + password, want: password},
		"nothing":            {vars: "PW=", want: ""},
		"file":               {text: password, mode: 0o600, vars: "PW_FILE=FILE", want: password},
		"one newline goes":   {text: password + "\n\n", mode: 0o400, vars: "PW_FILE=FILE", want: password + "\n"},
		"newline of Windows": {text: password + "\r\n", mode: 0o600, vars: "PW_FILE=FILE", want: password},
		"both":               {text: password, mode: 0o600, vars: "PW_FILE=FILE PW=other", err: "PW and PW_FILE are both set"},
		"group":              {text: password, mode: 0o640, vars: "PW_FILE=FILE", want: password, warn: "secret open to its group"},
		"world":              {text: password, mode: 0o604, vars: "PW_FILE=FILE", err: "chmod 600"},
		"world may write":    {text: password, mode: 0o602, vars: "PW_FILE=FILE", err: "chmod 600"},
		"empty":              {text: "", mode: 0o600, vars: "PW_FILE=FILE", err: "is empty"},
		"newline alone":      {text: "\n", mode: 0o600, vars: "PW_FILE=FILE", err: "no more than a newline"},
		"too long":           {text: strings.Repeat(password, 3000), mode: 0o600, vars: "PW_FILE=FILE", err: "longer than 65536 bytes"},
		"folder":             {mode: 0, vars: "PW_FILE=" + dir, err: "no regular file"},
		"missing":            {vars: "PW_FILE=" + dir + "/none", err: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "pw")
			if c.mode != 0 {
				write(t, path, c.text, c.mode)
			}
			e, logs := env(strings.Split(strings.Replace(strings.Replace(c.vars, "FILE=FILE", "FILE="+path, 1), " PW=", "\x00PW=", 1), "\x00")...)
			s, err := e.Secret("PW")
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, want an error with %q", err, c.err)
				}
				if strings.Contains(err.Error(), password) {
					t.Errorf("the error holds the secret: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Reveal(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := logs.FilterMessage("secret open to its group").Len(); (got == 1) != (c.warn != "") {
				t.Errorf("%d warnings of an open file, want one: %v", got, c.warn != "")
			}
			quiet(t, logs, password)
		})
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	t.Parallel()
	s := &Secret{fixed: password}
	b, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, s), string(b), fmt.Sprint([]*Secret{s})} {
		if strings.Contains(text, "horse") || strings.Contains(text, fmt.Sprintf("%x", password)) {
			t.Errorf("printed: %s", text)
		}
	}
}

// TestRotation walks one file through good and bad contents: good ones are taken
// within a second, bad ones are logged once and change nothing.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "pw"), "first", 0o600)
	synctest.Test(t, func(t *testing.T) {
		e, logs := env("PW_FILE=" + path)
		s, err := e.Secret("PW")
		if err != nil {
			t.Fatal(err)
		}
		for i, step := range []struct {
			do    func()
			want  string
			event string // logged once over three looks
		}{
			{func() {}, "first", ""},
			{func() { write(t, path, "second\n", 0o600) }, "second", "credentials changed"},
			{func() { write(t, path, "third", 0o644) }, "second", "credentials not usable, those of before stay"},
			{func() { write(t, path, "third!", 0o600) }, "third!", "credentials changed"},
			{func() { write(t, path, "", 0o600) }, "third!", "credentials not usable, those of before stay"},
			{func() { os.Remove(path) }, "third!", "credentials not usable, those of before stay"},
			{func() { write(t, path, "third!", 0o600) }, "third!", ""},
			{func() { write(t, path, "fourth", 0o600) }, "fourth", "credentials changed"},
		} {
			logs.TakeAll()
			step.do()
			for range 3 {
				time.Sleep(lookEvery)
				if got := s.Reveal(); got != step.want {
					t.Errorf("step %d: got %q, want %q", i, got, step.want)
				}
			}
			got := ""
			for _, l := range logs.All() {
				got += l.Message
			}
			if got != step.event {
				t.Errorf("step %d: logged %q, want %q", i, got, step.event)
			}
			quiet(t, logs, "first", "second", "third", "fourth")
		}
		write(t, path, "fifth", 0o600)
		if got := s.Reveal(); got != "fourth" {
			t.Errorf("looked again within a second: %q", got)
		}
	})
}

func TestRedis(t *testing.T) {
	t.Parallel()
	of := map[string]func(Env) (func(context.Context) (string, string, error), error){"REDIS": Env.Redis, "SENTINEL": Env.Sentinel}
	for server, login := range of {
		for vars, want := range map[string]string{
			"OVERNIGHT_REDIS_PASSWORD=x":                               " x",
			"OVERNIGHT_REDIS_PASSWORD=x OVERNIGHT_REDIS_USERNAME=work": "work x",
			"":                              "none",
			"OVERNIGHT_REDIS_USERNAME=work": "error",
			"OVERNIGHT_OTHER_PASSWORD=x":    "none", // of the others
		} {
			other := map[string]string{"REDIS": "SENTINEL", "SENTINEL": "REDIS"}[server]
			e, _ := env(strings.Fields(strings.NewReplacer("REDIS", server, "OTHER", other).Replace(vars))...)
			got := "none"
			f, err := login(e)
			if f != nil {
				user, pass, err := f(t.Context())
				if err != nil {
					t.Error(err)
				}
				got = user + " " + pass
			}
			if err != nil {
				got = "error"
			}
			if got != want {
				t.Errorf("%s, %q: got %q, want %q", server, vars, got, want)
			}
		}
	}
}
