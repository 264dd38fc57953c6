package redisconn

import "strings"

// Redact returns an address without what may be a secret in it: what stands
// before an @ or in a port's place, and the values of its query except the
// database's number.
func Redact(address string) string {
	s := address
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		scheme, _ := splitScheme(s)
		s = scheme + "***" + s[i:]
	}
	s, fragment, hash := strings.Cut(s, "#")
	s, query, asked := strings.Cut(s, "?")
	scheme, rest := splitScheme(s)
	hosts, path, slash := strings.Cut(rest, "/")
	s = scheme + redactPorts(hosts)
	if slash {
		s += "/" + path
	}
	if asked {
		var kept []string
		for pair := range strings.SplitSeq(query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			if key != "db" || len(value) > 5 {
				value = "***"
			}
			kept = append(kept, redactKey(key)+"="+value)
		}
		s += "?" + strings.Join(kept, "&")
	}
	if hash && fragment != "" {
		s += "#***"
	}
	return s
}

// redactPorts hides ports that are no numbers: "redis://:secret".
func redactPorts(hosts string) string {
	all := strings.Split(hosts, ",")
	for i, h := range all {
		if j := strings.LastIndexByte(h, ':'); j > strings.LastIndexByte(h, ']') && strings.Trim(h[j+1:], "0123456789") != "" {
			all[i] = h[:j] + ":***"
		}
	}
	return strings.Join(all, ",")
}

// redactKey returns a key of a query, or *** for one that looks like a value.
func redactKey(key string) string {
	if len(key) > 20 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_-") != "" {
		return "***"
	}
	return key
}

// withoutUser is what to write in place of an address with an @.
func withoutUser(address string) string {
	scheme, rest := splitScheme(address)
	if scheme == "" {
		scheme = "redis://"
	}
	return Redact(scheme + rest[strings.LastIndexByte(rest, '@')+1:])
}

// splitScheme cuts an address behind "://", where the scheme is a known one.
func splitScheme(address string) (scheme, rest string) {
	before, after, ok := strings.Cut(address, "://")
	if _, known := schemes[before]; !ok || !known {
		return "", address
	}
	return before + "://", after
}
