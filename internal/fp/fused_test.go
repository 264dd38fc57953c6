package fp

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// resultPackages hold all arithmetic that reaches a result. A package that is
// added to them must be added here.
var resultPackages = []string{
	"overnight/internal/fp",
	"overnight/internal/rng",
	"overnight/agents/bandit",
	"overnight/agents/baseline",
	"overnight/agents/guard",
	"overnight/agents/nn",
	"overnight/agents/policygradient",
	"overnight/envs/email",
	"overnight/envs/function",
	"overnight/envs/marketing",
	"overnight/jobs/design",
	"overnight/worker/trial",
}

var (
	fused  = regexp.MustCompile(`\bFN?M(ADD|SUB)[SD]\b`)
	symbol = regexp.MustCompile(`^TEXT ([^ ]+)\(SB\)`)
)

// TestNoFusedInstructions builds the result packages for arm64, where the
// compiler fuses x*y + z unless the product is converted first, and looks for
// what it fused. Functions of a generic package are found where they are
// instantiated.
func TestNoFusedInstructions(t *testing.T) {
	t.Parallel()
	files := archives(t, ".", resultPackages...)
	seen := map[string]int{}
	for _, file := range files {
		for _, f := range disassemble(t, file) {
			for _, p := range resultPackages {
				if strings.HasPrefix(f.name, p+".") {
					seen[p]++
				}
			}
			for _, line := range f.fused {
				t.Errorf("%s: %s\nthe product is not rounded before it is added; write T(x*y) + z, or fp.MulAdd", f.name, line)
			}
		}
	}
	for _, p := range resultPackages {
		if seen[p] == 0 {
			t.Errorf("no function of %s was found, so nothing is known of it", p)
		}
	}
}

// TestFusedInstructionsAreSeen shows that the test above can fail.
func TestFusedInstructionsAreSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module control\n\ngo 1.26\n",
		"control.go": `package control
func Fused(x, y, z float64) float64 { p := x * y; return p + z }
func Rounded(x, y, z float64) float64 { return float64(x*y) + z }
func Fused32(x, y, z float32) float32 { return z - x*y }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int{}
	for _, f := range disassemble(t, archives(t, dir, "control")[0]) {
		got[f.name] = len(f.fused)
	}
	for name, want := range map[string]int{"control.Fused": 1, "control.Rounded": 0, "control.Fused32": 1} {
		if n, ok := got[name]; !ok || n != want {
			t.Errorf("%s: %d fused instructions (function found: %v), want %d", name, n, ok, want)
		}
	}
}

// archives compiles packages for arm64 and returns their object files.
func archives(t *testing.T, dir string, packages ...string) []string {
	t.Helper()
	args := append([]string{"list", "-export", "-f", "{{.Export}}"}, packages...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOARCH=arm64", "GOOS=linux", "CGO_ENABLED=0")
	return strings.Fields(string(run(t, cmd)))
}

// function is a function's name and the fused instructions in it.
type function struct {
	name  string
	fused []string
}

func disassemble(t *testing.T, file string) (list []function) {
	t.Helper()
	out := run(t, exec.CommandContext(t.Context(), "go", "tool", "objdump", file))
	for line := range bytes.Lines(out) {
		if m := symbol.FindSubmatch(line); m != nil {
			list = append(list, function{name: string(m[1])})
			continue
		}
		if fused.Match(line) && len(list) > 0 {
			f := &list[len(list)-1]
			f.fused = append(f.fused, strings.Join(strings.Fields(string(line)), " "))
		}
	}
	return list
}

func run(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w\n%s", cmd, err, &stderr))
	}
	return out
}
