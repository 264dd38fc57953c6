package sqlitestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// fleetVersion is the format of fleet.db.
const fleetVersion = 2

// forgetAfter is how long orders and silent workers are remembered.
const forgetAfter = 24 * time.Hour

// fleet is the connection to fleet.db; nil where a store that is open for
// reading has none.
type fleet struct {
	mu     sync.Mutex
	conn   *engine.Conn
	closed bool
	swept  time.Time // when silent workers were forgotten last
}

func (s *Store) openFleet() error {
	path := filepath.Join(s.dir, fleetName)
	if s.options.ReadOnly {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	c, err := s.tryFleet(path)
	if engine.IsCorrupt(err) && !s.options.ReadOnly {
		// It was not synced when the power went; workers beat again in a second.
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove a damaged file: %w", err)
			}
		}
		c, err = s.tryFleet(path)
	}
	if s.options.ReadOnly && err != nil {
		return nil // damaged, or about to be made: there are no workers to show
	}
	if err != nil {
		return s.failure("open "+fleetName, err)
	}
	s.fleet.conn = c
	return nil
}

func (s *Store) tryFleet(path string) (*engine.Conn, error) {
	c, err := engine.Open(path, !s.options.ReadOnly)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(s.options.BusyTimeout)
	if s.options.ReadOnly {
		err = c.Exec("PRAGMA query_only = ON")
	} else if err = c.Exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF"); err == nil {
		err = s.transact(c, s.createFleet)
	}
	if err == nil {
		_, err = queryInt(c, "SELECT count(*) FROM workers")
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// createFleet fills an empty fleet.db, and makes one of version 1 anew.
func (s *Store) createFleet(c *engine.Conn) error {
	version, err := queryInt(c, "PRAGMA user_version")
	switch {
	case err != nil:
		return err
	case version > fleetVersion:
		return fmt.Errorf("%s in %s has format %d, and this overnight reads up to %d: use the newer overnight that wrote it", fleetName, s.dir, version, fleetVersion)
	case version == fleetVersion:
		return nil
	case version == 1:
		if err := c.Exec(sqlFile("fleet_migrate_2.sql")); err != nil {
			return err
		}
	}
	return c.Exec(sqlFile("fleet.sql"))
}

// with calls fn with the connection to fleet.db, alone.
func (f *fleet) with(fn func(*engine.Conn) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrClosed
	}
	return fn(f.conn)
}

func (f *fleet) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.conn == nil {
		f.closed = true
		return nil
	}
	f.closed = true
	return f.conn.Close()
}

// Beat implements results.Fleet. It syncs nothing and waits for no commit.
func (s *Store) Beat(ctx context.Context, w results.Worker, after int64) (orders []results.Order, err error) {
	if s.options.ReadOnly {
		return nil, ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	held, err := json.Marshal(w.Held)
	if err != nil {
		return nil, fmt.Errorf("beat of worker %q: %w", w.ID, err)
	}
	now := s.options.Now()
	err = s.fleet.with(func(c *engine.Conn) error {
		if now.Sub(s.fleet.swept) > forgetAfter/24 {
			s.fleet.swept = now
			before := now.Add(-forgetAfter).UnixNano()
			if err := errors.Join(run(c, s.queries["forget-workers"], before), run(c, s.queries["forget-leases"], before)); err != nil {
				return err
			}
		}
		return run(c, s.queries["beat"], w.ID, w.Host, w.Slots, w.Free, w.Version, w.Engine, string(held), w.Done, w.Rate, nanos(w.Started), now.UnixNano())
	})
	if err != nil {
		return nil, s.failure(fmt.Sprintf("beat of worker %q", w.ID), err)
	}
	err = s.read(func(c *engine.Conn) error {
		return each(c, s.queries["orders"], func(st *engine.Stmt) error {
			orders = append(orders, results.Order{ID: st.Int(0), Kind: results.OrderKind(st.Text(1)), Study: st.Text(2), Made: timeOf(st.Int(3))})
			return nil
		}, after)
	})
	return orders, s.failure("read orders", err)
}

// Workers implements results.Fleet. Workers that were silent for a day are
// forgotten.
func (s *Store) Workers(ctx context.Context) (workers []results.Worker, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.fleet.with(func(c *engine.Conn) error {
		if c == nil {
			return nil
		}
		// Another process may have made it anew since.
		name := "workers"
		version, err := queryInt(c, "PRAGMA user_version")
		if err != nil {
			return err
		}
		if version == 1 {
			name = "workers-1"
		}
		return each(c, s.queries[name], func(st *engine.Stmt) error {
			w := results.Worker{
				ID: st.Text(0), Host: st.Text(1), Slots: int(st.Int(2)), Free: int(st.Int(3)), Version: st.Text(4), Engine: int(st.Int(5)),
				Done: uint64(st.Int(7)), Rate: st.Float(8), Started: timeOf(st.Int(9)), Seen: timeOf(st.Int(10)),
			}
			if err := json.Unmarshal(st.View(6), &w.Held); err != nil {
				return fmt.Errorf("jobs of worker %q: %w", w.ID, err)
			}
			if len(w.Held) == 0 {
				w.Held = nil
			}
			workers = append(workers, w)
			return nil
		})
	})
	return workers, s.failure("list workers", err)
}

// Give implements results.Fleet. The order is durable when it returns.
func (s *Store) Give(ctx context.Context, o results.Order) error {
	now := s.options.Now()
	if o.Made.IsZero() {
		o.Made = now
	}
	err := s.change(ctx, func(c *engine.Conn) error {
		if err := run(c, s.queries["forget-orders"], now.Add(-forgetAfter).UnixNano()); err != nil {
			return err
		}
		return run(c, s.queries["give"], string(o.Kind), o.Study, nanos(o.Made))
	})
	if err != nil {
		return s.failure(fmt.Sprintf("give the order to %s %s", o.Kind, o.Study), err)
	}
	return nil
}
