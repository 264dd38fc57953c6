package web

import (
	"context"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// maxBody bounds what a request may send.
const maxBody = 1 << 20

// guard lets through what a known person asks on purpose: not a web page that
// their browser shows (CSRF, DNS rebinding), and not a stranger, but for what is
// open to all.
func (a *api) guard(mux *http.ServeMux, routes map[string]route) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.panicked(r)
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !a.known(r) {
			refuse(w, r, http.StatusMisdirectedRequest, "this service does not go by this name: call it localhost or by its IP address, or start it with --host NAME")
			return
		}
		if sameOrigin.Check(r) != nil || !ownOrigin(r) || embedded(r) {
			refuse(w, r, http.StatusForbidden, "a page of another origin may not ask this")
			return
		}
		if r.ContentLength > maxBody {
			h.Set("Connection", "close")
			refuse(w, r, http.StatusRequestEntityTooLarge, "more than %d bytes", maxBody)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		handler, pattern := mux.Handler(r)
		rt := routes[pattern]
		var p principal
		switch {
		case rt.role == everybody && pattern != "":
		case rt.page && a.Tokens != nil && r.Header.Get("Authorization") == "":
			var ok bool
			if p, ok = a.signedIn(r); !ok {
				http.Redirect(w, r, "/signin?to="+url.QueryEscape(r.URL.Path), http.StatusSeeOther)
				return
			}
		default:
			var ok bool
			if p, ok = a.authenticate(w, r); !ok {
				return
			}
		}
		r = r.WithContext(context.WithValue(viewing(r, p), principalKey{}, p))
		if pattern == "" {
			unknown(w, r, handler)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// unknown answers what no route is for; handler is the mux's answer to it.
func unknown(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	heard := &listener{header: http.Header{}}
	handler.ServeHTTP(heard, r)
	for _, name := range []string{"Allow", "Location"} {
		if v := heard.header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	switch heard.status {
	case http.StatusMethodNotAllowed:
		refuse(w, r, heard.status, "this path answers %s", heard.header.Get("Allow"))
	case http.StatusNotFound:
		refuse(w, r, heard.status, "there is nothing at this path: /api/v1/openapi.json says what there is")
	default:
		w.WriteHeader(heard.status) // the way to the path without dots and double slashes
	}
}

// listener takes an answer's head and drops its body.
type listener struct {
	header http.Header
	status int
}

func (l *listener) Header() http.Header         { return l.header }
func (l *listener) Write(b []byte) (int, error) { return len(b), nil }
func (l *listener) WriteHeader(status int)      { l.status = status }

// panicked logs a bug, and breaks the answer off.
func (a *api) panicked(r *http.Request) {
	switch v := recover(); v {
	case nil:
	case http.ErrAbortHandler:
		panic(v)
	default:
		a.Log.Error("request panicked", zap.String("route", r.Pattern), zap.Any("panic", v), zap.Stack("stack"))
		panic(http.ErrAbortHandler)
	}
}

// known tells whether the request names this service as one may. A page whose
// name was made to lead here (DNS rebinding) calls it by that name, on behalf of
// whoever opened it; where a token is needed that gains it nothing, except on a
// loopback address, which is strict all the same.
func (a *api) known(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	local, isLocal := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	loopback := isLocal && isLoopback(local.String())
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "localhost", slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, host) }):
		return true
	case err == nil: // an address can't be made to lead elsewhere
		return !loopback || ip.Unmap().IsLoopback()
	}
	return a.Tokens != nil && !loopback
}

// isLoopback tells whether an address is one of this machine alone.
func isLoopback(addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// ownOrigin tells whether the request comes from no page, or from one of this
// service: reading is for these alone too.
func ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host // a proxy may have ended TLS
}

// embedded tells whether a page of another origin asks in passing, by an image or a
// frame: it could not read the answer, but have it computed and hold streams open.
// Links lead here from anywhere.
func embedded(r *http.Request) bool {
	h := r.Header
	switch h.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return h.Get("Sec-Fetch-Mode") != "navigate" || h.Get("Sec-Fetch-Dest") != "document"
	}
	return false
}

// contentType refuses bodies that a form of a foreign page could send.
func contentType(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && slices.Contains([]string{"application/json", "application/yaml", "application/x-yaml", "text/yaml"}, kind) {
		return nil
	}
	return &problem{status: http.StatusUnsupportedMediaType, text: "send Content-Type: application/yaml or application/json"}
}

// isName tells whether s can be a study's name: "name" or "name@2". Whatever else
// stands in a path does not reach a store.
func isName(s string) bool {
	base, version, versioned := strings.Cut(s, "@")
	if versioned && (version == "" || len(version) > 10 || strings.Trim(version, "0123456789") != "" || version[0] == '0') {
		return false
	}
	if base == "" || len(base) > 64 {
		return false
	}
	for i, c := range []byte(base) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && strings.IndexByte("._-", c) >= 0:
		default:
			return false
		}
	}
	return true
}
