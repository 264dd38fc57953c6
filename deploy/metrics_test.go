package deploy

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exported are the metrics of the program, and the labels that a query may group
// by beside those that Prometheus adds.
var exported = map[string][]string{
	"overnight_trials_pending":                nil,
	"overnight_trials_running":                nil,
	"overnight_trials_committed_total":        nil,
	"overnight_trials_refused_total":          nil,
	"overnight_trials_duplicates_total":       nil,
	"overnight_trials_differs_total":          nil,
	"overnight_trials_dead":                   nil,
	"overnight_lease_age_seconds":             nil,
	"overnight_recovery_seconds":              nil,
	"overnight_core_seconds_total":            {"study"},
	"overnight_core_seconds_wasted_total":     {"study"},
	"overnight_workers":                       nil,
	"overnight_slots":                         nil,
	"overnight_store_used_ratio":              nil,
	"overnight_leader":                        nil,
	"overnight_store_up":                      nil,
	"overnight_jobs_lost_total":               nil,
	"overnight_counts_went_back_total":        nil,
	"overnight_build_info":                    {"version", "engine"},
	"overnight_worker_trials_committed_total": nil,
	"overnight_worker_slots":                  nil,
	"overnight_worker_busy":                   nil,
}

// query is a PromQL expression and where it stands.
type query struct{ where, expr string }

func queries(t *testing.T) []query {
	t.Helper()
	var all []query
	for _, rule := range alerts(t) {
		all = append(all, query{"alerts.yaml: " + text(rule, "alert"), text(rule, "expr")})
	}
	walk(at(mapping(t, "grafana/overnight.json"), "panels"), func(m node) {
		if e := text(m, "expr"); e != "" {
			all = append(all, query{"overnight.json", e})
		}
	})
	for _, objects := range resources(t, "kustomize/base") {
		for _, o := range objects {
			for _, trigger := range list(o, "spec", "triggers") {
				all = append(all, query{"scaling.yaml", text(trigger, "metadata", "query")})
			}
		}
	}
	return all
}

func alerts(t *testing.T) []node {
	t.Helper()
	var all []node
	for _, g := range list(mapping(t, "prometheus/alerts.yaml"), "groups") {
		for _, r := range list(g, "rules") {
			all = append(all, r.(node))
		}
	}
	return all
}

var (
	metricName = regexp.MustCompile(`\bovernight_[a-z_]+`)
	grouping   = regexp.MustCompile(`\bby \(([^)]*)\)`)
	function   = regexp.MustCompile(`\b([a-z_]+) ?\(`)
	operators  = []string{"and", "or", "unless", "by", "max", "min", "sum", "count", "increase", "rate", "histogram_quantile", "vector"}
)

// wrong tells what in an expression Prometheus would refuse or never find.
func wrong(expr string) string {
	depth := 0
	for _, r := range expr {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		return "its parentheses don't match"
	}
	for _, m := range function.FindAllStringSubmatch(expr, -1) {
		if !slices.Contains(operators, m[1]) {
			return "this test does not know the function " + m[1]
		}
	}
	names := metricName.FindAllString(expr, -1)
	if len(names) == 0 {
		return "it names no metric"
	}
	var labels []string
	for _, name := range names {
		base := name
		if b := strings.TrimSuffix(name, "_bucket"); b == "overnight_recovery_seconds" {
			base = b
		}
		l, ok := exported[base]
		if !ok {
			return "the program does not export " + name
		}
		if counts := strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket"); counts != strings.Contains(expr, "("+name+"[") {
			return name + ": counters are read with rate or increase, gauges are not"
		}
		labels = append(labels, l...)
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, l := range strings.Split(g[1], ",") {
			if l = strings.TrimSpace(l); l != "instance" && l != "le" && !slices.Contains(labels, l) {
				return "no metric in it has the label " + l
			}
		}
	}
	return ""
}

func TestQueries(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, q := range queries(t) {
		if what := wrong(q.expr); what != "" {
			t.Errorf("%s: %s: %s", q.where, q.expr, what)
		}
		for _, name := range metricName.FindAllString(q.expr, -1) {
			used[strings.TrimSuffix(name, "_bucket")] = true
		}
	}
	for name := range exported {
		if !used[name] {
			t.Errorf("%s stands in no alert, no panel and no trigger", name)
		}
	}
	for expr, want := range map[string]string{
		"sum(rate(overnight_trials_committed_total[1m]))": "",
		"sum(overnight_trials_pending":                    "its parentheses don't match",
		"sum(overnight_trials_committed_total)":           "counters are read with rate",
		"overnight_jobs_pending":                          "does not export overnight_jobs_pending",
		"sum by (study) (overnight_trials_pending)":       "the label study",
		"up == 0": "names no metric",
	} {
		if got := wrong(expr); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("wrong(%s) = %q, want %q", expr, got, want)
		}
	}
}

// shown checks the metrics that the processes at these addresses show against
// those that these tests know.
func shown(t *testing.T, addresses ...string) {
	t.Helper()
	found := map[string]bool{}
	for _, addr := range addresses {
		answer, err := http.Get("http://" + addr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", addr, answer.Status, err)
		}
		for _, m := range regexp.MustCompile(`(?m)^# TYPE (overnight_\w+) `).FindAllStringSubmatch(string(body), -1) {
			found[m[1]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exported)) {
		if !found[name] {
			t.Errorf("the program does not show %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := exported[name]; !ok {
			t.Errorf("the program shows %s, which these tests don't know", name)
		}
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	page := read(t, "../docs/operations.md")
	all := map[string]node{}
	for _, r := range alerts(t) {
		name := text(r, "alert")
		all[name] = r
		if s := text(r, "labels", "severity"); s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", name, s)
		}
		if text(r, "annotations", "summary") == "" || text(r, "annotations", "description") == "" {
			t.Errorf("%s has no summary or no description", name)
		}
		if got, want := text(r, "annotations", "runbook"), "docs/operations.md#"+strings.ToLower(name); got != want {
			t.Errorf("%s: runbook %q, want %q", name, got, want)
		}
		if !strings.Contains(page, "\n#### "+name+"\n") {
			t.Errorf("docs/operations.md has no heading %s", name)
		}
	}
	for name, want := range map[string]struct{ metric, bound, after string }{
		"OvernightNoProgress":     {"overnight_trials_committed_total", "> 0", "10m"},
		"OvernightLeaseAge":       {"overnight_lease_age_seconds", "> 30", ""},
		"OvernightDeadTrials":     {"overnight_trials_dead", "> 0", ""},
		"OvernightStoreFull":      {"overnight_store_used_ratio", "> 0.8", ""},
		"OvernightNondeterminism": {"overnight_trials_differs_total", "> 0", ""},
		"OvernightNoLeader":       {"overnight_leader", "< 1", ""},
	} {
		r := all[name]
		expr := text(r, "expr")
		if !strings.Contains(expr, want.metric) || !strings.Contains(expr, want.bound) || want.after != "" && text(r, "for") != want.after {
			t.Errorf("%s: %s for %q, want %s %s for %q", name, expr, text(r, "for"), want.metric, want.bound, want.after)
		}
	}
}

func TestBoard(t *testing.T) {
	t.Parallel()
	board := mapping(t, "grafana/overnight.json")
	ids := map[string]bool{}
	type cell struct{ x, y int }
	taken := map[cell]string{}
	for _, p := range list(board, "panels") {
		title, id := text(p, "title"), text(p, "id")
		if title == "" || id == "" || ids[id] {
			t.Errorf("panel %q has the id %q, want one of its own", title, id)
		}
		ids[id] = true
		if len(list(p, "targets")) == 0 {
			t.Errorf("panel %s shows nothing", title)
		}
		var x, y, w, h int
		if _, err := fmt.Sscan(text(p, "gridPos", "x")+" "+text(p, "gridPos", "y")+" "+text(p, "gridPos", "w")+" "+text(p, "gridPos", "h"), &x, &y, &w, &h); err != nil || x+w > 24 {
			t.Errorf("panel %s lies at %d to %d of 24 columns: %v", title, x, x+w, err)
		}
		for i := range w {
			for j := range h {
				if other := taken[cell{x + i, y + j}]; other != "" {
					t.Fatalf("panels %s and %s overlap", title, other)
				}
				taken[cell{x + i, y + j}] = title
			}
		}
	}
	if len(ids) < 10 {
		t.Errorf("saw %d panels", len(ids))
	}
	uid := text(board, "templating", "list", 0, "name")
	walk(at(board, "panels"), func(m node) {
		if text(m, "type") == "prometheus" && text(m, "uid") != "${"+uid+"}" {
			t.Errorf("a panel names the data source %s, want the variable of the board", text(m, "uid"))
		}
	})
}
