package redisconn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]address{
		"redis://redis":              {network: "tcp", hosts: []string{"redis:6379"}},
		"redis://10.0.0.1:7000/":     {network: "tcp", hosts: []string{"10.0.0.1:7000"}},
		"rediss://h:1/3":             {network: "tcp", tls: true, hosts: []string{"h:1"}, db: 3},
		"redis://h?db=2":             {network: "tcp", hosts: []string{"h:6379"}, db: 2},
		"redis://[::1]:9":            {network: "tcp", hosts: []string{"[::1]:9"}},
		"redis://[::1]":              {network: "tcp", hosts: []string{"[::1]:6379"}},
		"unix:///run/r.sock?db=4":    {network: "unix", hosts: []string{"/run/r.sock"}, db: 4},
		"redis+sentinel://b,a:1/m":   {network: "tcp", kind: sentinel, hosts: []string{"a:1", "b:26379"}, master: "m"},
		"rediss+sentinel://a/m?db=1": {network: "tcp", kind: sentinel, tls: true, hosts: []string{"a:26379"}, master: "m", db: 1},
		"redis+cluster://a:1,b:2":    {network: "tcp", kind: cluster, hosts: []string{"a:1", "b:2"}},
		"rediss+cluster://a":         {network: "tcp", kind: cluster, tls: true, hosts: []string{"a:6379"}},
	}
	for in, want := range tests {
		got, err := parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(address{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", in, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"redis://:hunter2@h:1/2", `write "redis://h:1/2" and give the password in the file that OVERNIGHT_REDIS_PASSWORD_FILE names`},
		{"redis://me:hunter2@h", `write "redis://h"`},
		{"redis://me:hun/ter@2@hunter2@h", `write "redis://h"`},
		{"rediss+cluster://hunter2@a:1,b:2", `write "rediss+cluster://a:1,b:2"`},
		{"me:hunter2@h", `write "redis://h"`},
		{"redis://:hunter2", "not a number between"},
		{"redis://h:hunter2", "not a number between"},
		{"redis://h:1?password=hunter2", `"password" in its query is not known: only db=N`},
		{"redis://h:1?hunter2", "only db=N"},
		{"redis://h#hunter2", "part after #"},
		{"redis+sentinel://h:1/m?sentinel_password=hunter2", `"sentinel_password" in its query`},
		{"localhost:6379", "no scheme: write one of\n  redis://HOST"},
		{"http://h", `scheme "http" is not known: write one of`},
		{"redis://", "a host is missing"},
		{"redis://:6379", "a host is missing"},
		{"redis://h:0", "not a number between 1 and 65535"},
		{"redis://::1:6379", "[::1]:6379"},
		{"redis://a,b", "2 hosts: one is possible, or write redis+cluster"},
		{"redis://h/x", "database is no number"},
		{"redis://h/1?db=2", "twice: leave out ?db=2"},
		{"redis+cluster://h/1", "a cluster has database 0"},
		{"redis+cluster://h?db=1", "a cluster has database 0"},
		{"redis+sentinel://h", "no master's name: write redis+sentinel://HOST:26379/mymaster"},
		{"unix://run/redis.sock", "no absolute path"},
	}
	for _, tt := range tests {
		a, err := parse(tt.in)
		if err == nil {
			t.Errorf("%s: parsed as %+v, want an error", tt.in, a)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %q, want %q in it", tt.in, err, tt.want)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the secret is in the error %q", tt.in, err)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"redis://h:6379/1":            "redis://h:6379/1",
		"redis://a:1,b:2/m?db=3":      "redis://a:1,b:2/m?db=3",
		"rediss://u:p@h:1":            "rediss://***@h:1",
		"redis+cluster://:p#@/?@a,b":  "redis+cluster://***@a,b",
		"u:p@h":                       "***@h",
		"redis://h?db=1&password=p":   "redis://h?db=1&password=***",
		"redis://h?pA5s":              "redis://h?***=***",
		"redis://h#p":                 "redis://h#***",
		"redis://:p":                  "redis://:***",
		"redis://[::1]:9,[::2]:p":     "redis://[::1]:9,[::2]:***",
		"unix:///run/redis.sock?db=1": "unix:///run/redis.sock?db=1",
	}
	for in, want := range tests {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever the address is, a password in it is in no message.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"redis://h:1/2", "rediss+cluster://a,b?db=1", "://", "redis://x@y@z?a=b#c", "unix:///a"} {
		f.Add(s, "p")
	}
	f.Fuzz(func(t *testing.T, s, password string) {
		a, err := parse(s)
		if err == nil && (len(a.hosts) == 0 || strings.Contains(s, "@")) {
			t.Errorf("%q was parsed as %+v", s, a)
		}
		const secret = "S3CRET-S3CRET-S3CRET"
		for _, with := range []string{"redis://:" + password + secret + "@" + s, "redis://u:" + secret + password + "@h/" + s, "redis://h?k=" + secret + password} {
			_, err := parse(with)
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%q: error %v, want one without the secret", with, err)
			}
		}
	})
}
