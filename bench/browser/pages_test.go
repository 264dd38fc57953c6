package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A page is something to look at.
type page struct {
	name string
	// open makes the page in a folder that lasts as long as the tests, or starts what
	// serves it, and returns its address and what ends it (may be nil). It is called
	// once.
	open func(t *testing.T, dir string) (url string, stop func())
	// ready is a JavaScript expression that is true once the page can be used.
	ready string
	// requests tells whether the page may ask for an address beside its own; nil:
	// for none.
	requests func(url string) bool
	// leave selects controls that are not clicked: those that end the page's own
	// study, and links to elsewhere.
	leave string
	// figures tells whether the page must have figures.
	figures bool
}

// pages are all pages. A new one (the dashboard) is another entry.
var pages = []page{
	{name: "sample", open: openSample, ready: drawn, figures: true},
	{name: "report", open: openReport, ready: drawn, figures: true},
	{name: "campaign", open: openCampaign, ready: drawn, figures: true},
	{
		name: "dashboard", open: openDashboard, figures: true,
		ready:    `document.querySelector("#state")?.textContent.trim() === "finished" && !!document.querySelector("#fig-live-intervals canvas")`,
		requests: func(url string) bool { return strings.HasPrefix(url, "http://127.0.0.1:") },
		leave:    "a", // they lead to other pages: see TestOrders
	},
}

// drawn: the first figure is drawn, or the page has none.
const drawn = `document.documentElement.classList.contains("scripted") && (!document.querySelector("[data-figure]") || !!document.querySelector(".figure canvas, .figure svg.swatch"))`

// opened holds the addresses of the pages that have been opened, and what ends them.
var opened struct {
	sync.Mutex
	dir   string
	urls  map[string]string
	stops []func()
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "overnight-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	opened.dir, opened.urls = dir, map[string]string{}
	code := m.Run()
	for _, stop := range opened.stops {
		stop()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// address opens a page where it has not been yet.
func address(t *testing.T, p page) string {
	t.Helper()
	opened.Lock()
	defer opened.Unlock()
	if _, ok := opened.urls[p.name]; !ok {
		url, stop := p.open(t, opened.dir)
		opened.urls[p.name] = url
		if stop != nil {
			opened.stops = append(opened.stops, stop)
		}
	}
	return opened.urls[p.name]
}

// openSample makes the page of package page's test: every kind of figure, long
// names, texts that would break a page that does not escape them.
func openSample(t *testing.T, dir string) (string, func()) {
	t.Helper()
	file := filepath.Join(dir, "sample.html")
	command(t, "go", "test", "-count=1", "-run", "^TestWriteIsSelfContainedAndSmall$", "./results/page", "-args", "-page", file)
	return "file://" + file, nil
}

// build builds the program once.
func build(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "overnight")
	if _, err := os.Stat(binary); err != nil {
		command(t, "go", "build", "-o", binary, "./cmd/overnight")
	}
	return binary
}

func openReport(t *testing.T, dir string) (string, func()) {
	t.Helper()
	return report(t, dir, "delay-volatility"), nil
}

// openCampaign is a report on bandits: large numbers, stacks and a replay.
func openCampaign(t *testing.T, dir string) (string, func()) {
	t.Helper()
	return report(t, dir, "email-ab"), nil
}

// report runs an example with the binary, makes its report and returns its address.
func report(t *testing.T, dir, study string) string {
	t.Helper()
	binary := build(t, dir)
	file, store := filepath.Join(dir, study+".html"), filepath.Join(dir, "store")
	command(t, binary, "run", "examples/"+study+".yaml", "--store", store)
	command(t, binary, "report", study, "--store", store, "-o", file)
	return "file://" + file
}

// command runs a command in the repository's folder.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
