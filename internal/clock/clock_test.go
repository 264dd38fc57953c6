package clock

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFromEnv(t *testing.T) {
	name := filepath.Join(t.TempDir(), "clock")
	for _, tt := range []struct {
		text string
		off  time.Duration
	}{
		{"+3600s\n", time.Hour},
		{"-1h", -time.Hour},
		{"+0s", 0},
		{"nonsense", 0},
	} {
		if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(Env, name)
		got := time.Until(FromEnv()())
		if diff := got - tt.off; diff < -time.Minute || diff > time.Minute {
			t.Errorf("%q: the clock is off by %v, want %v", tt.text, got, tt.off)
		}
	}
	t.Setenv(Env, "")
	if got := time.Until(FromEnv()()); got < -time.Minute || got > time.Minute {
		t.Errorf("without the variable the clock is off by %v", got)
	}
}
