package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"overnight/results"
)

// ErrClosed is returned by calls that come after Close.
var ErrClosed = errors.New("store is closed")

// errChanged tells that a study was changed again and again while a call worked
// on it.
var errChanged = errors.New("the study was changed by others again and again meanwhile; try again")

// replicaError tells that fewer replicas than were asked for have what was
// written. It is on the server itself, and trying again waits for them again.
type replicaError struct {
	got, want int
	within    time.Duration
}

func (e *replicaError) Error() string {
	return fmt.Sprintf("%d of %d replicas have confirmed it within %v", e.got, e.want, e.within)
}

// advice says what an answer of the server asks for.
var advice = []struct{ prefix, text string }{
	{"OOM", "Redis has reached its maxmemory: raise it (CONFIG SET maxmemory), or remove studies with `overnight rm`; nothing is lost, and it goes on when there is room"},
	{"READONLY", "this Redis is a replica: write the address of the master, or of the Sentinels; after a failover it goes on by itself"},
	{"NOREPLICAS", "Redis has fewer replicas than min-replicas-to-write asks for"},
	{"NOAUTH", "Redis asks for a password: give it by a file or the environment, as docs/security.md says"},
	{"WRONGPASS", "Redis refuses the user or the password"},
	{"NOPERM", "the Redis user may not do this: docs/security.md has the access list that it needs"},
	{"LOADING", "Redis is starting and reads its files; try again"},
	{"CLUSTERDOWN", "the Redis Cluster has slots that nobody serves: `redis-cli --cluster check` says which"},
	{"CROSSSLOT", "Redis Cluster refuses keys of several slots: report this, it is a mistake of this program"},
	{"MASTERDOWN", "Redis is a replica without its master"},
	{"MISCONF", "Redis can't write its files: its disk is full or may not be written; see its log"},
	{"BUSY", "Redis runs a script of somebody else; try again"},
	{"ERR max number of clients", "Redis has reached its maxclients"},
	{"ERR unknown command", "this server lacks a command that Overnight needs: use Redis 6.2 or later, or Valkey"},
}

// failure says what failed, and what to do about it. The cause stays inside, so
// that callers may tell what to try again.
func (s *Store) failure(what string, err error) error {
	if err == nil {
		return nil
	}
	var network net.Error
	text := err.Error()
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, results.ErrNotFound), errors.Is(err, results.ErrExists), errors.Is(err, results.ErrDamaged):
		return fmt.Errorf("%s: %w", what, err)
	case errors.As(err, &network) && network.Timeout() || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: Redis did not answer in time: %w", what, err)
	case errors.As(err, &network):
		return fmt.Errorf("%s: Redis can't be reached; is it running, and is the address right? %w", what, err)
	}
	for _, a := range advice {
		if strings.HasPrefix(text, a.prefix) {
			return fmt.Errorf("%s: %w (%s)", what, err, a.text)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
