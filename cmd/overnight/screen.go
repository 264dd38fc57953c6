package main

import (
	"io"
	"os"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/term"
)

// screen is stderr as progress, logs and errors share it: what is written goes
// above the line that progress has drawn, which its next update draws again.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	drawn bool // a line without an end stands there
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return s.w.Write(b)
}

// clear removes the drawn line; the caller holds mu.
func (s *screen) clear() {
	if s.drawn {
		_, _ = io.WriteString(s.w, "\r\x1b[K")
		s.drawn = false
	}
}

// terminal returns the width of w, or 0 where it is no terminal.
func terminal(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// firstLine returns the first line of an error's text as it may be shown:
// printable, at most 300 characters. Agents and data choose such texts.
func firstLine(s string) string {
	const most = 300
	l, _, _ := strings.Cut(s, "\n")
	r := []rune(printable(l))
	if len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return string(r)
}

// printable drops what would move a terminal's cursor or change its state, and
// makes tabs blanks.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, s)
}
