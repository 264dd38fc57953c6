package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"

	"overnight/results/figure"
)

// Write writes the page. It is complete: styles, scripts and the document itself
// (as JSON, for other programs too) stand in it, and its content security policy
// forbids it to load anything or to run any other script. Without JavaScript the
// words and tables are there, and the pictures are not. The same document gives
// the same bytes.
func Write(w io.Writer, d Document) error {
	t, err := template.New("page.gohtml").Funcs(template.FuncMap{"number": isNumber, "path": figurePath, "dict": dict, "color": colorOf}).ParseFS(embedded, "page.gohtml")
	if err != nil {
		return fmt.Errorf("read the page's frame: %w", err)
	}
	// json.Marshal writes <, > and & as \u003c and so on: no text of the document can
	// end the script element.
	if d.Sections == nil {
		d.Sections = []Section{}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("write document %q as JSON: %w", d.Study, err)
	}
	assets := Assets()
	v := frame{Document: d, JSON: template.JS(text), File: fileName(d.Study)}
	var hashes []string
	for _, s := range []struct {
		to   *template.JS
		name string
	}{{&v.ECharts, "echarts.min.js"}, {&v.Charts, "charts.js"}, {&v.Report, "report.js"}} {
		b := piece("script/report.js")
		if s.name != "report.js" {
			if b, err = fs.ReadFile(assets, s.name); err != nil {
				return fmt.Errorf("read the page's scripts: %w", err)
			}
		}
		*s.to = template.JS(b)
		sum := sha256.Sum256(b)
		hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	css, err := fs.ReadFile(assets, "page.css")
	if err != nil {
		return fmt.Errorf("read the page's style: %w", err)
	}
	v.Style = template.CSS(css)
	v.Policy = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; script-src " + strings.Join(hashes, " ")
	var page bytes.Buffer
	if err := t.Execute(&page, v); err != nil {
		return fmt.Errorf("write the page of study %q: %w", d.Study, err)
	}
	if _, err := w.Write(page.Bytes()); err != nil {
		return fmt.Errorf("write the page of study %q: %w", d.Study, err)
	}
	return nil
}

// frame is what page.gohtml is filled with. The assets are our own files; JSON is
// escaped by json.Marshal.
type frame struct {
	Document
	JSON, ECharts, Charts, Report template.JS
	Style                         template.CSS
	Policy                        string
	File                          string
}

// isNumber tells whether column i of a table holds numbers.
func isNumber(t Table, i int) bool { return i < len(t.Columns) && t.Columns[i].Number }

// figurePath is where report.js finds a figure in the document: a section's index
// or "lead", and the figure's.
func figurePath(where any, i int) string { return fmt.Sprintf("%v.%d", where, i) }

// colorOf is the colour of a tile's edge.
func colorOf(n int) string {
	all := figure.Colors()
	return all[n%len(all)]
}

// fileName is what the study's file may be called: its name without what a shell
// would read.
func fileName(study string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, study)
	if name = strings.Trim(name, "-."); name == "" {
		return "study"
	}
	return name
}

// dict makes what a nested template is given: names and values in turns.
func dict(pairs ...any) map[string]any {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}
