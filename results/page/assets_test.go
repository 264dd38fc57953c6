package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"overnight/results/figure"
)

func TestAssets(t *testing.T) {
	t.Parallel()
	if err := fstest.TestFS(Assets(), "echarts.min.js", "echarts.LICENSE.txt", "charts.js", "page.css"); err != nil {
		t.Fatal(err)
	}
}

// The bundle is the one that echarts/build.sh makes.
func TestBundleIsVerified(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("echarts/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d sums, want 2", len(lines))
	}
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		b, err := fs.ReadFile(Assets(), name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s has the SHA-256 %x, want %s: run results/page/echarts/build.sh", name, sum, want)
		}
	}
}

// Every piece of script is in charts.js, or is the report's own.
func TestEveryPieceIsUsed(t *testing.T) {
	t.Parallel()
	for folder, used := range map[string][]string{"script": append([]string{"head", "report"}, scriptPieces...), "style": stylePieces} {
		all, err := embedded.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != len(used) {
			t.Errorf("%s holds %d files, %d are used", folder, len(all), len(used))
		}
	}
}

// The browser draws in the colours of package figure.
func TestColoursAreFigures(t *testing.T) {
	t.Parallel()
	b := piece("script/tools.js")
	for name, want := range map[string][]string{"colors": figure.Colors(), "sequential": figure.Sequential(), "diverging": figure.Diverging(), "grey": {figure.Grey}, "missing": {figure.Missing}} {
		line := regexp.MustCompile(`(?m)^const ` + name + ` = .*$`).Find(b)
		var got []string
		for _, c := range regexp.MustCompile(`#[0-9A-Fa-f]{6}`).FindAll(line, -1) {
			got = append(got, string(c))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-figure +tools.js):\n%s", name, d)
		}
	}
}

// What a strict policy forbids stands nowhere in our scripts: code from text,
// HTML from text, style attributes from text.
func TestScriptsKeepAStrictPolicy(t *testing.T) {
	t.Parallel()
	script, err := fs.ReadFile(Assets(), "charts.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"eval(", "new Function", "innerHTML", "insertAdjacentHTML", "document.write", `"style"`, "fetch(", "XMLHttpRequest"} {
		if bytes.Contains(append(script, piece("script/report.js")...), []byte(bad)) {
			t.Errorf("the scripts hold %q", bad)
		}
	}
	// The kinds of package figure are those that are drawn.
	for _, kind := range []figure.Kind{figure.Lines, figure.Areas, figure.Bars, figure.Intervals, figure.Scatter, figure.Heatmap, figure.Contour, figure.Parallel} {
		if !regexp.MustCompile(`\b` + string(kind) + `: draw`).Match(script) {
			t.Errorf("nothing draws %q", kind)
		}
	}
	if !bytes.Contains(script, []byte(`kind === "`+figure.Tiles+`" ? new Tiles`)) {
		t.Errorf("nothing draws %q", figure.Tiles)
	}
}
