package web

import (
	"context"
	"crypto/sha256"
	"net"
	"net/http"
	"strings"

	"go.uber.org/zap"
)

// principal is who asks.
type principal struct {
	who  string
	role Role
	sum  [sha256.Size]byte // of the token; zero without one

	session [sha256.Size]byte // of the cookie
	cookie  bool              // they are known by a cookie
}

type principalKey struct{}

func asker(r *http.Request) principal {
	p, _ := r.Context().Value(principalKey{}).(principal)
	return p
}

// authenticate finds out who asks, or answers that it does not know them. Of an
// address from which too many wrong tokens came it looks at none for a while.
func (a *api) authenticate(w http.ResponseWriter, r *http.Request) (principal, bool) {
	if a.Tokens == nil {
		return principal{who: "local", role: Admin}, true
	}
	if r.Header.Get("Authorization") == "" {
		if p, ok := a.signedIn(r); ok {
			return p, true
		}
		if _, err := r.Cookie(cookieName(r)); err == nil {
			// The session is over, or this process was started again: no failure, since
			// nobody guesses 256 bits, and pages that are open come back again and again.
			refuse(w, r, http.StatusUnauthorized, "the session is over: sign in again")
			return principal{}, false
		}
	}
	from := remote(r)
	if wait := a.failures.blocked(from); wait > 0 {
		w.Header().Set("Retry-After", seconds(wait))
		refuse(w, r, http.StatusTooManyRequests, "too many requests without a valid token from this address")
		return principal{}, false
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given = strings.TrimSpace(given)
	if strings.EqualFold(scheme, "Bearer") && given != "" {
		sum := sha256.Sum256([]byte(given))
		if t, ok := a.Tokens.find(sum); ok {
			return principal{who: t.who, role: t.role, sum: sum}, true
		}
	}
	a.failures.fail(from)
	a.Log.Warn("authentication failed", zap.String("remote", from), zap.Bool("token", given != ""))
	w.Header().Set("WWW-Authenticate", `Bearer realm="overnight"`)
	refuse(w, r, http.StatusUnauthorized, "send a valid token: Authorization: Bearer TOKEN")
	return principal{}, false
}

// still tells whether p's token is good for a role now: a stream outlives changes
// of the token file.
func (a *api) still(p principal, role Role) bool {
	if a.Tokens == nil {
		return true
	}
	if p.cookie {
		if _, ok := a.sessions.find(p.session); !ok {
			return false
		}
	}
	t, ok := a.Tokens.find(p.sum)
	return ok && t.role >= role
}

// allowed handles a route for those who have its role, and leaves a line of each
// change, also of one that was refused.
func (a *api) allowed(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := asker(r)
		note := &note{study: r.PathValue("name")}
		err := error(nil)
		switch {
		case p.role < rt.role:
			err = &problem{status: http.StatusForbidden, text: "this needs a token of role " + rt.role.String() + ", and yours is of role " + p.role.String()}
		case note.study != "" && !isName(note.study):
			err = &problem{status: http.StatusNotFound, text: "there is no study of this name"}
			note.study = ""
		case rt.action != "":
			err = contentType(r)
		}
		if err == nil {
			err = meant(r, p)
		}
		if err == nil {
			err = rt.handle(w, r.WithContext(context.WithValue(r.Context(), noteKey{}, note)))
		}
		result := a.answer(w, r, err)
		if rt.action != "" {
			a.Log.Info("audit", zap.String("who", p.who), zap.Stringer("role", p.role), zap.String("action", rt.action),
				zap.String("study", note.study), zap.String("remote", remote(r)), zap.String("result", result))
		}
	})
}

// note is what a handler adds to the audit line.
type note struct{ study string }

type noteKey struct{}

// about says which study a change was about, where the path does not.
func about(r *http.Request, study string) {
	if n, ok := r.Context().Value(noteKey{}).(*note); ok {
		n.study = study
	}
}

// remote is the address that a request came from, without its port. It is that
// of the connection: headers can say anything.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
