package jobs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"overnight/envs"
	"overnight/jobs/design"
	"overnight/jobs/internal/tree"
)

// ParseOptions are what may come with a study file. All may be left zero.
type ParseOptions struct {
	// Set holds "path=value" arguments that change the file before it is read:
	// "env.budget=600", "agents.corrected.learning_rate={grid: [0.01, 0.1]}",
	// "replications=3". A value is YAML; labels lead into lists.
	Set []string
	// ReadFile reads a data file by the path in the study. Defaults to
	// os.ReadFile, relative to the study file's folder.
	ReadFile func(path string) ([]byte, error)
}

// Parse reads a study file, checks it against the catalog's schemas, reads its
// data files, and tries every pair of environment and agent that it asks for:
// each level of each factor, and all points where there are at most 10,000. The
// error is Problems: everything that is wrong, with its place.
//
// file is the path that messages name; src is its content.
func Parse(file string, src []byte, cat *Catalog, o ParseOptions) (*Study, error) {
	if o.ReadFile == nil {
		o.ReadFile = func(path string) ([]byte, error) {
			if !filepath.IsAbs(path) {
				path = filepath.Join(filepath.Dir(file), path)
			}
			return readCapped(path)
		}
	}
	p := &parser{
		file: file, cat: cat, o: o, seen: map[Problem]bool{},
		s:        &Study{Engine: EngineVersion, content: map[string][]byte{}},
		shared:   map[string]int{},
		factorAt: map[*tree.Node]int{},
		flagged:  map[tree.Pos]bool{},
		aim:      newAim(),
	}
	root, errs := tree.Read(src)
	for _, e := range errs {
		p.fail(e.Pos, e.What, e.Instead)
	}
	if root != nil {
		p.study(root)
	}
	if len(p.problems) > 0 {
		return nil, p.problems.sorted()
	}
	return p.s, nil
}

// parser reads one study file. It goes on after a problem, so that one run shows
// them all.
type parser struct {
	file     string
	cat      *Catalog
	o        ParseOptions
	s        *Study
	root     *tree.Node
	problems Problems
	seen     map[Problem]bool

	replaced []*tree.Node       // that Set took the place of
	shared   map[string]int     // factor by name
	used     map[string]bool    // names after $
	factorAt map[*tree.Node]int // by the mappings and $names that stand for factors
	defs     []definition       // by factor
	tasks    []source
	arms     []source

	specs      []*envs.Spec      // of the first form of every environment
	flagged    map[tree.Pos]bool // places whose problem is said, before the schemas are asked
	checking   bool              // the schemas are being asked
	stochastic bool              // an agent's Sample differs from its Greedy
	oracles    map[int]bool      // arms that ask for the best action
	aim        aim
}

// definition is where a factor and its levels stand.
type definition struct {
	node   *tree.Node   // the mapping {grid: ...}
	value  *tree.Node   // what its key holds
	levels []*tree.Node // or the ends of a range
}

// source is where an entry of env, envs or agents stands.
type source struct {
	node   *tree.Node
	name   *tree.Node // its environment or agent
	prefix string     // of its factors' names: "env", or a label
	title  string     // "arm corrected"
	entry  entry
}

// placeOf names a position in the middle of a message.
func placeOf(at tree.Pos) string {
	if at.Set != "" {
		return "by --set " + at.Set
	}
	return fmt.Sprintf("on line %d", at.Line)
}

func (p *parser) fail(at tree.Pos, what, instead string) {
	pr := Problem{File: p.file, Line: at.Line, Column: at.Column, What: what, Instead: instead}
	if at.Set != "" {
		pr.File, pr.Line, pr.Column = "--set "+at.Set, 0, 0
	}
	if !p.checking {
		p.flagged[at] = true
	}
	if !p.seen[pr] {
		p.seen[pr] = true
		p.problems = append(p.problems, pr)
	}
}

// keys of a study file; those of later are refused so far.
func studyKeys() []string {
	return []string{"study", "question", "seed", "factors", "data", "env", "envs", "agents", "baseline", "design",
		"replications", "confirm", "paired", "train", "evaluate", "objective", "record", "limits", "stop_after_failures"}
}

// laterKeys are keys that have a place in study files, and what to write in this
// version instead.
func laterKeys() map[string]string {
	return map[string]string{
		"constraints": "leave it out; compare the metric in the results instead",
		"guardrails":  "leave it out; compare the metric in the results instead",
		"init":        "leave it out; every agent begins untrained",
	}
}

func (p *parser) study(root *tree.Node) {
	if root = p.applySets(root); root == nil {
		return
	}
	if root.Kind != tree.Mapping || len(root.Entries) == 0 {
		what := "a study is a mapping, and this is " + root.String()
		if root.IsNull() {
			what = "the file is empty"
		}
		p.fail(root.Pos, what, "begin with study: NAME, env: and agents:")
		return
	}
	p.root = root
	p.unknownKeys()
	p.head()
	p.findUsed()
	p.data()
	p.sharedFactors()
	p.envs()
	p.agents()
	p.labels()
	p.difference()
	p.confirmOf()
	p.designs()
	p.paired()
	p.checkTasks()
	p.evaluation()
	if p.s.Evaluate.Every > 0 && p.root.Lookup("record") == nil {
		p.s.Record.CurvePoints = defaultCurvePoints // checks that nobody keeps would be for nothing
	}
	p.checkArms()
	p.objective()
	if len(p.problems) > 0 {
		return
	}
	p.choose()
	if err := p.s.prepare(p.cat); err != nil {
		at, instead := p.at("design"), "use fewer levels, points or replications"
		switch {
		case errors.Is(err, errTooManyTrials):
			at = p.at("replications")
		case errors.Is(err, design.ErrComposite):
			instead = "use kind: sobol or lhs for more factors, oat for one; or put some into a part {kind: grid, of: [...]}"
		case errors.Is(err, design.ErrDimensions):
			instead = "use kind: lhs or random"
		}
		p.fail(at, err.Error(), instead)
		return
	}
	p.ruledSize()
	p.checkPairs()
	p.metrics()
	p.confirmed()
}

// at is the place of a key's value, or of the study where the key is not there.
func (p *parser) at(key string) tree.Pos {
	if n := p.root.Lookup(key); n != nil {
		return n.Pos
	}
	return p.root.Pos
}

func (p *parser) unknownKeys() {
	for _, e := range p.root.Entries {
		instead, later := laterKeys()[e.Key]
		switch {
		case slices.Contains(studyKeys(), e.Key) || strings.HasPrefix(e.Key, "x-"):
		case later:
			p.fail(e.Pos, e.Key+" is not in this version", instead)
		default:
			p.fail(e.Pos, fmt.Sprintf("there is no key %s in a study", tree.Shorten(e.Key, 40)), p.suggestKey(e.Key))
		}
	}
	for _, key := range []string{"study", "agents"} {
		if p.root.Lookup(key) == nil {
			p.fail(p.root.Pos, "the key "+key+" is missing", map[string]string{
				"study":  "write study: NAME",
				"agents": "write agents: with one '- {name: AGENT}' a line; the agents are " + enumerate(p.agentNames(), 8),
			}[key])
		}
	}
	if p.root.Lookup("env") == nil && p.root.Lookup("envs") == nil {
		p.fail(p.root.Pos, "the key env is missing", "write env: {name: ENVIRONMENT}; the environments are "+enumerate(p.envNames(), 8))
	}
}

func (p *parser) suggestKey(key string) string {
	if slices.Contains([]string{"name", "as"}, key) {
		return "write study: NAME; names of environments and agents stand in their entries"
	}
	if alias := map[string]string{
		"arms": "agents", "agent": "agents", "environment": "env", "environments": "envs", "seeds": "seed", "repeats": "replications",
		"runs": "replications", "episodes": "train", "training": "train", "evaluation": "evaluate", "metric": "objective",
		"parameters": "factors", "shared": "factors", "title": "question", "description": "question",
	}[key]; alias != "" {
		return "did you mean " + alias + "?"
	}
	return suggest(key, "keys", studyKeys())
}

func (p *parser) envNames() []string {
	var names []string
	for _, f := range p.cat.Envs {
		names = append(names, f.Name())
	}
	return names
}

func (p *parser) agentNames() []string {
	var names []string
	for _, f := range p.cat.Agents {
		names = append(names, f.Name())
	}
	return names
}

// readCapped is os.ReadFile that refuses files longer than maxDataBytes without
// reading them.
func readCapped(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	case info.Size() > maxDataBytes:
		return nil, errTooLong
	}
	return os.ReadFile(path)
}
