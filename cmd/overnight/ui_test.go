package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"overnight/internal/daemon"
)

// get asks the dashboard.
func get(t *testing.T, url string) (status int, text string) {
	t.Helper()
	return request(t, http.MethodGet, url)
}

func request(t *testing.T, method, url string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// TestUI runs a study with its dashboard, looks at it, pauses and resumes the run
// from there, asks for everything once it has ended, and interrupts it.
func TestUI(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "looked.yaml")
	src := idleStudy("looked", 60, 50)
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "run.log")
	p, err := daemon.Start(log, []string{mainEnv + "=1", soon}, os.Args[0], "run", file, "--store", filepath.Join(dir, "store"), "--ui", "--ui-stay", "--slots", "1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	said := func() string {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(40 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %s\n%s", what, said())
			}
		}
	}
	re := regexp.MustCompile(`dashboard: (http://127\.0\.0\.1:\d+)/studies/looked\n`)
	var m []string
	await("address", func() bool { m = re.FindStringSubmatch(said()); return m != nil })
	page, api := m[1], m[1]+"/api/v1/studies/looked"
	if status, text := get(t, page+"/studies/looked"); status != http.StatusOK || !strings.Contains(text, "<title>") {
		t.Errorf("%d %s", status, text)
	}
	state := func() (st standing) {
		t.Helper()
		status, text := get(t, api)
		if err := json.Unmarshal([]byte(text), &st); err != nil || status != http.StatusOK {
			t.Fatalf("%d %v %s", status, err, text)
		}
		return st
	}
	await("records", func() bool { return state().Committed > 4 })
	if status, text := request(t, http.MethodPost, api+"/pause"); status != http.StatusOK {
		t.Fatalf("pause: %d %s", status, text)
	}
	if st := state(); st.State != "paused" || st.Committed >= 60 {
		t.Errorf("%+v", st)
	}
	if status, text := request(t, http.MethodPost, api+"/resume"); status != http.StatusOK {
		t.Fatalf("resume: %d %s", status, text)
	}
	await("end", func() bool { return state().State == "finished" })
	for path, want := range map[string]string{
		"/results?by=arm": `"arm": "random"`, "/sensitivity": `"arms"`, "/figures": `"live-intervals"`, "/failures": `"failing":0`,
		"/source": "name: faulty", "/report": "<!DOCTYPE html>", "/export": "trial,point,replication", "/export?format=parquet": "PAR1", "/digest": `"digest":"`,
	} {
		if status, text := get(t, api+path); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d, without %q: %.300s", path, status, want, text)
		}
	}
	if status, text := request(t, http.MethodPost, page+"/api/v1/studies"); status < 400 {
		t.Errorf("the dashboard of a run takes studies: %d %s", status, text)
	}
	await("word that it stays", func() bool { return strings.Contains(said(), "the dashboard stays at") })
	p.Signal(syscall.SIGINT)
	select {
	case <-p.Done():
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not end\n%s", said())
	}
	if err := p.Err(); err != nil || !strings.Contains(said(), "digest ") {
		t.Errorf("%v\n%s", err, said())
	}
}
