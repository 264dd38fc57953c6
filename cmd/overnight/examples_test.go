package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExamples runs every example with few replications: its digest is the one in
// testdata/examples.txt, whatever the machine. OVERNIGHT_SIMD chooses a level.
func TestExamples(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("testdata/examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	type pinned struct{ digest, replications string }
	want := map[string]pinned{}
	for line := range strings.Lines(string(list)) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if words[0] == "#" {
			continue
		}
		if _, twice := want[words[0]]; twice || len(words) != 3 {
			t.Fatalf("testdata/examples.txt: %q; want a name once, its digest and replications", line)
		}
		want[words[0]] = pinned{words[1], words[2]}
	}
	studies, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(studies) == 0 {
		t.Fatalf("%d examples, %v", len(studies), err)
	}
	for name := range want {
		if study := "../../examples/" + name + ".yaml"; !slices.Contains(studies, study) {
			t.Errorf("testdata/examples.txt has a line for %s, and there is no %s", name, study)
		}
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
			m := digestLine().FindSubmatch(out)
			if m == nil {
				t.Fatalf("no digest in\n%s", out)
			}
			if got := string(m[1]); got != p.digest {
				t.Errorf("digest is %s, testdata/examples.txt has %s", got, p.digest)
			}
		})
	}
}
