package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// A browser can't send a token with a navigation, so whoever signs in with one
// gets a cookie: a random session, held in memory alone.
const (
	sessionTime = 12 * time.Hour // after which one signs in again
	maxSessions = 1000
	// intent is a header that the dashboard's own requests carry: a page of another
	// origin can't set it.
	intent = "X-Overnight"
)

// sessions are who has signed in, by the SHA-256 of the cookie's value.
type sessions struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]session
}

type session struct {
	token   [sha256.Size]byte
	expires time.Time
}

func newSessions() *sessions { return &sessions{open: map[[sha256.Size]byte]session{}} }

// begin opens a session for a token and returns the cookie's value.
func (s *sessions) begin(token [sha256.Size]byte) (value string, expires time.Time) {
	value = rand.Text() + rand.Text() // 256 bits
	now := time.Now()
	expires = now.Add(sessionTime)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxSessions {
		s.forget(now)
	}
	s.open[sha256.Sum256([]byte(value))] = session{token, expires}
	return value, expires
}

// forget drops the sessions that have expired, or else the oldest one.
func (s *sessions) forget(now time.Time) {
	var oldest [sha256.Size]byte
	first := time.Time{}
	for k, v := range s.open {
		if v.expires.Before(now) {
			delete(s.open, k)
			continue
		}
		if first.IsZero() || v.expires.Before(first) {
			oldest, first = k, v.expires
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, oldest)
	}
}

// find returns the token that a session was opened with.
func (s *sessions) find(id [sha256.Size]byte) (token [sha256.Size]byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.open[id]
	if ok && time.Now().After(v.expires) {
		delete(s.open, id)
		return token, false
	}
	return v.token, ok
}

func (s *sessions) end(id [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// cookieName has the port in it: cookies are shared by all ports of a host.
func cookieName(r *http.Request) string {
	name := "overnight"
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, port, err := net.SplitHostPort(local.String()); err == nil {
			name += "-" + port
		}
	}
	return name
}

// signedIn returns who a request's cookie belongs to.
func (a *api) signedIn(r *http.Request) (principal, bool) {
	c, err := r.Cookie(cookieName(r))
	if err != nil || c.Value == "" {
		return principal{}, false
	}
	id := sha256.Sum256([]byte(c.Value))
	sum, ok := a.sessions.find(id)
	if !ok {
		return principal{}, false
	}
	t, ok := a.Tokens.find(sum)
	if !ok {
		a.sessions.end(id) // the token was taken away
		return principal{}, false
	}
	return principal{who: t.who, role: t.role, sum: sum, session: id, cookie: true}, true
}

// standpoint is who asks, in an answer.
type standpoint struct {
	Who     string `json:"who"`
	Role    string `json:"role"`
	SignOut bool   `json:"sign_out"` // there is a session to end
}

// signIn opens a session for whoever sends a valid token.
func (a *api) signIn(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	if err := contentType(r); err != nil {
		return err
	}
	if a.Tokens == nil {
		return &problem{status: http.StatusConflict, text: "this service asks for no token"}
	}
	var given struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		return &problem{status: http.StatusBadRequest, text: `send {"token": "..."}`}
	}
	from := remote(r)
	if wait := a.failures.blocked(from); wait > 0 {
		w.Header().Set("Retry-After", seconds(wait))
		return &problem{status: http.StatusTooManyRequests, text: "too many requests without a valid token from this address: wait " + seconds(wait) + " seconds"}
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(given.Token)))
	t, ok := a.Tokens.find(sum)
	if !ok {
		a.failures.fail(from)
		a.Log.Warn("authentication failed", zap.String("remote", from), zap.Bool("token", given.Token != ""))
		return &problem{status: http.StatusUnauthorized, text: "this is not a valid token"}
	}
	value, expires := a.sessions.begin(sum)
	a.Log.Info("signed in", zap.String("who", t.who), zap.Stringer("role", t.role), zap.String("remote", from))
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", Expires: expires, MaxAge: int(sessionTime.Seconds()),
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
	reply(w, http.StatusOK, standpoint{t.who, t.role.String(), true})
	return nil
}

// whoAmI answers with who asks, also where it does not know them: the sign-in page
// asks whether it is needed.
func (a *api) whoAmI(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	var p principal
	switch {
	case a.Tokens == nil, r.Header.Get("Authorization") != "":
		var ok bool
		if p, ok = a.authenticate(w, r); !ok {
			return nil // it has answered
		}
	default:
		p, _ = a.signedIn(r)
	}
	reply(w, http.StatusOK, standpoint{p.who, p.role.String(), p.cookie})
	return nil
}

// signOut ends the session.
func (a *api) signOut(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	if p := asker(r); p.cookie {
		a.sessions.end(p.session)
		a.Log.Info("signed out", zap.String("who", p.who), zap.String("remote", remote(r)))
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName(r), Path: "/", MaxAge: -1, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// meant refuses changes that a session's cookie came along with but that the
// dashboard did not ask for.
func meant(r *http.Request, p principal) error {
	if !p.cookie || r.Method == http.MethodGet || r.Method == http.MethodHead || r.Header.Get(intent) != "" {
		return nil
	}
	return &problem{status: http.StatusForbidden, text: "with a cookie, changes need the header " + intent}
}
