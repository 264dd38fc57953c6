// Package asm holds the generators of the vector kernels, one command each. It is a
// module of its own, so that the program does not depend on avo. `go generate
// ./internal/rng ./internal/simd ./agents/nn` writes the files again.
package asm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated holds the committed files against what the generators write. The
// first line, which names the command, is left out.
func TestGenerated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, dir, name, pkg string }{
		{"normals", "../rng", "normals_amd64", "rng"},
		{"peak", "../simd", "loops_amd64", "simd"},
		{"perceptron", "../../agents/nn", "kernels_amd64", "nn"},
	} {
		t.Run(c.command, func(t *testing.T) {
			t.Parallel()
			tmp := t.TempDir()
			code, stubs := filepath.Join(tmp, c.name+".s"), filepath.Join(tmp, c.name+".go")
			if out, err := exec.Command("go", "run", "./"+c.command, "-out", code, "-stubs", stubs, "-pkg", c.pkg).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for _, made := range []string{code, stubs} {
				committed := filepath.Join(c.dir, filepath.Base(made))
				if !bytes.Equal(body(t, made), body(t, committed)) {
					t.Errorf("%s is not what %s writes; run go generate there", committed, c.command)
				}
			}
		})
	}
}

func body(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return rest
}
