package jobs

import (
	"fmt"
	"strings"

	"overnight/internal/param"
)

// maxName bounds the names of studies, labels, shared factors and levels, in
// bytes.
const maxName = 64

// checkName tells what is wrong with the name of a study or a label: "" where it
// is 1 to 64 letters, digits, '.', '_' and '-' that begin with a letter or digit.
// Names stand in file names, keys and command lines, and name@2 is ours.
func checkName(s string) string {
	if s == "" {
		return "is empty"
	}
	if len(s) > maxName {
		return fmt.Sprintf("has %d characters, more than %d", len(s), maxName)
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		switch {
		case letter, i > 0 && strings.ContainsRune("._-", r):
		case i == 0:
			return fmt.Sprintf("begins with %q", r)
		default:
			return fmt.Sprintf("contains %q", r)
		}
	}
	return ""
}

const nameRule = "use letters, digits, '.', '_' and '-', beginning with a letter or digit"

// cleanName makes a name of s, for suggestions.
func cleanName(s string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r):
			return r
		case r == ' ' || r == '/' || r == '@' || r == ':':
			return '-'
		}
		return -1
	}, s)
	clean = strings.Trim(clean, "._-")
	if len(clean) > maxName {
		clean = strings.TrimRight(clean[:maxName], "._-")
	}
	return clean
}

// checkIdentifier is checkName for what is used as $name.
func checkIdentifier(s string) string {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '-') {
			if i == 0 {
				return fmt.Sprintf("begins with %q", r)
			}
			return fmt.Sprintf("contains %q", r)
		}
	}
	switch {
	case s == "":
		return "is empty"
	case len(s) > maxName:
		return fmt.Sprintf("has %d characters, more than %d", len(s), maxName)
	}
	return ""
}

const identifierRule = "use letters, digits, '_' and '-', beginning with a letter"

// suggest says what to write instead of an unknown word: the nearest of the
// names, or all of them.
func suggest(word, plural string, names []string) string {
	if near := param.Nearest(word, names); near != "" {
		return "did you mean " + near + "?"
	}
	switch len(names) {
	case 0:
		return "there are no " + plural
	case 1:
		return "write " + names[0]
	}
	return "the " + plural + " are " + enumerate(names, 12)
}

// enumerate joins at most n names.
func enumerate(names []string, n int) string {
	if len(names) > n {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
	}
	return strings.Join(names, ", ")
}
