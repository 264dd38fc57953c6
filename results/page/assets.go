package page

import (
	"bytes"
	"embed"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"
)

//go:embed assets script style page.gohtml
var embedded embed.FS

// The pieces of charts.js and page.css, in their order. All of charts.js is one
// scope: head.js says what it gives out.
var (
	scriptPieces = []string{"tools", "scale", "layers", "lines", "bars", "grids", "parallel", "tiles", "replay", "pointer", "plot", "view", "tables", "theme", "main"}
	stylePieces  = []string{"base", "figure", "page"}
)

// Assets holds what a page needs to draw figures: echarts.min.js, charts.js and
// page.css, and echarts.LICENSE.txt. The head of charts.js says how it is used.
func Assets() fs.FS {
	script := append(piece("script/head.js"), "(() => {\n\"use strict\";\n\n"...)
	for _, name := range scriptPieces {
		script = append(append(script, piece("script/"+name+".js")...), '\n')
	}
	var style []byte
	for _, name := range stylePieces {
		style = append(style, piece("style/"+name+".css")...)
	}
	return files{
		"echarts.min.js":      piece("assets/echarts.min.js"),
		"echarts.LICENSE.txt": piece("assets/echarts.LICENSE.txt"),
		"charts.js":           append(script, "})();\n"...),
		"page.css":            style,
	}
}

func piece(name string) []byte {
	b, err := embedded.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded above
	}
	return b
}

// files is a file system of one folder, in memory.
type files map[string][]byte

// Open implements fs.FS. Opened files can be sought in, as http.FileServerFS needs.
func (f files) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		var all []fs.DirEntry
		for n, b := range f {
			all = append(all, fs.FileInfoToDirEntry(info{n, int64(len(b))}))
		}
		slices.SortFunc(all, func(a, b fs.DirEntry) int { return bytes.Compare([]byte(a.Name()), []byte(b.Name())) })
		return &folder{all}, nil
	}
	b, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{bytes.NewReader(b), info{name, int64(len(b))}}, nil
}

// ReadFile implements fs.ReadFileFS.
func (f files) ReadFile(name string) ([]byte, error) {
	b, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(b), nil
}

type file struct {
	*bytes.Reader
	info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }
func (f *file) Size() int64                { return f.size }

type folder struct{ rest []fs.DirEntry }

func (d *folder) Stat() (fs.FileInfo, error) { return info{".", 0}, nil }
func (d *folder) Close() error               { return nil }
func (d *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

func (d *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	all := d.rest[:n]
	d.rest = d.rest[n:]
	return all, nil
}

// info describes a file; the folder is named ".".
type info struct {
	name string
	size int64
}

func (i info) Name() string       { return path.Base(i.name) }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.name == "." }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
