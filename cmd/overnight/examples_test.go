package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples runs every example with few replications: its digest is the one in
// testdata/examples.txt, on every machine and with every set of vector instructions.
func TestExamples(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type pinned struct{ digest, replications string }
	want := map[string]pinned{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.SplitN(lines.Text(), " ", 3); words[0] != "#" {
			want[words[0]] = pinned{words[1], words[2]}
		}
	}
	studies, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(studies) == 0 {
		t.Fatalf("%d examples, %v", len(studies), err)
	}
	for _, study := range studies {
		name := strings.TrimSuffix(filepath.Base(study), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ok := want[name]
			if !ok {
				t.Fatalf("testdata/examples.txt has no line for %s", name)
			}
			args := []string{"run", study, "--store", t.TempDir()}
			if p.replications != "-" {
				args = append(args, "--set", "replications="+p.replications)
			}
			out, err := overnight(t.Context(), args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := digestLine().FindSubmatch(out); got == nil || string(got[1]) != p.digest {
				t.Errorf("testdata/examples.txt has digest %s, the run ends with\n%s", p.digest, out)
			}
		})
	}
}
