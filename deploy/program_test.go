package deploy

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// binary builds the program once and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "overnight")
	if out, err := exec.Command("go", "build", "-o", bin, "overnight/cmd/overnight").CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return bin, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := scratch(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func program(t *testing.T) string {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// flag is what the help of a command says of one.
type flag struct {
	takes  bool   // a value
	preset string // its default, "" where none is shown
}

var (
	helpCommand = regexp.MustCompile(`(?m)^  ([a-z-]+) +\S`)
	helpFlag    = regexp.MustCompile(`(?m)^ +(?:(-\w), )?(--[a-z-]+)( \S+)?(?:  +(.*))?$`)
	helpDefault = regexp.MustCompile(`\(default "?([^")]+)"?\)`)
)

// flags returns the flags of a command; nil where there is no such command.
func flags(t *testing.T, command string) map[string]flag {
	t.Helper()
	out, err := exec.Command(program(t), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	there := false
	for _, m := range helpCommand.FindAllStringSubmatch(string(out), -1) {
		there = there || m[1] == command
	}
	if !there {
		return nil
	}
	if out, err = exec.Command(program(t), command, "--help").Output(); err != nil {
		t.Fatal(err)
	}
	all := map[string]flag{}
	for _, m := range helpFlag.FindAllStringSubmatch(string(out), -1) {
		f := flag{takes: m[3] != ""}
		if d := helpDefault.FindStringSubmatch(m[4]); d != nil {
			f.preset = d[1]
		}
		all[m[2]] = f
		if m[1] != "" {
			all[m[1]] = f
		}
	}
	return all
}

// refused tells what the program would refuse of a command line; "" for nothing.
func refused(t *testing.T, line []string) string {
	t.Helper()
	if len(line) == 0 || strings.HasPrefix(line[0], "-") {
		return "it names no command"
	}
	if line[0] == "help" {
		return ""
	}
	known := flags(t, line[0])
	if known == nil {
		return "no command " + line[0]
	}
	for i := 1; i < len(line); i++ {
		if !strings.HasPrefix(line[i], "-") {
			continue
		}
		name, value, valued := strings.Cut(line[i], "=")
		f, ok := known[name]
		switch {
		case !ok:
			return "no flag " + name
		case f.takes && !valued:
			if i++; i == len(line) || strings.HasPrefix(line[i], "-") {
				return name + " needs a value"
			}
		case f.takes && value == "":
			return name + " has an empty value"
		case !f.takes && valued && value != "true" && value != "false":
			return name + " takes no value"
		}
	}
	return ""
}

// option returns the value of a flag in a command line; "" where it is not given.
func option(line []string, name string) string {
	for i, w := range line {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
		if w == name && i+1 < len(line) {
			return line[i+1]
		}
	}
	return ""
}

// command is a command line of the program and where it stands.
type command struct {
	where string
	line  []string // without the program's name
}

// commands returns every command line in these files.
func commands(t *testing.T) []command {
	t.Helper()
	var all []command
	add := func(where string, line []string) { all = append(all, command{where, line}) }
	for _, line := range dockerCommands(t) {
		add("Dockerfile", line)
	}
	for name, s := range services(t) {
		if !strings.HasPrefix(text(s, "image"), "overnight:") {
			continue
		}
		add("compose.yaml: "+name, words(s, "command"))
		if test := words(s, "healthcheck", "test"); len(test) > 1 {
			add("compose.yaml: healthcheck of "+name, test[2:])
		}
	}
	for _, c := range containers(t) {
		if c.image == "overnight" {
			add(c.where, c.args)
		}
	}
	for file, u := range units(t) {
		add(file, strings.Fields(u.only(t, "ExecStart"))[1:])
	}
	return all
}

func TestCommandLines(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range commands(t) {
		if what := refused(t, c.line); what != "" {
			t.Errorf("%s: overnight %s: %s", c.where, strings.Join(c.line, " "), what)
		}
		if len(c.line) > 0 {
			seen[c.line[0]] = true
		}
	}
	for _, want := range []string{"serve", "worker", "health"} {
		if !seen[want] {
			t.Errorf("no command line of %s was seen", want)
		}
	}
	for line, want := range map[string]string{
		"status": "", "ls --all": "", "ls --store x": "", "ls --none": "no flag --none", "frobnicate": "no command frobnicate",
		"ls --store": "--store needs a value", "ls --all=x": "--all takes no value",
	} {
		if got := refused(t, strings.Fields(line)); got != want {
			t.Errorf("refused(%s) = %q, want %q", line, got, want)
		}
	}
}
