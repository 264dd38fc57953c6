package browser

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// A page is something to look at.
type page struct {
	name string
	// open starts whatever serves the page, until the test ends, and returns its
	// address.
	open func(t *testing.T) string
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
}

// drawn: the first figure is drawn, or the page has none.
const drawn = `document.documentElement.classList.contains("scripted") && (!document.querySelector("[data-figure]") || !!document.querySelector(".figure canvas, .figure svg.swatch"))`

// openSample makes the page of package page's test: every kind of figure, long
// names, texts that would break a page that does not escape them.
func openSample(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sample.html")
	command(t, "go", "test", "-count=1", "-run", "^TestWriteIsSelfContainedAndSmall$", "./results/page", "-args", "-page", file)
	return "file://" + file
}

// openReport runs a study with the binary and makes its report.
func openReport(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "overnight")
	command(t, "go", "build", "-o", binary, "./cmd/overnight")
	if exec.Command(binary, "report", "--help").Run() != nil {
		t.Skip("this binary has no command report")
	}
	file, store := filepath.Join(t.TempDir(), "report.html"), filepath.Join(t.TempDir(), "store")
	command(t, binary, "run", "examples/delay-volatility.yaml", "--store", store)
	command(t, binary, "report", "delay-volatility", "--store", store, "-o", file)
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
