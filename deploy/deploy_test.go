// Package deploy holds what runs Overnight elsewhere: the image, compose.yaml,
// kustomize, systemd units, and the configuration of Redis, NATS, Prometheus and
// Grafana. Start with docs/operations.md.
//
// Its tests hold these files against the program and against each other, as far
// as that goes without a container engine: flags and environment against the
// binary, ports and names against each other, and the rules of Redis and NATS
// against running servers.
package deploy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// node is a mapping of a YAML file.
type node = map[string]any

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents returns the documents of a YAML file.
func documents(t *testing.T, file string) []any {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(read(t, file)))
	var all []any
	for {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, v)
	}
}

// mapping returns the only document of a YAML file.
func mapping(t *testing.T, file string) node {
	t.Helper()
	all := documents(t, file)
	if len(all) != 1 {
		t.Fatalf("%s holds %d documents, want one", file, len(all))
	}
	m, ok := all[0].(node)
	if !ok {
		t.Fatalf("%s is no mapping", file)
	}
	return m
}

// files returns the files below this folder that end in one of the suffixes.
func files(t *testing.T, suffixes ...string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path == "secrets":
			return filepath.SkipDir
		case d.IsDir() || !slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(path, s) }):
			return nil
		}
		all = append(all, path)
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("no files that end in %v: %v", suffixes, err)
	}
	return all
}

// at follows a path of keys and indices into a YAML value; nil where there is
// nothing.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(node)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// list is the list at a path; empty where there is none.
func list(v any, path ...any) []any {
	l, _ := at(v, path...).([]any)
	return l
}

// text is what stands at a path, written as in the file; "" where nothing does.
func text(v any, path ...any) string {
	v = at(v, path...)
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// words are the texts of a list.
func words(v any, path ...any) []string {
	var all []string
	for _, w := range list(v, path...) {
		all = append(all, fmt.Sprint(w))
	}
	return all
}

// walk calls fn for every mapping in v.
func walk(v any, fn func(node)) {
	switch v := v.(type) {
	case node:
		fn(v)
		for _, child := range v {
			walk(child, fn)
		}
	case []any:
		for _, child := range v {
			walk(child, fn)
		}
	}
}

func TestEveryFileParses(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, file := range files(t, ".yaml", ".json") {
		if len(documents(t, file)) == 0 {
			t.Errorf("%s is empty", file)
		}
		seen++
	}
	if seen < 10 {
		t.Errorf("saw %d files, want all", seen)
	}
}
