package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/results"
	"overnight/worker/trial"
)

// TestScriptsExit holds the exit codes of errors that are wrapped in each other.
func TestScriptsExit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		code int
		msg  string
	}{
		{"of cobra", errors.New("unknown command"), exitUsage, "unknown command"},
		{"usage", usage("no"), exitUsage, "no"},
		{"engine", engine(errors.New("disk")), exitEngine, "disk"},
		{"Ctrl-C in the store", engine(fmt.Errorf("export s: %w", context.Canceled)), exitInterrupted, ""},
		{"Ctrl-C in a file", usage("f: %w", context.Canceled), exitInterrupted, ""},
		{"Ctrl-C in a trial", fmt.Errorf("trial 1: %w", trial.ErrInterrupted), exitInterrupted, ""},
		{"run", errors.Join(&codeError{exitInterrupted, errors.New("interrupted: 1 of 2")}, nil), exitInterrupted, "interrupted: 1 of 2"},
		{"close", errors.Join(nil, engine(errors.New("close the store: disk"))), exitEngine, "close the store: disk"},
		{"silent", &codeError{exitFailures, nil}, exitFailures, ""},
	}
	for _, test := range tests {
		if code, msg := exit(test.err); code != test.code || msg != test.msg {
			t.Errorf("%s: %d %q, want %d %q", test.name, code, msg, test.code, test.msg)
		}
	}
}

// TestScriptsCantSee holds what a script has no eyes for: the line drawn on a
// terminal, and texts that would take the terminal over.
func TestScriptsCantSee(t *testing.T) {
	t.Parallel()
	t.Run("log above the drawn line", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		a := &app{err: &screen{w: &out}}
		show := newProgress(a, 1)
		show.width = 80
		show.update(coordinator.Progress{Study: "s", Total: 10})
		newLogger(a.err, false, false, false).Info("hello", zap.Int("n", 1))
		show.update(coordinator.Progress{Study: "s", Total: 10, Done: 1})
		show.end()
		const clear = "\r\x1b[K"
		parts := strings.Split(out.String(), clear)
		want := []string{"", "s  0/10 trials  0 %", "*", "s  1/10 trials  10 %", ""}
		if len(parts) != len(want) {
			t.Fatalf("written: %q", out.String())
		}
		if log := parts[2]; !strings.Contains(log, "hello") || !strings.HasSuffix(log, "\n") {
			t.Errorf("after the cleared line: %q, want the log's line", log)
		}
		parts[2] = "*" // it has the time
		if got := strings.Join(parts, "|"); got != strings.Join(want, "|") {
			t.Errorf("written %q, want %q", parts, want)
		}
	})
	t.Run("hostile failure", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		a := &app{err: &screen{w: &out}}
		bad := results.Record{Trial: 3, Status: results.Failed, Error: "a\tb\x1b[2J\r\u202e\x9b1m" + strings.Repeat("é", 400) + "\nstack"}
		newProgress(a, 1).update(coordinator.Progress{Study: "s", Total: 10, FirstFailure: &bad})
		want := "trial 3 (point 0) failed: a b[2J\uFFFD1m" + strings.Repeat("é", 288) + "...\n"
		if got := out.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
