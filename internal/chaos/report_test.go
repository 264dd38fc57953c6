package chaos

import (
	"strings"
	"testing"
	"time"

	"overnight/results"
)

// TestReport holds what counts as a failure, and how the table says it.
func TestReport(t *testing.T) {
	t.Parallel()
	fine := Row{Fault: "cut", Fired: 1, Recovery: []time.Duration{time.Second}}
	tests := []struct {
		name, failure, text string
		report              Report
	}{
		{"fine", "", "digest d, the same as undisturbed", Report{Rows: []Row{fine}, Digest: "d", Reference: "d"}},
		{"never fired", "fault clock never fired: no compiler", "clock  0", Report{Rows: []Row{fine, {Fault: "clock", Note: "no compiler"}}, Digest: "d", Reference: "d"}},
		{"lost", "1 trials lost, 0 doubled", "", Report{Rows: []Row{{Fault: "cut", Fired: 1, Lost: 1}}, Digest: "d", Reference: "d"}},
		{"doubled", "0 trials lost, 2 doubled", "", Report{Rows: []Row{{Fault: "cut", Fired: 1, Doubled: 2}}, Digest: "d", Reference: "d"}},
		{"broken off", "FAILED: no", "", Report{Rows: []Row{{Fault: "cut", Fired: 1, Note: "FAILED: no"}}, Digest: "d", Reference: "d"}},
		{"other digest", `digest "d", undisturbed "e"`, "digest d, undisturbed it is e", Report{Rows: []Row{fine}, Digest: "d", Reference: "e"}},
		{"interrupted", `digest ""`, "digest none: the run did not end", Report{Rows: []Row{fine}}},
		{"differing record", "1 records differ", "", Report{Rows: []Row{fine}, Digest: "d", Reference: "d", Tally: results.Tally{Differs: 1}}},
	}
	for _, tt := range tests {
		err := tt.report.Failed()
		if got := errorText(err); (got == "") != (tt.failure == "") || !strings.Contains(got, tt.failure) {
			t.Errorf("%s: failure %q, want %q", tt.name, got, tt.failure)
		}
		var b strings.Builder
		if err := tt.report.Write(&b); err != nil || !strings.Contains(b.String(), tt.text) {
			t.Errorf("%s: %v, want %q in\n%s", tt.name, err, tt.text, b.String())
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLater(t *testing.T) {
	t.Parallel()
	one, two, none := time.Unix(1, 0), time.Unix(2, 0), time.Time{}
	for _, tt := range [][3]time.Time{{one, two, two}, {two, one, two}, {none, two, none}, {two, none, none}} {
		if got := later(tt[0], tt[1]); !got.Equal(tt[2]) {
			t.Errorf("later(%v, %v) = %v, want %v", tt[0], tt[1], got, tt[2])
		}
	}
}
