package catalog_test

import (
	"regexp"
	"strings"
	"testing"

	"overnight/internal/catalog"
	"overnight/internal/param"
)

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// factory is what environments' and agents' factories have in common.
type factory interface {
	Name() string
	Doc() string
	Schema() param.Schema
}

func factories() []factory {
	var all []factory
	c := catalog.New()
	for _, f := range c.Envs {
		all = append(all, f)
	}
	for _, f := range c.Agents {
		all = append(all, f)
	}
	return all
}

func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range factories() {
		if !snakeCase.MatchString(f.Name()) {
			t.Errorf("%q is not in snake case", f.Name())
		}
		if seen[f.Name()] {
			t.Errorf("two factories are named %q", f.Name())
		}
		seen[f.Name()] = true
	}
	c := catalog.New()
	for _, f := range c.Envs {
		if got := c.Env(f.Name()); got == nil || got.Name() != f.Name() {
			t.Errorf("environment %q is not found by its name", f.Name())
		}
	}
	for _, f := range c.Agents {
		if got := c.Agent(f.Name()); got == nil || got.Name() != f.Name() {
			t.Errorf("agent %q is not found by its name", f.Name())
		}
	}
}

// TestSchemas checks that every parameter is documented and has a default, so
// that `name: x` alone is a valid entry of a study, or says what it lacks later.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for _, f := range factories() {
		if strings.TrimSpace(f.Doc()) == "" {
			t.Errorf("%s has no documentation", f.Name())
		}
		fields(t, f.Name(), f.Schema())
		full, err := f.Schema().Complete(nil)
		if err != nil {
			t.Errorf("%s does not complete: %v", f.Name(), err)
			continue
		}
		again, err := f.Schema().Complete(full)
		if err != nil || string(param.AppendCanonical(nil, again)) != string(param.AppendCanonical(nil, full)) {
			t.Errorf("%s: completing twice differs: %v", f.Name(), err)
		}
	}
}

func fields(t *testing.T, owner string, s param.Schema) {
	for _, f := range s {
		at := owner + "." + f.Name
		if !snakeCase.MatchString(f.Name) {
			t.Errorf("%s is not in snake case", at)
		}
		if doc := strings.TrimSpace(f.Doc); doc == "" || !strings.HasSuffix(doc, ".") {
			t.Errorf("%s: documentation %q is no sentence", at, f.Doc)
		}
		fields(t, at, f.Fields)
	}
}
