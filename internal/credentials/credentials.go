// Package credentials reads what is secret from files and the environment, and
// reads files again when they change, so that rotation needs no restart. Start
// with Env and its methods Redis, NATS and TLS, and with MakeSigning.
//
// A file is looked at when its value is asked for, at most once a second. A new
// content that can't be used - cut off, unreadable to us, readable to the world -
// is logged once and changes nothing: the value of before stays. Errors and logs
// name files and variables, never what is in them.
package credentials

import (
	"fmt"
	"os"

	"go.uber.org/zap"
)

// Env is where secrets come from. The zero Env is the environment of the process,
// without a log.
type Env struct {
	// Lookup returns a variable and whether it is set. Defaults to os.LookupEnv.
	Lookup func(name string) (string, bool)
	// Log hears of files that can't be used. Defaults to none.
	Log *zap.Logger
}

func (e Env) log() *zap.Logger {
	if e.Log == nil {
		return zap.NewNop()
	}
	return e.Log
}

// get returns a variable; an empty one counts as not set, as compose files and
// manifests write it.
func (e Env) get(name string) string {
	lookup := e.Lookup
	if lookup == nil {
		lookup = os.LookupEnv
	}
	v, _ := lookup(name)
	return v
}

// Secret is a password or the like. It prints as "[secret]" wherever it is
// formatted.
type Secret struct {
	fixed string
	file  *watched[string]
}

// Secret returns what the file that the variable NAME_FILE names holds, without
// one newline at its end, or the value of NAME; nil where neither is set, and an
// error where both are. The file has at most 64 KiB, is not empty, and must not
// be readable to the world.
func (e Env) Secret(name string) (*Secret, error) {
	value, path := e.get(name), e.get(name+"_FILE")
	switch {
	case value != "" && path != "":
		return nil, fmt.Errorf("%s and %s_FILE are both set: keep one of them; the file can be changed while the program runs", name, name)
	case path != "":
		w, err := watch(e.log(), name+"_FILE", []file{{path, secret}}, func(c [][]byte) (string, error) { return line(c[0]) })
		if err != nil {
			return nil, err
		}
		return &Secret{file: w}, nil
	case value != "":
		return &Secret{fixed: value}, nil
	}
	return nil, nil
}

// Reveal returns the secret as it is now; "" of nil.
func (s *Secret) Reveal() string {
	switch {
	case s == nil:
		return ""
	case s.file != nil:
		return s.file.get()
	}
	return s.fixed
}

// Format implements fmt.Formatter for every verb.
func (*Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[secret]") }

// MarshalText implements encoding.TextMarshaler.
func (*Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
