package param

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// format writes a number as a study file would have it: in its shortest form,
// with an exponent only where the digits would be many.
func format(x float64) string {
	if size := math.Abs(x); size >= 1e-4 && size < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// describe names a value in an error, short enough for a line.
func describe(v Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return format(v)
	case string:
		if utf8.RuneCountInString(v) > 40 {
			v = string([]rune(v)[:40]) + "..."
		}
		return "the text " + strconv.Quote(v)
	case []Value:
		return "a list"
	case *Map:
		return "a mapping"
	}
	return fmt.Sprintf("a Go value of type %T", v)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func article(noun string) string {
	switch {
	case noun == "true or false" || noun == "text":
		return noun
	case strings.ContainsRune("aeiou", rune(noun[0])):
		return "an " + noun
	}
	return "a " + noun
}

// wanted says what to write for a parameter.
func (f *Field) wanted() string {
	switch f.Kind {
	case Bool:
		return "true or false"
	case Int, Float:
		return f.wantedNumber()
	case String:
		if len(f.Enum) > 0 {
			return "one of " + strings.Join(f.Enum, ", ")
		}
		return "a text"
	case NumberOrs:
		return f.wantedNumber() + ", or a list"
	case Matrix:
		return "a list of lists, such as [[1, 2], [3, 4]]"
	}
	return f.lengths() + " in brackets"
}

// wantedElement says what to write for an element of a list.
func (f *Field) wantedElement() string {
	switch {
	case f.Kind != Strings:
		return f.wantedNumber()
	case len(f.Enum) > 0:
		return "one of " + strings.Join(f.Enum, ", ")
	}
	return "a text"
}

func (f *Field) wantedNumber() string {
	noun := "a number"
	if f.Kind == Int || f.Kind == Ints {
		noun = "a whole number"
	}
	lo, hi := f.Min, f.Max
	switch {
	case lo == nil && hi == nil:
		return noun
	case hi == nil && f.MinOpen:
		return noun + " above " + format(*lo)
	case hi == nil:
		return noun + " from " + format(*lo) + " up"
	case lo == nil && f.MaxOpen:
		return noun + " below " + format(*hi)
	case lo == nil:
		return noun + " up to " + format(*hi)
	case f.MinOpen && f.MaxOpen:
		return noun + " between " + format(*lo) + " and " + format(*hi) + ", both excluded"
	case f.MinOpen:
		return noun + " above " + format(*lo) + " and up to " + format(*hi)
	case f.MaxOpen:
		return noun + " from " + format(*lo) + " to below " + format(*hi)
	}
	return noun + " from " + format(*lo) + " to " + format(*hi)
}

// lengths says how many elements a list wants.
func (f *Field) lengths() string {
	noun := map[Kind]string{Ints: "whole number", Strings: "text", Matrix: "row"}[f.Kind]
	if noun == "" {
		noun = "number"
	}
	switch {
	case f.MinLen == 0 && f.MaxLen == 0:
		return noun + "s"
	case f.MaxLen == 0:
		return "at least " + count(f.MinLen, noun)
	case f.MinLen == f.MaxLen:
		return count(f.MinLen, noun)
	}
	return strconv.Itoa(f.MinLen) + " to " + count(f.MaxLen, noun)
}

func (s Schema) names() []string {
	list := make([]string, len(s))
	for i := range s {
		list[i] = s[i].Name
	}
	return list
}

// suggest says what to write instead of an unknown key: a parameter of that
// name inside a group, the nearest name, or all names.
func (s Schema) suggest(key string, at *path) string {
	for i := range s {
		if s[i].Kind == Group && s[i].Fields.has(key) {
			group := path{parent: at, key: s[i].Name}
			return "did you mean " + (&path{parent: &group, key: key}).String() + "?"
		}
	}
	if near := Nearest(key, s.names()); near != "" {
		return "did you mean " + (&path{parent: at, key: near}).String() + "?"
	}
	if len(s) == 0 {
		return "there are no parameters here; leave it out"
	}
	return "the parameters are " + strings.Join(s.names(), ", ")
}

// Nearest returns the name that is fewest edits from word, in letters of any
// case, the first of equals, if they share something and the edits are at most a
// third of the longer one's length (one edit in short words); else "".
func Nearest(word string, names []string) string {
	best, fewest := "", 1<<30
	for _, name := range names {
		d := distance(strings.ToLower(word), strings.ToLower(name))
		longer := max(len(word), len(name))
		if d < fewest && d < longer && 3*d <= max(longer, 3) {
			best, fewest = name, d
		}
	}
	return best
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours between two words (optimal string alignment), in bytes. Words of
// more than 64 bytes are far from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 1 << 20
	}
	var rows [3][65]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			d := last[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
