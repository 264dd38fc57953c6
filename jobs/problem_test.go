package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProblem(t *testing.T) {
	t.Parallel()
	src := []byte("study: s\r\nenv:\r\n\tbudget: -3\nnächste: {a: 1}\n")
	for _, c := range []struct {
		p    Problem
		want string
	}{
		{Problem{File: "s.yaml", Line: 3, Column: 10, What: "is wrong", Instead: "write 3"},
			"s.yaml:3:10: is wrong; write 3\n   3 | \tbudget: -3\n     | \t        ^\n"},
		{Problem{File: "s.yaml", Line: 4, Column: 10, What: "is wrong"},
			"s.yaml:4:10: is wrong\n   4 | nächste: {a: 1}\n     |          ^\n"},
		{Problem{File: "--set a=1", What: "is wrong"}, "--set a=1: is wrong\n"},
		{Problem{File: "s.yaml", Line: 99, Column: 1, What: "is wrong"}, "s.yaml:99:1: is wrong\n"},
		{Problem{File: "s.yaml", Line: 1, Column: 99, What: "is wrong"},
			"s.yaml:1:99: is wrong\n   1 | study: s\n     |         ^\n"},
	} {
		if got := c.p.Caret(src); got != c.want {
			t.Errorf("Caret = %q, want %q", got, c.want)
		}
	}
	long := Problem{File: "s", Line: 1, Column: 500, What: "is wrong"}.Caret([]byte(strings.Repeat("x", 499) + "HERE" + strings.Repeat("y", 500)))
	lines := strings.Split(long, "\n")
	if len(lines[1]) > 130 || []rune(lines[1])[strings.IndexByte(lines[2], '^')] != 'H' {
		t.Errorf("a long line is shown as\n%s", long)
	}
}

func TestProblemsAreSorted(t *testing.T) {
	t.Parallel()
	ps := Problems{{File: "--set a", What: "1"}, {File: "s", Line: 5, Column: 2, What: "2"}, {File: "s", Line: 5, Column: 1, What: "3"}, {File: "s", Line: 1, Column: 9, What: "4"}}
	var order string
	for _, p := range ps.sorted() {
		order += p.What
	}
	if order != "4321" {
		t.Errorf("order %s, want 4321", order)
	}
}

// TestDataFiles reads real files relative to the study's folder.
func TestDataFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "a.csv"), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	parse := func(path string) (*Study, error) {
		text := "study: s\ndata: {h: {csv: " + path + "}}\nenv: {name: marketing, table: $data.h}\nagents: [{name: random}]\n"
		return Parse(filepath.Join(dir, "s.yaml"), []byte(text), testCatalog(), ParseOptions{})
	}
	s, err := parse("data/a.csv")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(s.DataContent("h")); got != "x\n" || s.Data[0].Size != 2 || s.Data[0].Path != "data/a.csv" {
		t.Errorf("content %q, data %+v", got, s.Data)
	}
	huge := filepath.Join(dir, "huge.csv")
	if err := os.WriteFile(huge, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, maxDataBytes+1); err != nil { // a hole: it takes no disk
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"none.csv": "no such file",
		"data":     "is a folder",
		"huge.csv": "longer than 256 MiB",
	} {
		_, err := parse(path)
		var ps Problems
		if !errors.As(err, &ps) || !strings.Contains(err.Error(), want) || ps[0].Line != 2 {
			t.Errorf("parse with data file %s: %v, want %q on line 2", path, err, want)
		}
	}
}

// TestLargeFiles checks that sizes beyond the bounds are refused quickly, with a
// word about what to do.
func TestLargeFiles(t *testing.T) {
	t.Parallel()
	const tail = "\nstudy: s\nenv: {name: marketing}\nagents: [{name: random}]\n"
	for name, text := range map[string]string{
		"bytes":    "# " + strings.Repeat("x", 1<<20) + tail,
		"levels":   "study: s\nenv: {name: function, x1: {grid: [" + strings.Repeat("1, ", 10_001) + "]}}\nagents: [{name: random}]\n",
		"values":   "x-a: [" + strings.Repeat("1,", 200_001) + "]" + tail,
		"keys":     "x-a:\n" + strings.Repeat("  k: 1\n", 5_001) + tail,
		"brackets": "x-a: " + strings.Repeat("[", 100_000) + tail,
		"dashes":   "x-a:\n  " + strings.Repeat("- ", 100_000) + tail,
		"indents":  "x-a:\n" + staircase(200) + tail,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("s.yaml", []byte(text), testCatalog(), ParseOptions{})
			if err == nil || !strings.Contains(err.Error(), "more") {
				t.Errorf("%.200v, want a refusal", err)
			}
		})
	}
}

func staircase(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}
