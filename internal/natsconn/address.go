package natsconn

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Forms are the addresses that Connect takes; [] marks what may be left out.
// Ports default to 4222.
const Forms = `  nats://HOST[:PORT],...  servers of one cluster
  tls://HOST[:PORT],...   the same with TLS`

const (
	maxAddress = 4096 // bytes
	noSecrets  = "give OVERNIGHT_NATS_NKEY_FILE, OVERNIGHT_NATS_CREDS_FILE, or OVERNIGHT_NATS_USER with OVERNIGHT_NATS_PASSWORD_FILE"
)

// address is a parsed address.
type address struct {
	tls   bool
	hosts []string // host:port
}

// url is the address as nats.go takes it.
func (a address) url() string {
	scheme := "nats://"
	if a.tls {
		scheme = "tls://"
	}
	return scheme + strings.Join(a.hosts, ","+scheme)
}

// Check tells what is wrong with an address, without connecting to it.
func Check(address string) error {
	_, err := parse(address)
	return err
}

// parse reads an address. Its errors are for users, and repeat nothing of the
// address that may be a secret; net/url's would.
func parse(s string) (address, error) {
	a, err := parseParts(s)
	if err != nil {
		return address{}, fmt.Errorf("NATS address %q: %w", Redact(s), err)
	}
	return a, nil
}

func parseParts(s string) (address, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case len(s) > maxAddress:
		return address{}, fmt.Errorf("it has more than %d bytes", maxAddress)
	case strings.Contains(s, "@"):
		return address{}, errors.New("a user, password or token stands in it, where ps and logs show it: leave out what is before the @, and " + noSecrets)
	case !ok:
		return address{}, fmt.Errorf("it has no scheme: write one of\n%s", Forms)
	case scheme != "nats" && scheme != "tls":
		return address{}, fmt.Errorf("its scheme is not known: write one of\n%s", Forms)
	case strings.ContainsAny(rest, "?#"):
		return address{}, errors.New("a part after ? or # stands in it: leave it out, and " + noSecrets)
	}
	a := address{tls: scheme == "tls"}
	for h := range strings.SplitSeq(rest, ",") {
		if other, after, ok := strings.Cut(h, "://"); ok {
			if other != scheme {
				return address{}, fmt.Errorf("its hosts have different schemes: write %s:// before all of them", scheme)
			}
			h = after
		}
		host, err := readHost(strings.TrimSuffix(h, "/"))
		if err != nil {
			return address{}, err
		}
		a.hosts = append(a.hosts, host)
	}
	slices.Sort(a.hosts)
	a.hosts = slices.Compact(a.hosts)
	return a, nil
}

// readHost reads HOST or HOST:PORT.
func readHost(h string) (string, error) {
	host, port, err := net.SplitHostPort(h)
	if err != nil { // without a port
		host, port = strings.TrimSuffix(strings.TrimPrefix(h, "["), "]"), "4222"
		if strings.Contains(host, ":") && len(host) != len(h)-2 {
			return "", errors.New("a host is not written as HOST:PORT, or an IPv6 address as [::1]:4222")
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", errors.New("a port is not a number between 1 and 65535")
	}
	if !isHost(host) {
		return "", errors.New("a host is missing or is no name: write HOST:PORT")
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

// isHost tells whether s is a host's name or an IP address.
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		case c == ':': // in brackets
			if net.ParseIP(s) == nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// Redact returns an address without what may be a secret in it: of all that has
// not the form of an address only the part behind the last @, if that has.
func Redact(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || (scheme != "nats" && scheme != "tls") || len(s) > maxAddress {
		return "***"
	}
	before := ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		before, rest = "***@", rest[i+1:]
	}
	rest, _, more := strings.Cut(strings.ReplaceAll(rest, "#", "?"), "?")
	all := strings.Split(rest, ",")
	for i, h := range all {
		if _, err := readHost(strings.TrimPrefix(h, scheme+"://")); err != nil {
			all[i] = "***"
		}
	}
	s = scheme + "://" + before + strings.Join(all, ",")
	if more {
		s += "?***"
	}
	return s
}
