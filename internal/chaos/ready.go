package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"overnight/results"
)

// ready waits until every worker holds a job: a fault that hits idle workers
// shows nothing.
func (l *lab) ready(ctx context.Context) error {
	if l.Engine == Embedded {
		return nil
	}
	err := l.until(ctx, 30*time.Second, "every worker holds a job", func() bool {
		ws, err := l.store.Workers(ctx)
		if err != nil {
			return false
		}
		holding := 0
		for _, p := range l.workers {
			for _, w := range ws {
				if len(w.Held) > 0 && strings.HasSuffix(w.ID, fmt.Sprintf("-%d-1", p.PID())) {
					holding++
					break
				}
			}
		}
		return holding == len(l.workers)
	})
	return err
}

// attempts counts the records that say that their trial was begun more than once:
// what a kill of a slot's process costs, and a drain must not.
func (l *lab) attempts(ctx context.Context) (n uint64, err error) {
	for r, err := range results.Skim(ctx, l.store, studyName, 0, l.replications*points) {
		if err != nil {
			return 0, err
		}
		if r.Attempts > 1 {
			n++
		}
	}
	return n, nil
}
