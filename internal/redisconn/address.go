package redisconn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Forms are the addresses that New takes; [] marks what may be left out. Ports
// default to 6379, those of Sentinels to 26379.
const Forms = `  redis://HOST[:PORT][/DB]                        one server
  redis+sentinel://HOST[:PORT],.../MASTER[?db=DB] Sentinels that name the master
  redis+cluster://HOST[:PORT],...                 Redis Cluster
  unix:///PATH[?db=DB]                            one server's socket
with rediss, rediss+sentinel and rediss+cluster for TLS`

type kind int

const (
	server kind = iota
	sentinel
	cluster
)

// address is a parsed address.
type address struct {
	kind    kind
	tls     bool
	network string   // "tcp" or "unix"
	hosts   []string // host:port, or one path
	master  string   // the Sentinels' name of it
	db      int
}

// schemes are what may stand before "://".
var schemes = map[string]address{
	"redis":           {network: "tcp"},
	"rediss":          {network: "tcp", tls: true},
	"unix":            {network: "unix"},
	"redis+sentinel":  {network: "tcp", kind: sentinel},
	"rediss+sentinel": {network: "tcp", kind: sentinel, tls: true},
	"redis+cluster":   {network: "tcp", kind: cluster},
	"rediss+cluster":  {network: "tcp", kind: cluster, tls: true},
}

// parse reads an address. Its errors are for users, and repeat nothing of the
// address that may be a secret; net/url's would.
func parse(s string) (address, error) {
	a, err := parseParts(s)
	if err != nil {
		return address{}, fmt.Errorf("Redis address %q: %w", Redact(s), err)
	}
	return a, nil
}

func parseParts(s string) (address, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	a, known := schemes[scheme]
	switch {
	case strings.Contains(s, "@"):
		return a, fmt.Errorf("a user or password stands in it, where ps and logs show it: "+
			"write %q and give the password in the file that OVERNIGHT_REDIS_PASSWORD_FILE names, or in OVERNIGHT_REDIS_PASSWORD", withoutUser(s))
	case !ok:
		return a, fmt.Errorf("it has no scheme: write one of\n%s", Forms)
	case !known:
		return a, fmt.Errorf("scheme %q is not known: write one of\n%s", scheme, Forms)
	case strings.Contains(rest, "#"):
		return a, errors.New("it has a part after #: leave it out")
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		hosts, path = rest[:i], rest[i+1:]
	}
	if err := a.readQuery(query); err != nil {
		return a, err
	}
	if a.network == "unix" {
		if hosts != "" || path == "" {
			return a, errors.New("it has no absolute path: write unix:///run/redis.sock")
		}
		a.hosts = []string{"/" + path}
		return a, nil
	}
	if err := a.readHosts(hosts); err != nil {
		return a, err
	}
	return a, a.readPath(strings.TrimSuffix(path, "/"), query)
}

// readQuery reads db, the only key there is.
func (a *address) readQuery(query string) error {
	if query == "" {
		return nil
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != "db" {
			return fmt.Errorf("%q in its query is not known: only db=N is, and users, passwords and certificates come from elsewhere", redactKey(key))
		}
		if a.kind == cluster {
			return errors.New("db stands in it: a cluster has database 0 and no other: leave it out")
		}
		if err := a.readDB(value); err != nil {
			return err
		}
	}
	return nil
}

func (a *address) readDB(s string) error {
	db, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return errors.New("its database is no number: write 0, 1, 2, ...")
	}
	a.db = int(db)
	return nil
}

func (a *address) readHosts(hosts string) error {
	port := "6379"
	if a.kind == sentinel {
		port = "26379"
	}
	for h := range strings.SplitSeq(hosts, ",") {
		host, p, err := net.SplitHostPort(h)
		if err != nil { // without a port
			host, p = strings.TrimSuffix(strings.TrimPrefix(h, "["), "]"), port
			if strings.Contains(host, ":") && len(host) != len(h)-2 {
				return fmt.Errorf("a host is not written as HOST:PORT, or an IPv6 address as [::1]:%s", port)
			}
		}
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return errors.New("a port is not a number between 1 and 65535")
		}
		if host == "" || strings.ContainsAny(host, " \t\r\n") {
			return errors.New("a host is missing or has spaces in it: write HOST:PORT")
		}
		a.hosts = append(a.hosts, net.JoinHostPort(host, p))
	}
	if a.kind == server && len(a.hosts) > 1 {
		return fmt.Errorf("it has %d hosts: one is possible, or write redis+cluster:// or redis+sentinel://", len(a.hosts))
	}
	slices.Sort(a.hosts)
	a.hosts = slices.Compact(a.hosts)
	return nil
}

// readPath reads what stands behind the hosts: a database, or a master's name.
func (a *address) readPath(path, query string) error {
	switch a.kind {
	case cluster:
		if path != "" {
			return errors.New("a path stands in it: a cluster has database 0 and no other: leave it out")
		}
	case sentinel:
		name, err := url.PathUnescape(path)
		if err != nil || name == "" || strings.Contains(path, "/") {
			return errors.New("it has no master's name: write redis+sentinel://HOST:26379/mymaster, with the name in the Sentinels' configuration")
		}
		a.master = name
	default:
		if path == "" {
			return nil
		}
		if query != "" {
			return fmt.Errorf("the database stands in it twice: leave out ?db=%d", a.db)
		}
		return a.readDB(path)
	}
	return nil
}
