package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"overnight/internal/catalog"
	"overnight/internal/chaos"
	"overnight/internal/daemon"
)

// program is a script that runs this test binary as overnight, for chaos to
// start.
func program(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "overnight")
	text := "#!/bin/sh\n" + mainEnv + "=1 exec '" + os.Args[0] + "' \"$@\"\n"
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestChaos holds G1, G2, G3 and G6 over processes: a few faults on each engine,
// after which nothing is lost or doubled and the digest is an undisturbed run's.
// `overnight chaos` fires all of them, as often as wanted.
func TestChaos(t *testing.T) {
	t.Parallel()
	for engine, faults := range map[string][]string{
		chaos.Embedded: {"kill-coordinator", "drain-coordinator", "two-coordinators"},
		chaos.Joined:   {"kill-worker", "kill-coordinator", "cut"},
		chaos.Asynq:    {"drain-worker", "garbage", "queue-deleted", "kill-redis", "redis-rollback"},
		chaos.NATS:     {"kill-nats", "duplicates", "redis-full", "rolling-restart"},
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			o := chaosOptions(&app{cat: catalog.New(), log: zap.NewNop()}, chaos.Options{
				Binary: program(t), Engine: engine, Faults: faults, Seed: 1, Workers: 2, Times: 1, Idle: 30,
				Work: 5 * time.Second, Dir: filepath.Join(t.TempDir(), "lab"),
			})
			report, err := chaos.Run(t.Context(), o)
			if err != nil && strings.Contains(err.Error(), daemon.ErrNoRedis.Error()) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			var table strings.Builder
			if err := report.Write(&table); err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + table.String())
			if err := report.Failed(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestChaosRefuses holds what chaos does not start with.
func TestChaosRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		o    chaos.Options
		want string
	}{
		{chaos.Options{Engine: "kafka"}, "write one of embedded, joined, asynq, nats"},
		{chaos.Options{Engine: chaos.Joined, Faults: []string{"flood"}}, `fault "flood": there is kill-worker,`},
		{chaos.Options{Engine: chaos.Embedded, Faults: []string{"kill-redis"}}, "can't happen on engine embedded"},
		{chaos.Options{Engine: chaos.Joined, Faults: []string{"cut"}, Skip: []string{"cut"}}, "no fault is left"},
	} {
		_, err := chaos.Run(t.Context(), tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.o, err, tt.want)
		}
	}
}
