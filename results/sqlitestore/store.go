// Package sqlitestore keeps plans, results and everything beside them in one
// SQLite database in a folder: the store of the embedded engine. Start with Open
// and Store.Commit.
//
// What Commit has answered survives a kill of every process and a loss of power:
// the database is in WAL mode with synchronous FULL, and one goroutine gathers
// concurrent commits into transactions with one sync each. Every row carries a
// CRC that is verified whenever it is read. Any number of processes may read
// beside one that commits, and give orders; Lock keeps two coordinators apart.
//
// The database can be queried with sqlite3: table studies lists the studies, and
// for each a view of its name shows its trials. No program should open
// overnight.db by other means than SQLite while a store is open: closing a
// plain file of it drops the locks of the whole process.
//
// A store of format 1 becomes one of format 2 when it is opened for writing, and
// is read as it is when it is opened for reading.
package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// The files of a store.
const (
	fileName  = "overnight.db"
	fleetName = "fleet.db"
)

// Options configure a store.
type Options struct {
	// ReadOnly opens a store that is there for reading; writes are refused with
	// ErrReadOnly. Defaults to false.
	ReadOnly bool
	// MustExist makes Open return results.ErrNotFound where there is no store,
	// instead of creating one. Defaults to ReadOnly.
	MustExist bool
	// BusyTimeout is how long a write waits for one of another process. Defaults to
	// 10 s.
	BusyTimeout time.Duration
	// Now is the store's clock, for beats and orders. Defaults to time.Now.
	Now func() time.Time
}

// Errors of this package. Those that an Open store returns are of package
// results otherwise.
var (
	ErrReadOnly = errors.New("store is open for reading only")
	ErrClosed   = errors.New("store is closed")
)

// Store is an open store. Its methods may be called concurrently.
type Store struct {
	dir     string
	options Options
	queries queries

	readers pool
	writer  *writer // nil where read-only
	fleet   fleet

	old       atomic.Bool // read-only, of version 1 when it was looked at last
	heads     sync.Map    // study name -> *head; only to check records before they wait, see Commit
	followers followers
}

var (
	_ results.Store       = (*Store)(nil)
	_ results.Follower    = (*Store)(nil)
	_ results.Skimmer     = (*Store)(nil)
	_ results.Describer   = (*Store)(nil)
	_ results.Checker     = (*Store)(nil)
	_ results.Leaderboard = (*Store)(nil)
)

// Open opens the store in folder dir and creates what is missing, as Options
// say. It returns results.ErrNotFound where there must be one and is none, and
// results.ErrDamaged where the file can't be read.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.MustExist = o.MustExist || o.ReadOnly
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, options: o, queries: loadQueries()}
	s.readers.open = s.openReader
	s.followers.closing = make(chan struct{})
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open() error {
	path := filepath.Join(s.dir, fileName)
	_, err := os.Stat(path)
	isNew := errors.Is(err, os.ErrNotExist)
	if isNew {
		if s.options.MustExist {
			return fmt.Errorf("no store in %s (%w): `overnight run` makes one, --store names another folder", s.dir, results.ErrNotFound)
		}
		if err := os.MkdirAll(s.dir, 0o755); err != nil {
			return fmt.Errorf("create the store's folder: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("open the store in %s: %w", s.dir, err)
	}
	c, err := engine.Open(path, !s.options.MustExist)
	if err != nil {
		return s.failure("open the store", err)
	}
	if err := s.prepare(c); err != nil {
		return errors.Join(err, c.Close())
	}
	if s.options.ReadOnly {
		s.readers.put(c)
	} else {
		s.writer = newWriter(s, c)
		if err := syncFolder(s.dir, isNew); err != nil {
			return err
		}
	}
	return s.openFleet()
}

// prepare sets a connection up that may write, and creates the schema or checks
// its version.
func (s *Store) prepare(c *engine.Conn) error {
	c.SetBusyTimeout(s.options.BusyTimeout)
	if s.options.ReadOnly {
		if err := c.Exec("PRAGMA query_only = ON"); err != nil {
			return s.failure("open the store", err)
		}
		if err := s.checkVersion(c); err != nil {
			return err
		}
		version, err := queryInt(c, "PRAGMA user_version")
		s.old.Store(version < schemaVersion)
		return s.failure("read the store's version", err)
	}
	mode, err := queryText(c, "PRAGMA journal_mode = WAL")
	if err != nil {
		return s.failure("open the store", err)
	}
	if mode != "wal" {
		return fmt.Errorf("the file system of %s can't hold a store (SQLite's journal stays %q instead of \"wal\"); use a local folder", s.dir, mode)
	}
	// The cache holds the pages that a large group dirties; a checkpoint comes
	// every 16 MB of log.
	if err := c.Exec(`PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;
		PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864`); err != nil {
		return s.failure("open the store", err)
	}
	return s.createSchema(c)
}

// syncFolder makes the entries of a folder survive a loss of power, and the entry
// of one that may be new.
func syncFolder(dir string, isNew bool) error {
	dirs := []string{dir}
	if isNew {
		dirs = append(dirs, filepath.Dir(filepath.Clean(dir)))
	}
	for i, d := range dirs {
		f, err := os.Open(d)
		if i > 0 && errors.Is(err, os.ErrPermission) {
			return nil // a folder made for this user in one that others can't list
		}
		if err != nil {
			return fmt.Errorf("sync folder: %w", err)
		}
		err = f.Sync()
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("sync folder %s: %w", d, err)
		}
	}
	return nil
}

// Close ends running commits, then closes the store. Calls that come later
// return ErrClosed.
func (s *Store) Close() error {
	var errs []error
	s.followers.close()
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	errs = append(errs, s.fleet.close(), s.readers.close())
	return errors.Join(errs...)
}

// failure says which store failed, tells damage, locks and full disks apart, and
// what to do about them.
func (s *Store) failure(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case engine.IsCorrupt(err):
		return fmt.Errorf("%s: the file %s is %w: %w; `overnight fsck` says what can be read", what, filepath.Join(s.dir, fileName), results.ErrDamaged, err)
	case engine.IsBusy(err):
		return fmt.Errorf("%s: another process has been writing to %s for more than %v: %w", what, s.dir, s.options.BusyTimeout, err)
	case engine.IsFull(err):
		return fmt.Errorf("%s: the disk of %s is full; make room and run the same command again: %w", what, s.dir, err)
	case engine.IsReadOnly(err):
		return fmt.Errorf("%s: %s may not be written; check its permissions: %w", what, s.dir, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
