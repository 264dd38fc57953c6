package jobs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// head reads the keys that stand on their own.
func (p *parser) head() {
	s := p.s
	s.Seed, s.Replications = 1, 1
	if n := p.root.Lookup("study"); n != nil {
		if name, ok := p.text(n, "study", "a name"); ok {
			if why := checkName(name); why != "" {
				instead := nameRule
				if clean := cleanName(name); clean != "" {
					instead = "write " + clean + "; " + instead
				}
				p.fail(n.Pos, fmt.Sprintf("the study's name %q %s", tree.Shorten(name, 40), why), instead)
			}
			s.Name = name
		}
	}
	if n := p.root.Lookup("question"); n != nil {
		s.Question, _ = p.text(n, "question", "a sentence")
	}
	if n := p.root.Lookup("seed"); n != nil {
		s.Seed, _ = p.seed(n)
	}
	if n := p.root.Lookup("replications"); n != nil {
		if n.Kind == tree.Mapping {
			p.stopping(n)
		} else {
			s.Replications, _ = p.count(n, "replications", 1)
		}
	}
	if n := p.root.Lookup("confirm"); n != nil {
		p.confirm(n)
	}
	if n := p.root.Lookup("stop_after_failures"); n != nil {
		s.StopAfterFailures, _ = p.count(n, "stop_after_failures", 0)
	}
	if n := p.root.Lookup("record"); n != nil {
		p.record(n)
	}
	if n := p.root.Lookup("limits"); n != nil {
		if m := p.mapping(n, "limits", "limits: {time: 10m, memory: 1GB}", "time", "memory"); m != nil {
			if v := m.Lookup("time"); v != nil {
				s.Limits.Time, _ = p.duration(v, "limits.time")
			}
			if v := m.Lookup("memory"); v != nil {
				s.Limits.Memory, _ = p.size(v, "limits.memory")
			}
		}
	}
}

// defaultCurvePoints is record.curves.points where evaluate.every is given.
const defaultCurvePoints = 200

// maxCurvePoints keeps a record with its curves well below results.MaxRecord.
const maxCurvePoints = 5000

func (p *parser) record(n *tree.Node) {
	m := p.mapping(n, "record", "record: {curves: {points: 200}}", "curves")
	if m == nil {
		return
	}
	curves := m.Lookup("curves")
	if curves == nil {
		if len(m.Entries) > 0 {
			return // the unknown keys are reported
		}
		p.fail(n.Pos, "record names nothing to keep", "write record: {curves: {points: 200}}, or leave it out")
		return
	}
	if m = p.mapping(curves, "record.curves", "curves: {points: 200}", "points"); m == nil {
		return
	}
	points := m.Lookup("points")
	if points == nil {
		if len(m.Entries) > 0 {
			return
		}
		p.fail(curves.Pos, "record.curves says not how long curves are", "write curves: {points: 200}")
		return
	}
	most, _ := p.count(points, "record.curves.points", 1)
	if most > maxCurvePoints {
		p.fail(points.Pos, fmt.Sprintf("record.curves.points is %d, more than %d", most, maxCurvePoints), "write 200, which fills a picture")
	}
	p.s.Record.CurvePoints = most
}

// maxDataBytes bounds a data file.
const maxDataBytes = 256 << 20

var errTooLong = errors.New("the file is longer than 256 MiB")

// data reads the data files.
func (p *parser) data() {
	n := p.root.Lookup("data")
	if n == nil {
		return
	}
	if n.Kind != tree.Mapping {
		p.fail(n.Pos, "data is "+n.String()+", not a mapping", "write data: {NAME: {csv: PATH}}")
		return
	}
	for _, e := range n.Entries {
		if why := checkIdentifier(e.Key); why != "" {
			p.fail(e.Pos, fmt.Sprintf("the data name %q %s", tree.Shorten(e.Key, 40), why), identifierRule)
		}
		m := p.mapping(e.Value, "data."+e.Key, e.Key+": {csv: PATH}", "csv")
		if m == nil {
			continue
		}
		csv := m.Lookup("csv")
		if csv == nil {
			if len(m.Entries) == 0 {
				p.fail(e.Value.Pos, "data."+e.Key+" names no file", "write {csv: PATH}")
			}
			continue
		}
		if path, ok := p.text(csv, "data."+e.Key+".csv", "a path"); ok && p.used["data."+e.Key] {
			p.load(e.Key, path, csv)
		}
	}
}

// load reads one data file; csv is where its path stands.
func (p *parser) load(name, path string, csv *tree.Node) {
	content, err := p.o.ReadFile(path)
	if err == nil && len(content) > maxDataBytes {
		err = errTooLong
	}
	if err != nil {
		var in *fs.PathError
		if errors.As(err, &in) {
			err = in.Err // the path is said already
		}
		p.fail(csv.Pos, fmt.Sprintf("the data file %s can't be read: %v", path, err), "paths are relative to the study file's folder")
		return
	}
	sum := sha256.Sum256(content)
	p.s.content[name] = content
	p.s.Data = append(p.s.Data, Data{Name: name, Format: "csv", Path: path, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))})
}

// dataValue is what stands in a tree for the content of a data file.
const dataValue = "data:"

// dataRef returns the value of $data.NAME; null, with a problem reported, where
// there is none.
func (p *parser) dataRef(n *tree.Node, name string) param.Value {
	for _, d := range p.s.Data {
		if d.Name == name {
			return dataValue + d.SHA256
		}
	}
	p.flagged[n.Pos] = true
	data := p.root.Lookup("data")
	if data.Lookup(name) == nil { // else its own problem was reported
		var names []string
		if data != nil {
			for _, e := range data.Entries {
				names = append(names, e.Key)
			}
		}
		instead := suggest(name, "data files", names)
		if len(names) == 0 {
			instead = "add data: {" + name + ": {csv: PATH}}"
		}
		p.fail(n.Pos, fmt.Sprintf("$data.%s is not under data", tree.Shorten(name, 40)), instead)
	}
	return nil
}

// findUsed collects the names after $ in the entries, and complains about data
// and shared factors that nothing uses, unless an argument took their place.
func (p *parser) findUsed() {
	p.used = map[string]bool{}
	collect := func(n *tree.Node) {
		if s, ok := n.Value.(string); ok && strings.HasPrefix(s, "$") {
			p.used[s[1:]] = true
		}
	}
	for _, key := range []string{"env", "envs", "agents"} {
		p.root.Lookup(key).Walk(collect)
	}
	factors := p.root.Lookup("factors")
	factors.Walk(collect)
	now := p.used
	p.used = map[string]bool{}
	for _, n := range p.replaced {
		n.Walk(collect)
	}
	before := p.used
	p.used = now
	for _, kind := range []struct{ key, prefix, what string }{{"factors", "", "factor"}, {"data", "data.", "data file"}} {
		n := p.root.Lookup(kind.key)
		if n == nil {
			continue
		}
		for _, e := range n.Entries {
			if name := kind.prefix + e.Key; !p.used[name] && !before[name] && checkIdentifier(e.Key) == "" {
				p.fail(e.Pos, fmt.Sprintf("the %s %s is used nowhere", kind.what, e.Key), fmt.Sprintf("write $%s where its value belongs, or leave it out", name))
			}
		}
	}
}
