package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"overnight/results/page"
)

//go:embed ui
var ui embed.FS

// pagePolicy is what pages of the dashboard may do: use what this service serves.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// asset is a file of the dashboard.
type asset struct {
	data []byte
	tag  string
	kind string
}

// loadAssets reads the dashboard's own files and those it shares with reports.
func loadAssets() map[string]asset {
	all := map[string]asset{}
	own, err := fs.Sub(ui, "ui")
	if err != nil {
		panic(err) // it is embedded above
	}
	for _, from := range []struct {
		files fs.FS
		names []string
	}{
		{own, []string{"index.html", "study.html", "signin.html", "common.js", "index.js", "study.js", "signin.js", "ui.css"}},
		{page.Assets(), []string{"echarts.min.js", "charts.js", "page.css"}},
	} {
		for _, name := range from.names {
			b, err := fs.ReadFile(from.files, name)
			if err != nil {
				panic(err) // both are embedded
			}
			sum := sha256.Sum256(b)
			all[name] = asset{b, `"` + hex.EncodeToString(sum[:12]) + `"`, mime.TypeByExtension(path.Ext(name))}
		}
	}
	return all
}

// pages are the routes of the dashboard. Its pages hold no data: they ask the API.
func (a *api) pages() []route {
	files := loadAssets()
	show := func(name string) func(http.ResponseWriter, *http.Request) error {
		return func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Content-Security-Policy", pagePolicy)
			serveAsset(w, r, name, files[name])
			return nil
		}
	}
	return []route{
		{"GET /{$}", View, "", show("index.html"), true},
		{"GET /studies/{name}", View, "", show("study.html"), true},
		{"GET /signin", everybody, "", show("signin.html"), false},
		{"GET /assets/{file}", everybody, "", func(w http.ResponseWriter, r *http.Request) error {
			name := r.PathValue("file")
			f, ok := files[name]
			if !ok || path.Ext(name) == ".html" {
				return &problem{status: http.StatusNotFound, text: "there is no such file"}
			}
			serveAsset(w, r, name, f)
			return nil
		}, false},
	}
}

// serveAsset serves a file, which browsers ask for again each time and get where
// it has changed.
func serveAsset(w http.ResponseWriter, r *http.Request, name string, f asset) {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", f.tag)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.data))
}
