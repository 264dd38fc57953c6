package natsqueue

import (
	"fmt"
	"strconv"
	"strings"
)

// names are what streams, subjects and consumers are called on a server. With
// the namespace "overnight" and engine version 3:
//
//	stream OVERNIGHT_JOBS   subjects overnight.jobs.*   consumer engine-3, of overnight.jobs.3
//	stream OVERNIGHT_DEAD   subjects overnight.dead.*
type names struct{ space string }

const defaultNamespace = "overnight"

func namesOf(namespace string) (names, error) {
	if namespace == "" {
		namespace = defaultNamespace
	}
	if len(namespace) > 32 || strings.Trim(namespace, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return names{}, fmt.Errorf("namespace %q: write 1 to 32 lower-case letters, digits, _ or -", namespace)
	}
	return names{namespace}, nil
}

func (n names) jobs() string              { return strings.ToUpper(n.space) + "_JOBS" }
func (n names) dead() string              { return strings.ToUpper(n.space) + "_DEAD" }
func (n names) subject(engine int) string { return n.space + ".jobs." + strconv.Itoa(engine) }
func (n names) grave(engine int) string   { return n.space + ".dead." + strconv.Itoa(engine) }
func (n names) subjects() string          { return n.space + ".jobs.*" }
func (n names) graves() string            { return n.space + ".dead.*" }

func consumer(engine int) string { return "engine-" + strconv.Itoa(engine) }

// next is where jobs are asked for.
func (n names) next(engine int) string {
	return "$JS.API.CONSUMER.MSG.NEXT." + n.jobs() + "." + consumer(engine)
}

// TakeRights returns the subjects that a connection must be allowed to publish to
// in order to take jobs of one engine version with Options.TakeOnly: asking for
// jobs, acknowledging them, and recording what is no job. It also subscribes to
// its own inbox, and to nothing else.
func TakeRights(namespace string, engine int) ([]string, error) {
	n, err := namesOf(namespace)
	if err != nil {
		return nil, err
	}
	return []string{
		n.next(engine),
		"$JS.ACK." + n.jobs() + "." + consumer(engine) + ".>",
		n.grave(engine),
	}, nil
}
