// Package rules holds tests of the repository as a whole: which package may
// import which.
package rules

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// may lists what each room may import of ours, by prefix; a room's own folder
// and internal are always allowed. Tests are free.
var may = map[string][]string{
	"internal/catalog":    {"envs", "agents", "jobs"},
	"internal/chaos":      {"jobs", "results"},
	"internal":            {},
	"envs":                {},
	"agents":              {"envs"},
	"jobs/natsqueue":      {"jobs"},
	"jobs/asynqqueue":     {"jobs"},
	"jobs/queuetest":      {"jobs"},
	"jobs/design":         {},
	"jobs":                {"envs", "agents", "jobs/design"},
	"results/sqlitestore": {"results"},
	"results/redisstore":  {"results"},
	"results/natsstore":   {"results"},
	"results/storetest":   {"results"},
	"results/archive":     {"results"},
	"results/stats":       {},
	"results/offpolicy":   {},
	"results/sensitivity": {"results/stats", "jobs/design"},
	"results/stopping":    {"results", "results/stats", "jobs"},
	"results/report":      {"results", "results/stats", "results/sensitivity", "results/stopping", "jobs"},
	"results/figure":      {"results", "results/stats", "results/sensitivity", "results/report", "jobs", "envs"},
	"results/plots":       {"results/figure"},
	"results/page":        {"results/figure"},
	"results/answer":      {"results", "results/stats", "results/sensitivity", "results/stopping", "results/report", "results/figure", "results/page", "jobs"},
	"results/export":      {"results", "jobs"},
	"results":             {},
	"worker":              {"envs", "agents", "jobs", "results"},
	"coordinator":         {"jobs", "results"},
	"deploy":              {},
	"cmd":                 {"coordinator", "worker", "jobs", "results", "agents", "envs"},
}

// adapters know nobody's secrets and may be imported by cmd alone.
var adapters = []string{"jobs/natsqueue", "jobs/asynqqueue", "results/sqlitestore", "results/redisstore", "results/natsstore"}

func room(path string) string {
	best := ""
	for r := range may {
		if (path == r || strings.HasPrefix(path, r+"/")) && len(r) > len(best) {
			best = r
		}
	}
	return best
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "overnight/...")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		from := strings.TrimPrefix(p.ImportPath, "overnight/")
		r := room(from)
		if r == "" {
			t.Errorf("package %s stands in no room that the rules know", from)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, "overnight/")
			if !ours || room(to) == r || (strings.HasPrefix(to, "internal/") && to != "internal/catalog") {
				continue
			}
			if !allowed(r, to) {
				t.Errorf("%s imports %s: %s may import %v", from, to, r, may[r])
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if seen < 15 {
		t.Errorf("saw %d packages, want all", seen)
	}
}

func allowed(r, to string) bool {
	if to == "internal/catalog" {
		return r == "cmd"
	}
	for _, a := range adapters {
		if strings.HasPrefix(to, a) {
			return r == "cmd"
		}
	}
	for _, a := range may[r] {
		if to == a || strings.HasPrefix(to, a+"/") {
			return true
		}
	}
	return false
}
