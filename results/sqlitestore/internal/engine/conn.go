// Package engine binds the SQLite library translated to Go
// (modernc.org/sqlite/lib) without database/sql: values are bound and read
// without boxing, which makes inserts and scans about twice as fast. Start with
// Open and Conn.Prepare.
//
// A Conn and its statements belong to one goroutine at a time; only Interrupt
// may be called from another.
package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"modernc.org/libc"
	_ "modernc.org/sqlite" // prepares the library for this architecture
	sqlite3 "modernc.org/sqlite/lib"
)

// Conn is a connection to a database file.
type Conn struct {
	tls   *libc.TLS
	db    uintptr
	out   uintptr // room in the library's memory, where it writes handles
	stmts map[string]*Stmt
}

// maxStmts is how many prepared statements a connection keeps over Trim.
const maxStmts = 64

// Open opens the database file at path. With create, a missing one is made. A
// file that may not be written is opened for reading.
func Open(path string, create bool) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS(), stmts: make(map[string]*Stmt)}
	if err := c.open(path, create); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Conn) open(path string, create bool) error {
	name, err := libc.CString(path)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, name)
	if c.out = sqlite3.Xsqlite3_malloc64(c.tls, uint64(unsafe.Sizeof(c.out))); c.out == 0 {
		return c.error(sqlite3.SQLITE_NOMEM)
	}
	flags := int32(sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_NOMUTEX)
	if create {
		flags |= sqlite3.SQLITE_OPEN_CREATE
	}
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out, flags, 0)
	c.db = c.result()
	if rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	return nil
}

// result returns the handle that the library has written.
func (c *Conn) result() uintptr {
	b := libc.GoBytes(c.out, int(unsafe.Sizeof(c.out)))
	return *(*uintptr)(unsafe.Pointer(unsafe.SliceData(b)))
}

// Close finalizes the statements and closes the connection.
func (c *Conn) Close() error {
	for _, s := range c.stmts {
		s.finalize()
	}
	c.stmts = nil
	var err error
	if c.db != 0 {
		if rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db); rc != sqlite3.SQLITE_OK {
			err = c.error(rc)
		}
		c.db = 0
	}
	sqlite3.Xsqlite3_free(c.tls, c.out)
	c.out = 0
	c.tls.Close()
	return err
}

// SetBusyTimeout sets how long a statement waits for the lock of another
// connection.
func (c *Conn) SetBusyTimeout(d time.Duration) {
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, int32(d.Milliseconds()))
}

// Exec runs the statements of a script and drops their rows.
func (c *Conn) Exec(script string) error {
	p, err := libc.CString(script)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, p)
	if rc := sqlite3.Xsqlite3_exec(c.tls, c.db, p, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	return nil
}

// Changes returns the rows that the last INSERT, UPDATE or DELETE changed.
func (c *Conn) Changes() int64 { return sqlite3.Xsqlite3_changes64(c.tls, c.db) }

// LastInsertID returns the row number of the last INSERT.
func (c *Conn) LastInsertID() int64 { return sqlite3.Xsqlite3_last_insert_rowid(c.tls, c.db) }

// InTransaction tells whether BEGIN was run and neither COMMIT nor ROLLBACK.
func (c *Conn) InTransaction() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// InterruptWhenDone makes the running statement fail once ctx ends. The caller
// runs the returned function when it is through.
func (c *Conn) InterruptWhenDone(ctx context.Context) (release func()) {
	through := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		sqlite3.Xsqlite3_interrupt(c.tls, c.db)
		close(through)
	})
	return func() {
		if !stop() {
			<-through // the connection may be used again or closed
		}
	}
}

// Error is what the library answered.
type Error struct {
	Code int32 // extended result code
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.Text, e.Code) }

func (c *Conn) error(rc int32) error {
	e := &Error{Code: rc, Text: libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))}
	if c.db != 0 {
		if text := libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db)); text != e.Text && text != "not an error" {
			e.Text += ": " + text
		}
	}
	return e
}

// is tells whether err has one of the primary result codes.
func is(err error, codes ...int32) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.Code&0xff == code {
			return true
		}
	}
	return false
}

// IsCorrupt tells whether err says that the file's structure is damaged.
func IsCorrupt(err error) bool {
	return is(err, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
}

// IsBusy tells whether err says that another process held a lock for too long.
func IsBusy(err error) bool { return is(err, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) }

// IsCantOpen tells whether err says that the file is not there or not readable.
func IsCantOpen(err error) bool { return is(err, sqlite3.SQLITE_CANTOPEN) }

// IsReadOnly tells whether err says that the file may not be written.
func IsReadOnly(err error) bool { return is(err, sqlite3.SQLITE_READONLY) }

// IsFull tells whether err says that the disk is full.
func IsFull(err error) bool { return is(err, sqlite3.SQLITE_FULL) }

// IsInterrupted tells whether err comes from InterruptWhenDone.
func IsInterrupted(err error) bool { return is(err, sqlite3.SQLITE_INTERRUPT) }
