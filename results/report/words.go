package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shorten cuts s to width characters, the last one an ellipsis.
func shorten(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	r := []rune(s)
	return string(r[:max(width-1, 0)]) + "…"
}

// wrap breaks s between words into lines of at most width characters, 0 for any;
// lines after the first are indented. Blanks before s stay, and
// a line does not break at nbsp.
func wrap(s string, width, indent int) []string {
	if width <= 0 {
		return []string{s}
	}
	indent = min(indent, width/2)
	lead := s[:min(len(s)-len(strings.TrimLeft(s, " ")), width/2)]
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }) {
		for {
			switch {
			case line == "" && len(lines) == 0:
				line = lead + word
			case strings.TrimSpace(line) == "":
				line = strings.Repeat(" ", indent) + word
			default:
				line += " " + word
			}
			n := utf8.RuneCountInString(line)
			if n <= width {
				break
			}
			before := strings.TrimSuffix(line, word)
			if strings.TrimSpace(before) != "" { // the word goes on the next line
				lines = append(lines, strings.TrimRight(before, " "))
				line = ""
				continue
			}
			// A word longer than a line is cut.
			r := []rune(line)
			lines = append(lines, string(r[:width]))
			word, line = string(r[width:]), ""
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// clean makes a text of others fit for one line of a terminal: no control
// characters, which could move the cursor or change its colour.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// firstLine returns the first line of an error, at most 500 characters of it.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return shorten(strings.TrimSpace(s), 500)
}

// plural writes a count with its noun.
func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
