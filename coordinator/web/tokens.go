package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"

	"overnight/internal/credentials"
)

// Role is what a token is good for. Each role may do what those below it may.
type Role int

// The roles.
const (
	View   Role = 1 + iota // read everything
	Submit                 // hand in studies; cancel, pause, resume and retry them
	Admin                  // delete studies
)

func (r Role) String() string {
	switch r {
	case View:
		return "view"
	case Submit:
		return "submit"
	case Admin:
		return "admin"
	}
	return "nobody"
}

// ParseRole reads what String writes.
func ParseRole(s string) (Role, error) {
	for r := View; r <= Admin; r++ {
		if r.String() == s {
			return r, nil
		}
	}
	return 0, fmt.Errorf("there is no role of this name: write view, submit or admin")
}

// token is a line of a token file.
type token struct {
	sum  [sha256.Size]byte // of the token
	role Role
	who  string
}

// maxTokens bounds a token file: each request is compared with all.
const maxTokens = 1000

// maxComment bounds who a token is of, in bytes.
const maxComment = 200

// Tokens are who may use the API, from a file that is read again when it changes.
type Tokens struct{ file *credentials.File[[]token] }

// LoadTokens reads a token file. Each line is
//
//	ROLE SHA256 COMMENT
//
// where ROLE is view, submit or admin, SHA256 the token's SHA-256 in hexadecimal,
// and COMMENT who has it, as the log calls them. Empty lines and those that begin
// with # are comments. The file holds no token, so that reading it gives no
// access; whoever can write it gives themselves every role.
func LoadTokens(log *zap.Logger, path string) (*Tokens, error) {
	f, err := credentials.Watch(log, "tokens", path, parseTokens)
	if err != nil {
		return nil, err
	}
	return &Tokens{f}, nil
}

// parseTokens reads the text of a token file and refuses all of it where a line
// is wrong. Its errors repeat nothing of the text.
func parseTokens(text []byte) ([]token, error) {
	var list []token
	seen := map[[sha256.Size]byte]bool{}
	n := 0
	for row := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(row)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) < 2 {
			return nil, fmt.Errorf("line %d is no token: write ROLE SHA256 COMMENT", n)
		}
		role, err := ParseRole(words[0])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		sum, err := hex.DecodeString(words[1])
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("line %d: behind the role stands the token's SHA-256 in 64 hexadecimal digits, not the token", n)
		}
		t := token{sum: [sha256.Size]byte(sum), role: role, who: strings.Join(words[2:], " ")}
		if t.who == "" {
			t.who = "token " + hex.EncodeToString(sum[:4])
		}
		switch {
		case len(t.who) > maxComment || !utf8.ValidString(t.who) || strings.ContainsFunc(t.who, func(r rune) bool { return !unicode.IsPrint(r) }):
			return nil, fmt.Errorf("line %d: the comment is longer than %d bytes or does not print", n, maxComment)
		case seen[t.sum]:
			return nil, fmt.Errorf("line %d: a token that stands there already", n)
		}
		seen[t.sum] = true
		if list = append(list, t); len(list) > maxTokens {
			return nil, fmt.Errorf("more than %d tokens", maxTokens)
		}
	}
	return list, nil
}

// find returns whose token has this sum. It takes the same time wherever in the
// list the token stands, and however much of it is right.
func (t *Tokens) find(sum [sha256.Size]byte) (token, bool) {
	var found token
	ok := false
	for _, k := range t.file.Get() {
		if subtle.ConstantTimeCompare(k.sum[:], sum[:]) == 1 {
			found, ok = k, true
		}
	}
	return found, ok
}

// NewToken returns a fresh token, of 256 random bits, and its line for a token
// file.
func NewToken(role Role, comment string) (secret, line string, err error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", "", fmt.Errorf("make a token: %w", err)
	}
	secret = "ovn_" + base64.RawURLEncoding.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(secret))
	line = strings.TrimSpace(fmt.Sprintf("%v %x %s", role, sum, strings.Join(strings.Fields(comment), " "))) + "\n"
	if _, err := parseTokens([]byte(line)); err != nil {
		return "", "", fmt.Errorf("comment %q: at most %d bytes that print", comment, maxComment)
	}
	return secret, line, nil
}
