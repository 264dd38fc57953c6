package jobs

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// mapping checks that n is a mapping that has no other keys than those given;
// what names it, and example is what to write instead of anything else. The
// result is nil, and a problem reported, where it is no mapping.
func (p *parser) mapping(n *tree.Node, what, example string, keys ...string) *tree.Node {
	if n.Kind != tree.Mapping {
		p.fail(n.Pos, what+" is "+n.String()+", not a mapping", "write "+example)
		return nil
	}
	for _, e := range n.Entries {
		if !slices.Contains(keys, e.Key) {
			p.fail(e.Pos, fmt.Sprintf("there is no key %s in %s", tree.Shorten(e.Key, 40), what), suggest(e.Key, "keys", keys))
		}
	}
	return n
}

// scalar returns a scalar's value and reports one whose meaning is unclear.
func (p *parser) scalar(n *tree.Node) (param.Value, bool) {
	if n.Bad != nil {
		p.fail(n.Bad.Pos, n.Bad.What, n.Bad.Instead)
		return nil, false
	}
	return n.Value, n.Kind == tree.Scalar
}

// text returns a text; example is what to write instead of anything else.
func (p *parser) text(n *tree.Node, what, example string) (string, bool) {
	v, ok := p.scalar(n)
	if n.Bad != nil {
		return "", false
	}
	s, isText := v.(string)
	switch {
	case ok && isText:
		return s, true
	case ok && v != nil:
		p.fail(n.Pos, what+" is "+n.String()+", not a text", "write it in quotes: "+strconv.Quote(n.Text))
	default:
		p.fail(n.Pos, what+" is "+n.String()+", not a text", "write "+example)
	}
	return "", false
}

// oneOf returns a text that is one of the words.
func (p *parser) oneOf(n *tree.Node, what string, words []string) (string, bool) {
	if n.Kind == tree.Scalar && slices.Contains(words, n.Text) {
		return n.Text, true
	}
	if n.Kind == tree.Scalar && n.Bad == nil {
		p.fail(n.Pos, what+" is "+n.String()+", which is not known", suggest(n.Text, "choices", words))
	} else {
		p.fail(n.Pos, what+" is "+n.String()+", not a word", "write one of "+enumerate(words, 12))
	}
	return "", false
}

// count returns a whole number from least up.
func (p *parser) count(n *tree.Node, what string, least uint64) (uint64, bool) {
	v, ok := p.scalar(n)
	if n.Bad != nil {
		return 0, false
	}
	instead := fmt.Sprintf("write a whole number from %d up", least)
	var x float64
	switch v := v.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	default:
		ok = false
	}
	switch {
	case !ok:
		p.fail(n.Pos, what+" is "+n.String()+", not a number", instead)
	case x != math.Floor(x):
		p.fail(n.Pos, what+" is "+n.Text+", not a whole number", instead)
	case x < float64(least):
		p.fail(n.Pos, fmt.Sprintf("%s is %s, below its minimum %d", what, n.Text, least), instead)
	case x > 1<<53:
		p.fail(n.Pos, what+" is "+n.Text+", beyond 2^53", "write a smaller number")
	default:
		return uint64(x), true
	}
	return 0, false
}

// seed returns any unsigned 64-bit integer.
func (p *parser) seed(n *tree.Node) (uint64, bool) {
	if u, err := strconv.ParseUint(n.Text, 10, 64); err == nil && n.Kind == tree.Scalar && !n.Quoted && (n.Text == "0" || n.Text[0] != '0') {
		return u, true
	}
	if n.Bad != nil && strings.Trim(n.Text, "0123456789") != "" || strings.HasPrefix(n.Text, "0") {
		if _, ok := p.scalar(n); !ok {
			return 0, false
		}
	}
	p.fail(n.Pos, "seed is "+n.String()+", not a whole number of 64 bits", "write a number from 0 to 18446744073709551615")
	return 0, false
}

// duration returns a time above zero such as 90s or 1h30m.
func (p *parser) duration(n *tree.Node, what string) (time.Duration, bool) {
	instead := "write a number with a unit, such as 90s, 10m or 1h30m"
	if v, ok := p.scalar(n); ok {
		switch v.(type) {
		case string:
			d, err := time.ParseDuration(strings.ReplaceAll(n.Text, " ", ""))
			switch {
			case err == nil && d > 0:
				return d, true
			case err == nil:
				p.fail(n.Pos, what+" is "+n.Text+", not above zero", instead)
				return 0, false
			}
		case int64, float64:
			p.fail(n.Pos, what+" is "+n.Text+" without a unit", "write "+n.Text+"s for seconds or "+n.Text+"m for minutes")
			return 0, false
		}
	} else if n.Bad != nil {
		return 0, false
	}
	p.fail(n.Pos, what+" is "+n.String()+", not a time", instead)
	return 0, false
}

// size returns a number of bytes such as 512MB or 1.5 GiB.
func (p *parser) size(n *tree.Node, what string) (uint64, bool) {
	instead := "write a number with a unit, such as 512MB or 2GiB"
	if v, ok := p.scalar(n); ok {
		switch v.(type) {
		case string:
			if bytes, err := ParseBytes(n.Text); err == nil {
				return bytes, true
			}
		case int64, float64:
			p.fail(n.Pos, what+" is "+n.Text+" without a unit", "write "+n.Text+"MB or "+n.Text+"GB")
			return 0, false
		}
	} else if n.Bad != nil {
		return 0, false
	}
	p.fail(n.Pos, what+" is "+n.String()+", not a size", instead)
	return 0, false
}
