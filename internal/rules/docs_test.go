package rules

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"overnight/internal/catalog"
	"overnight/jobs"
)

// root is the repository, as these tests see it.
const root = "../.."

// block is a fenced block of a Markdown page.
type block struct {
	file string // below root
	line int    // of its first line
	info string // what stands behind the fence: "yaml", "sh", "yaml refused"
	text string
}

func (b *block) at() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// padded is the text with its page's line numbers.
func (b *block) padded() []byte { return []byte(strings.Repeat("\n", b.line-1) + b.text) }

// split separates a page's blocks from its prose, in which their lines are empty.
func split(file, page string) (blocks []block, prose string) {
	var out strings.Builder
	var open *block
	n := 0
	for line := range strings.Lines(page) {
		n++
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			open = &block{file: file, line: n + 1, info: info}
		case fence:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += line
		default:
			out.WriteString(line)
			continue
		}
		out.WriteByte('\n')
	}
	if open != nil { // the fence has no end
		blocks = append(blocks, *open)
	}
	return blocks, out.String()
}

// pages returns README.md and docs/*.md, below root.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatalf("no pages in docs: %v", err)
	}
	list := []string{"README.md"}
	for _, name := range docs {
		list = append(list, "docs/"+filepath.Base(name))
	}
	return list
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// firstKey returns the first line that is no comment.
func firstKey(text string) string {
	for line := range strings.Lines(text) {
		if s := strings.TrimSpace(line); s != "" && s[0] != '#' {
			return s
		}
	}
	return ""
}

func TestStudiesInPages(t *testing.T) {
	t.Parallel()
	cat := catalog.New()
	studies, refused := 0, 0
	for _, file := range pages(t) {
		blocks, _ := split(file, read(t, file))
		for i, b := range blocks {
			switch {
			case b.info == "yaml refused":
				refused++
				var want block
				if i+1 < len(blocks) {
					want = blocks[i+1]
				}
				if diff := cmp.Diff(want.text, refusal(b.text, cat)); diff != "" {
					t.Errorf("%s: the block after it is not what the program says (-page +program):\n%s", b.at(), diff)
				}
			case b.info != "yaml":
			case strings.HasPrefix(firstKey(b.text), "study:"):
				studies++
				if _, err := jobs.Parse(file, b.padded(), cat, jobs.ParseOptions{}); err != nil {
					t.Error(err)
				}
			default:
				var v any
				if err := yaml.Unmarshal(b.padded(), &v); err != nil || v == nil {
					t.Errorf("%s: %v, %v", b.at(), v, err)
				}
			}
		}
	}
	if studies == 0 || refused == 0 {
		t.Errorf("saw %d studies and %d refused ones, want some of both", studies, refused)
	}
}

// refusal is what the program prints for a study file named study.yaml.
func refusal(src string, cat *jobs.Catalog) string {
	_, err := jobs.Parse("study.yaml", []byte(src), cat, jobs.ParseOptions{})
	var ps jobs.Problems
	if !errors.As(err, &ps) {
		return fmt.Sprintf("accepted: %v", err)
	}
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.Caret([]byte(src)))
	}
	fmt.Fprintf(&b, "overnight: study.yaml: %d problems, nothing was run\n", len(ps))
	return b.String()
}

func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "examples", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := jobs.Parse(file, src, catalog.New(), jobs.ParseOptions{}); err != nil {
				t.Error(err)
			}
			if what := opening(string(src)); what != "" {
				t.Error(what)
			}
		})
	}
}

// opening tells what is wrong with the lines of an example before `study:`.
func opening(src string) string {
	words := 0
	for line := range strings.Lines(src) {
		switch {
		case strings.HasPrefix(line, "#"):
			words += len(strings.Fields(line[1:]))
		case !strings.HasPrefix(line, "study:"):
			return fmt.Sprintf("the line %q stands before study: and begins with no '#'", strings.TrimSpace(line))
		case words < 10:
			return "it opens with no comment that says what it asks and what it showed"
		default:
			return ""
		}
	}
	return "it has no line that begins with study:"
}

func TestCommandsInPages(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "overnight")
	build := exec.Command("go", "build", "-o", bin, "overnight/cmd/overnight")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := &program{bin: bin, known: map[string]*usage{}}
	t.Run("lines", func(t *testing.T) {
		seen := 0
		for _, file := range pages(t) {
			blocks, _ := split(file, read(t, file))
			for _, b := range blocks {
				switch b.info {
				case "sh":
				case "bash", "shell", "console":
					t.Errorf("%s: call it sh, which this test reads, not %s", b.at(), b.info)
				default:
					continue
				}
				for _, words := range commands(b.text) {
					seen++
					if what := p.wrong(t, words); what != "" {
						t.Errorf("%s: overnight %s: %s", b.at(), strings.Join(words, " "), what)
					}
				}
			}
		}
		if seen < 20 {
			t.Errorf("saw %d command lines, want those of docs/cli.md at least", seen)
		}
	})
	t.Run("mistakes", func(t *testing.T) {
		for line, want := range map[string]string{
			"overnight run s.yaml --set env.budget=3 -q":                 "",
			"overnight --store one run s.yaml":                           "",
			"X=1 ./bin/overnight ls | head && overnight completion bash": "",
			"go run ./cmd/overnight digest 'a b' > out # --nothing":      "",
			"overnight frobnicate":                                       "no command frobnicate",
			"ls; overnight run s.yaml --slot 3":                          "no flag --slot",
			"overnight --isolate":                                        "no flag --isolate",
			"overnight export s --what":                                  "--what needs a value",
		} {
			got := ""
			for _, words := range commands(line) {
				got += p.wrong(t, words)
			}
			if n := len(commands(line)); got != want || n == 0 {
				t.Errorf("%s: got %q in %d commands, want %q", line, got, n, want)
			}
		}
	})
	for _, name := range []string{"environments", "agents"} {
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile(filepath.Join(root, "docs", name+".md"))
			if errors.Is(err, os.ErrNotExist) {
				t.Fatalf("docs/%s.md is missing: make docs writes it", name)
			}
			list := strings.Replace(name, "environments", "envs", 1)
			printed, perr := exec.Command(bin, list, "--markdown").Output()
			if err := errors.Join(err, perr); err != nil {
				t.Fatal(err)
			}
			body := string(page)
			if strings.HasPrefix(body, "# ") {
				_, body, _ = strings.Cut(body, "\n")
			}
			if diff := cmp.Diff(strings.TrimSpace(body), strings.TrimSpace(string(printed))); diff != "" {
				t.Errorf("docs/%s.md is not what `overnight %s --markdown` prints; run make docs (-page +program):\n%s", name, list, diff)
			}
		})
	}
}

var assignment = regexp.MustCompile(`^[A-Za-z_]\w*=`)

// commands returns the words behind `overnight` of all its command lines in a
// shell text.
func commands(text string) [][]string {
	var all [][]string
	var words []string
	end := func() {
		for len(words) > 0 && (words[0] == "$" || assignment.MatchString(words[0])) {
			words = words[1:]
		}
		switch {
		case len(words) > 0 && filepath.Base(words[0]) == "overnight":
			all = append(all, words[1:])
		case len(words) > 2 && words[0] == "go" && words[1] == "run" && filepath.Base(words[2]) == "overnight":
			all = append(all, words[3:])
		}
		words = nil
	}
	word, quote, begun := "", rune(0), false
	cut := func() {
		if begun {
			words = append(words, word)
		}
		word, begun = "", false
	}
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
	runes:
		for _, r := range line {
			switch {
			case quote != 0 && r == quote:
				quote = 0
			case quote != 0:
				word += string(r)
			case r == '\'' || r == '"':
				quote, begun = r, true
			case r == '#' && !begun:
				break runes
			case unicode.IsSpace(r):
				cut()
			case strings.ContainsRune("|&;<>()", r):
				cut()
				end()
			default:
				word, begun = word+string(r), true
			}
		}
		if quote == 0 {
			cut()
			end()
		}
	}
	return all
}

// usage is what a command's help lists.
type usage struct {
	commands []string
	value    map[string]bool // by flag: it takes a value
}

// program asks the built binary for help, each command once.
type program struct {
	bin   string
	known map[string]*usage
}

var (
	helpCommand = regexp.MustCompile(`(?m)^  ([a-z]+) {2,}\S`)
	helpFlag    = regexp.MustCompile(`(?m)^ +(?:(-\w), )?(--[a-z-]+)( \S+)?(?:  |$)`)
)

func (p *program) help(t *testing.T, path []string) *usage {
	t.Helper()
	key := strings.Join(path, " ")
	if u := p.known[key]; u != nil {
		return u
	}
	out, err := exec.Command(p.bin, append(slices.Clone(path), "--help")...).Output()
	if err != nil {
		t.Fatalf("overnight %s --help: %v", key, err)
	}
	u := &usage{value: map[string]bool{}}
	for _, m := range helpCommand.FindAllStringSubmatch(string(out), -1) {
		u.commands = append(u.commands, m[1])
	}
	for _, m := range helpFlag.FindAllStringSubmatch(string(out), -1) {
		takes := m[3] != "" && !strings.Contains(m[0], "[=") // "[=": it may stand without
		u.value[m[1]], u.value[m[2]] = takes, takes
	}
	p.known[key] = u
	return u
}

// wrong tells which command or flag of a command line there is not; "" where
// all are there.
func (p *program) wrong(t *testing.T, words []string) string {
	t.Helper()
	var path []string
	u := p.help(t, path)
	for i := 0; i < len(words) && words[i] != "--"; i++ {
		name, _, valued := strings.Cut(words[i], "=")
		takes, known := u.value[name]
		switch {
		case name == "-" || !strings.HasPrefix(name, "-"):
			if len(u.commands) == 0 {
				continue
			}
			if !slices.Contains(u.commands, words[i]) {
				return "no command " + words[i]
			}
			path = append(path, words[i])
			u = p.help(t, path)
		case !known:
			return "no flag " + name
		case takes && !valued:
			if i++; i == len(words) {
				return name + " needs a value"
			}
		}
	}
	return ""
}

func TestLinks(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, prose := split(path, string(src))
		for _, to := range links(prose) {
			seen++
			if what := dead(path, to); what != "" {
				t.Errorf("%s: the link to %s leads nowhere: %s", path, to, what)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("saw no link")
	}
	for to, want := range map[string]bool{"CONTRIBUTING.md": true, "no-such.md": false, "CONTRIBUTING.md#no-such": false} {
		if what := dead(filepath.Join(root, "page.md"), to); (what == "") != want {
			t.Errorf("link to %s: got %q, want it to be fine: %v", to, what, want)
		}
	}
}

var (
	codeSpan = regexp.MustCompile("`[^`\n]*`")
	linkTo   = regexp.MustCompile(`\]\(([^)\s]+)(?: "[^"]*")?\)|(?m:^\[[^\]]+\]: +(\S+))|(?:src|href)="([^"]+)"`)
)

// links returns where the links of a page lead that are no addresses.
func links(prose string) []string {
	var list []string
	for _, m := range linkTo.FindAllStringSubmatch(codeSpan.ReplaceAllString(prose, ""), -1) {
		to := m[1] + m[2] + m[3]
		if u, err := url.Parse(to); err != nil || u.Scheme == "" {
			list = append(list, to)
		}
	}
	return list
}

// dead tells why a relative link of a page leads nowhere; "" where it does not.
func dead(page, to string) string {
	u, err := url.Parse(to)
	if err != nil {
		return err.Error()
	}
	target := page
	if u.Path != "" {
		target = filepath.Join(filepath.Dir(page), filepath.FromSlash(u.Path))
		if _, err := os.Stat(target); err != nil {
			return err.Error()
		}
	}
	if u.Fragment == "" || filepath.Ext(target) != ".md" {
		return ""
	}
	src, err := os.ReadFile(target)
	if err != nil {
		return err.Error()
	}
	_, prose := split(target, string(src))
	for line := range strings.Lines(prose) {
		if strings.HasPrefix(line, "#") && anchor(line) == u.Fragment {
			return ""
		}
	}
	return "it has no heading #" + u.Fragment
}

// anchor is the fragment that GitHub gives a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(strings.TrimLeft(heading, "#")))
}
