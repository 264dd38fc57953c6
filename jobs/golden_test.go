package jobs

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var errNoFile = &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}

// golden compares got with a golden file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// testOptions reads the arguments that a test file names in its first lines:
// "# set: env.budget=600".
func testOptions(src []byte) ParseOptions {
	o := ParseOptions{ReadFile: fakeFiles}
	for line := range bytes.Lines(src) {
		if set, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("# set: ")); ok {
			o.Set = append(o.Set, string(set))
		}
	}
	return o
}

// TestBroken parses files that are wrong in one way or several; each golden file
// is what a user reads.
func TestBroken(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d broken files (%v), want at least 40", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Parse(filepath.Base(file), src, testCatalog(), testOptions(src))
			var problems Problems
			if s != nil || !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("Parse = %v, %v, want problems", s, err)
			}
			for _, p := range problems {
				set := strings.HasPrefix(p.File, "--set ")
				if p.What == "" || !set && (p.Line < 1 || p.Column < 1 || p.Line > 1+bytes.Count(src, []byte("\n"))) {
					t.Errorf("problem without place or text: %+v", p)
				}
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

// TestGood parses sound files; each golden file lists their points.
func TestGood(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d good files (%v), want at least 10", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Parse(filepath.Base(file), src, testCatalog(), testOptions(src))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", describeStudy(t, s))
			again := roundTrip(t, s)
			if diff := cmp.Diff(describeStudy(t, s), describeStudy(t, again)); diff != "" {
				t.Errorf("decoded study differs (-want +got):\n%s", diff)
			}
		})
	}
}

// describeStudy writes a study's head and its points, at most 40.
func describeStudy(t *testing.T, s *Study) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "study %s seed %d: %d points, %d trials, paired %s\n", s.Name, s.Seed, s.Points(), s.Trials(), s.Paired)
	fmt.Fprintf(&b, "train %+v evaluate %+v objective %+v baseline %q\n", s.Train, s.Evaluate, s.Objective, s.Baseline)
	fmt.Fprintf(&b, "limits %v %d, curves %d, stop %d\n", s.Limits.Time, s.Limits.Memory, s.Record.CurvePoints, s.StopAfterFailures)
	if t := s.Stopping; t != nil {
		fmt.Fprintf(&b, "stages %v until %+v\n", s.Stages(), *t)
	}
	if s.Confirm != nil {
		fmt.Fprintf(&b, "confirm %+v\n", *s.Confirm)
	}
	fmt.Fprintf(&b, "metrics %v\ncolumns %v\n", s.Metrics, s.Columns())
	for _, d := range s.Data {
		fmt.Fprintf(&b, "data %s %s %s %d bytes\n", d.Name, d.Path, d.SHA256[:12], d.Size)
	}
	for i := range min(s.Points(), 40) {
		p, err := s.Point(i)
		if err != nil {
			t.Fatalf("point %d: %v", i, err)
		}
		fmt.Fprintf(&b, "%d row %d %s/%s", p.Index, p.Row, s.Tasks[p.Task].Label, s.Arms[p.Arm].Label)
		for _, l := range p.Levels {
			fmt.Fprintf(&b, " %s=%s", s.Factors[l.Factor].Name, l.Name)
		}
		if p.Train != s.Train {
			fmt.Fprintf(&b, " train %+v", p.Train)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// roundTrip encodes and decodes a study.
func roundTrip(t testing.TB, s *Study) *Study {
	t.Helper()
	body, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeStudy(body, testCatalog())
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	second, err := again.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, second) {
		t.Errorf("encoding twice differs:\n%s\n%s", body, second)
	}
	if s.Identity() != again.Identity() {
		t.Errorf("identity changed from %s to %s", s.Identity(), again.Identity())
	}
	return again
}
