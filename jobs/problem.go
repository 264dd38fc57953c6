package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds what one error message lists.
const maxProblems = 20

// Problem is one thing that is wrong with a study: where, what, and what to
// write instead.
type Problem struct {
	File         string // or the argument that is to blame: "--set env.budget=600"
	Line, Column int    // from one; columns count characters; 0 where File is an argument
	What         string
	Instead      string // may be empty
}

// Error returns "file:line:column: what; instead".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": " + p.What)
	if p.Instead != "" {
		b.WriteString("; " + p.Instead)
	}
	return b.String()
}

// Caret returns the problem with the line of src that it is about and a mark
// below the column, each line ended by a newline.
func (p Problem) Caret(src []byte) string {
	text := p.Error() + "\n"
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(src)), "\n")
	if p.Line < 1 || p.Line > len(lines) {
		return text
	}
	line := []rune(strings.TrimPrefix(lines[p.Line-1], "\ufeff"))
	column := min(max(p.Column, 1), len(line)+1)
	// Tabs stay tabs so that the mark lines up; long lines are cut around it.
	from, to, before, after := 0, len(line), "", ""
	if column > 80 {
		from, before = column-60, "…"
	}
	if to-from > 100 {
		to, after = from+100, "…"
	}
	margin := strings.Repeat(" ", len(before)/len("…"))
	for _, r := range line[from : column-1] {
		if r != '\t' {
			r = ' '
		}
		margin += string(r)
	}
	number := fmt.Sprintf("%4d | ", p.Line)
	return text + number + before + string(line[from:to]) + after + "\n" +
		strings.Repeat(" ", len(number)-2) + "| " + margin + "^\n"
}

// Problems is all that is wrong with a study, in file order, arguments last. It
// is never empty when it is returned as an error.
type Problems []Problem

// Error lists the problems, one a line, at most twenty.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i == maxProblems {
			fmt.Fprintf(&b, "\nand %d more", len(ps)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Error())
	}
	return b.String()
}

// sorted returns the problems in file order, each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(min(1, b.Line), min(1, a.Line)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool {
		return a.File == b.File && a.Line == b.Line && a.Column == b.Column && a.What == b.What
	})
}
