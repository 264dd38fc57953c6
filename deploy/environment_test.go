package deploy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// literals returns the strings in the program's sources that a pattern matches as
// a whole, and where one stands.
func literals(t *testing.T, pattern *regexp.Regexp, below ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, room := range below {
		err := filepath.WalkDir(filepath.Join("..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil && pattern.MatchString(s) {
						all[s] = path
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestEnvironmentIsKnown(t *testing.T) {
	t.Parallel()
	known := literals(t, regexp.MustCompile(`^OVERNIGHT_[A-Z_]+$`), "cmd", "internal", "worker", "coordinator")
	if len(known) < 5 {
		t.Fatalf("the program knows %v", known)
	}
	// A secret NAME may come from the file that NAME_FILE names (credentials.Env).
	is := func(name string) bool {
		return known[name] != "" || known[strings.TrimSuffix(name, "_FILE")] != ""
	}
	if is("OVERNIGHT_FROBNICATE") {
		t.Error("every name is known to this test")
	}
	name := regexp.MustCompile(`OVERNIGHT_[A-Z_]+\b`)
	seen := 0
	for _, file := range append(files(t, ".yaml", ".service", "Dockerfile", ".sh", ".conf"), "../docs/operations.md") {
		for _, n := range name.FindAllString(read(t, file), -1) {
			if n == "OVERNIGHT_JOBS" || n == "OVERNIGHT_DEAD" { // streams
				continue
			}
			if seen++; !is(n) {
				t.Errorf("%s: the program does not look at %s", file, n)
			}
		}
	}
	if seen < 20 {
		t.Errorf("saw %d variables, want those of every form", seen)
	}
}
