package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/param"
)

func TestScalars(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]param.Value{
		"1": int64(1), "-5": int64(-5), "+7": int64(7), "0": int64(0), "-0": int64(0), "9223372036854775807": int64(9223372036854775807),
		"1e-4": 1e-4, "1E5": 1e5, "1e+5": 1e5, "1.": 1.0, ".5": 0.5, "-.5": -0.5, "0.25": 0.25, "-0.0": 0.0, "0e5": 0.0, "1e20": 1e20, "5e-324": 5e-324,
		"~": nil, "null": nil, "Null": nil, "": nil, "true": true, "False": false,
		"yes": "yes", "off": "off", "nan": "nan", "inf": "inf", "1:30": "1:30", "2024-01-01": "2024-01-01", "5%": "5%", "1,000": "1,000",
		"1e": "1e", "e5": "e5", "--5": "--5", "+-5": "+-5", "1.2.3": "1.2.3", ".": ".", "-": "-", "1e5.5": "1e5.5", "_5": "_5", "$lr": "$lr", "10m": "10m", "0x": "0x", "0xg": "0xg",
	} {
		got, bad := plain(text)
		if bad != nil || got != want {
			t.Errorf("plain(%q) = %#v, %v, want %#v", text, got, bad, want)
		}
	}
	for text, instead := range map[string]string{
		"010": "write 10 or", "-010": "write -10 or", "007": "write 7 or", "00": "write 0 or", "01.5": "write 1.5 or", "00.5": "write 0.5 or", "01e5": "write 1e5 or",
		"0x10": "write 16 or", "-0x10": "write -16 or", "0o17": "write 15 or", "0b11": "write 3 or",
		"1_000": "write 1000 or", "1_0.5": "write 10.5 or",
		"1e999": "smaller", "-1e999": "smaller", "1e-999": "write 0", "99999999999999999999": "1e20",
		".inf": "finite", "-.INF": "finite", ".nan": "finite",
	} {
		v, bad := plain(text)
		if bad == nil || !strings.Contains(bad.Instead, instead) || v != text {
			t.Errorf("plain(%q) = %#v, %v, want a refusal with %q", text, v, bad, instead)
		}
	}
}

// show writes a tree without positions.
func show(n *Node) string {
	switch {
	case n == nil:
		return "<nil>"
	case n.Kind == List:
		var parts []string
		for _, item := range n.Items {
			parts = append(parts, show(item))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case n.Kind == Mapping:
		var parts []string
		for _, e := range n.Entries {
			parts = append(parts, e.Key+":"+show(e.Value))
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	return fmt.Sprintf("%#v", n.Value)
}

func TestRead(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"":                                           "<nil>",
		"# c\n":                                      "<nil>",
		"---\na: 1\n...\n":                           `{a:1}`,
		"b: 1\na: [x, 'y', \"z\\n\"]\n":              `{b:1 a:["x" "y" "z\n"]}`,
		"a: '010'\nb: \"1e999\"\nc: '~'\n":           `{a:"010" b:"1e999" c:"~"}`,
		"a: |\n  x\n  y\nb: >-\n  x\n  y\n":          `{a:"x\ny\n" b:"x y"}`,
		"1: x\ntrue: y\nnull: z\n0.10: w\n":          `{1:"x" true:"y" null:"z" 0.10:"w"}`,
		"a:\n- 1\n- {b: }\nc:\n":                     `{a:[1 {b:<nil>}] c:<nil>}`,
		"a: &x {b: 1}\nc: *x\nd: [*x, *x]\n":         `{a:{b:1} c:{b:1} d:[{b:1} {b:1}]}`,
		"a: &x 5\nb: *x\na2: &x 6\nc: *x\n":          `{a:5 b:5 a2:6 c:6}`,
		"a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x\n": `{a:{b:1 c:2} d:{c:3 b:1}}`,
		"a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n": `{a:{b:1 c:2} d:{b:1 c:3}}`,
		"a: &x {b: 1}\ne: &y {b: 2, f: 3}\nd: {<<: [*x, *y], g: 4}\n": `{a:{b:1} e:{b:2 f:3} d:{b:1 f:3 g:4}}`,
		"a: x # c\nb: x#y\n":   `{a:"x" b:"x#y"}`,
		"\ufeffa: 1\r\nb: 2\r": `{a:1 b:2}`,
	} {
		n, errs := Read([]byte(src))
		if want == "<nil>" && n != nil && n.Kind == Scalar && n.Value == nil {
			continue
		}
		if got := show(n); len(errs) > 0 || got != want {
			t.Errorf("Read(%q) = %s, %v, want %s", src, strings.ReplaceAll(got, "interface {}(nil)", "<nil>"), errs, want)
		}
	}
}

// TestPositions checks, over all study files of the tests and the hard cases
// below, that what stands at a node's position in the text is the node.
func TestPositions(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"unicode":  "é: {ü: [ä, \"ö\", 'ß']} # ñ\nb: 1\n",
		"comments": "# a\n\n  # b\na: 1 # c\n# d\nb: # e\n  # f\n  - 1\n  # g\n  - x: 2\n",
		"blocks":   "a: |\n  text: no\n\n  more\nb: >\n  fold\n\n\nc: 3\nd: [1,\n  2, {e: 3,\n f: 4}]\ng: 5\n",
		"quotes":   "a: \"x\n  y\"\nb: 'p\n\n  q'\nc: plain\n  goes on\nd: 1\n",
		"anchors":  "a: &x\n  b: 1\nc: &y 5\nd: &z [6]\n",
	}
	files, err := filepath.Glob("../../testdata/good/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(src)
	}
	checked := 0
	for name, text := range texts {
		clean, bad := clean([]byte(text))
		if bad != nil {
			t.Fatalf("%s: %v", name, bad)
		}
		lines := strings.Split(clean, "\n")
		rest := func(p Pos) string {
			if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 {
				return fmt.Sprintf("<outside: %+v>", p)
			}
			return string([]rune(lines[p.Line-1])[p.Column-1:])
		}
		root, errs := Read([]byte(text))
		if len(errs) > 0 {
			t.Fatalf("%s: %v", name, errs)
		}
		root.Walk(func(n *Node) {
			checked++
			got := rest(n.Pos)
			switch {
			case n.Kind == Mapping && len(n.Entries) > 0:
				if !strings.HasPrefix(got, "{") && !strings.HasPrefix(strings.TrimLeft(got, `'"`), n.Entries[0].Key) && !strings.HasPrefix(got, "<<") {
					t.Errorf("%s: mapping %s stands at %q", name, show(n), got)
				}
			case n.Kind == List:
				if !strings.HasPrefix(got, "[") && !strings.HasPrefix(got, "-") {
					t.Errorf("%s: list %s stands at %q", name, show(n), got)
				}
			case n.Kind == Scalar && n.Text != "":
				first := strings.Fields(n.Text)[0]
				if !strings.HasPrefix(strings.TrimLeft(got, `'"`), first) && !strings.HasPrefix(got, "|") && !strings.HasPrefix(got, ">") {
					t.Errorf("%s: scalar %q stands at %q", name, n.Text, got)
				}
			}
			for _, e := range n.Entries {
				if got := rest(e.Pos); !strings.HasPrefix(strings.TrimLeft(got, `'"`), e.Key) {
					t.Errorf("%s: key %s stands at %q", name, e.Key, got)
				}
			}
		})
	}
	if checked < 300 {
		t.Errorf("only %d nodes were checked", checked)
	}
}

// TestReadRefuses covers what the parser's messages are turned into.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"a:\n\tb: 1\n":                        "2:1: there is a tab here",
		"a: [1, 2\nb: 3\n":                    "2:1: a list in brackets is still open here",
		"a: {b: 1\nc: 3\n":                    "2:1: a mapping in braces is still open here",
		"a: [1, 2":                            "1:4: the list that begins here has no end",
		"a: {b: 1":                            "1:4: the mapping that begins here has no end",
		"a: 1\n  b: 2\n":                      "2:3: this line is indented further",
		"a:\n  b: 1\n c: 2\n":                 "3:2: this does not line up",
		"a: b: c\n":                           "1:4: there is a second ': '",
		"a: 'x\n":                             "1:4: the quoted text that begins here has no end",
		"a: - 1\n":                            "1:4: a list can't begin on the line of its key",
		"a: ]\n":                              "1:4: there is a ']' without its '['",
		"a: }\n":                              "1:4: there is a \"}\" without its beginning",
		"a: @x\n":                             "1:4: '@' is a reserved character",
		"a: \"\\q\"\n":                        "1:6: found unknown escape character",
		"a: !!int 1\n":                        "1:4: tags such as !!int are not used",
		"? a\n: b\n":                          "1:1: keys that begin with ? are not used",
		"%YAML 1.2\n---\na: 1\n":              "1:1: directives",
		"a: 1\n---\nb: 1\n":                   "2:1: a second document begins here",
		"a: 1\n...\nb: 1\n":                   "3:1: a second document begins here",
		"a: *x\n":                             "1:4: there is no anchor &x above",
		"a: &x [*x]\n":                        "1:8: *x stands inside its own anchor",
		"a: 1\nb: 2\na: 3\n":                  "3:1: key \"a\" stands twice, first on line 1",
		"a: {x: 1, 'x': 2}\n":                 "1:11: key \"x\" stands twice",
		"&a x: 1\n":                           "1:1: this can't be a key",
		"a: {<<: 5}\n":                        "1:9: << takes a mapping",
		"a: x\x00\n":                          "1:5: there is a control character",
		"a: x\xff\n":                          "1:5: the file is not UTF-8 here",
		"a: b\u2028c\n":                       "1:5: there is a control character",
		strings.Repeat("[", 70):               "1:65: values are nested more than 64 deep",
		"- " + strings.Repeat("- ", 70) + "1": "1:129: values are nested more than 64 deep",
	} {
		_, errs := Read([]byte(src))
		if len(errs) == 0 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Errorf("Read(%.40q) gave %v, want %q", src, errs, want)
		}
	}
}

func TestReadValue(t *testing.T) {
	t.Parallel()
	n, errs := ReadValue("{grid: [1, 010]}", "a=b")
	if len(errs) > 0 || show(n) != `{grid:[1 "010"]}` {
		t.Fatalf("%s, %v", show(n), errs)
	}
	n.Walk(func(n *Node) {
		if diff := cmp.Diff(Pos{Set: "a=b"}, n.Pos); diff != "" {
			t.Errorf("position of %s:\n%s", show(n), diff)
		}
	})
	if bad := n.Entries[0].Value.Items[1].Bad; bad == nil || bad.Set != "a=b" {
		t.Errorf("010 is %v", bad)
	}
	if _, errs := ReadValue("[1", "a=b"); len(errs) != 1 || errs[0].Set != "a=b" {
		t.Errorf("an open list gave %v", errs)
	}
}
