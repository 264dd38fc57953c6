package engine

import (
	"fmt"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Stmt is a prepared statement. Bind its parameters (from 1), Step through its
// rows, read their columns (from 0) and Reset it.
type Stmt struct {
	c      *Conn
	handle uintptr
	rc     int32 // the first error of a bind since the last Reset

	// Texts and blobs are handed over in memory of the library's own: it takes
	// addresses, and Go's are not to be kept as integers.
	buf  uintptr
	size int
}

// maxBuffer is how many bytes a statement keeps for the next text or blob.
const maxBuffer = 64 << 10

// Prepare returns the statement of a query text. The connection keeps it until
// Trim: the same text gives the same statement.
func (c *Conn) Prepare(query string) (*Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	p, err := libc.CString(query)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, p)
	if rc := sqlite3.Xsqlite3_prepare_v2(c.tls, c.db, p, -1, c.out, 0); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("prepare %q: %w", query, c.error(rc))
	}
	s := &Stmt{c: c, handle: c.result()}
	c.stmts[query] = s
	return s, nil
}

// Trim drops the statements where there are many. Nobody may hold one.
func (c *Conn) Trim() {
	if len(c.stmts) <= maxStmts {
		return
	}
	for _, s := range c.stmts {
		s.finalize()
	}
	clear(c.stmts)
}

func (s *Stmt) finalize() {
	sqlite3.Xsqlite3_finalize(s.c.tls, s.handle)
	s.handle = 0
	s.free()
}

func (s *Stmt) bound(rc int32) {
	if s.rc == sqlite3.SQLITE_OK {
		s.rc = rc
	}
}

// BindInt binds parameter i to v.
func (s *Stmt) BindInt(i int, v int64) {
	s.bound(sqlite3.Xsqlite3_bind_int64(s.c.tls, s.handle, int32(i), v))
}

// BindFloat binds parameter i to v, which the library stores as NULL where it
// is NaN.
func (s *Stmt) BindFloat(i int, v float64) {
	s.bound(sqlite3.Xsqlite3_bind_double(s.c.tls, s.handle, int32(i), v))
}

// BindNull binds parameter i to NULL.
func (s *Stmt) BindNull(i int) {
	s.bound(sqlite3.Xsqlite3_bind_null(s.c.tls, s.handle, int32(i)))
}

// BindText binds parameter i to v.
func (s *Stmt) BindText(i int, v string) {
	if !s.grow(len(v)) {
		return
	}
	copy(libc.GoBytes(s.buf, s.size), v)
	s.bound(sqlite3.Xsqlite3_bind_text64(s.c.tls, s.handle, int32(i), s.buf, uint64(len(v)), sqlite3.SQLITE_TRANSIENT, sqlite3.SQLITE_UTF8))
}

// BindBytes binds parameter i to a copy of v, which may be empty.
func (s *Stmt) BindBytes(i int, v []byte) {
	if !s.grow(len(v)) {
		return
	}
	copy(libc.GoBytes(s.buf, s.size), v)
	s.bound(sqlite3.Xsqlite3_bind_blob64(s.c.tls, s.handle, int32(i), s.buf, uint64(len(v)), sqlite3.SQLITE_TRANSIENT))
	if s.size > maxBuffer {
		s.free()
	}
}

// grow makes room for n bytes in buf, which has an address even for none: 0
// would mean NULL.
func (s *Stmt) grow(n int) bool {
	if s.buf != 0 && n <= s.size {
		return true
	}
	s.free()
	s.size = max(n, 64)
	s.buf = sqlite3.Xsqlite3_malloc64(s.c.tls, uint64(s.size))
	if s.buf == 0 {
		s.size = 0
		s.bound(sqlite3.SQLITE_NOMEM)
	}
	return s.buf != 0
}

func (s *Stmt) free() {
	sqlite3.Xsqlite3_free(s.c.tls, s.buf) // nothing where it is 0
	s.buf, s.size = 0, 0
}

// Step runs the statement to its next row and tells whether there is one.
func (s *Stmt) Step() (row bool, err error) {
	if s.rc != sqlite3.SQLITE_OK {
		return false, s.c.error(s.rc)
	}
	switch rc := sqlite3.Xsqlite3_step(s.c.tls, s.handle); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.error(rc)
	}
}

// Run runs a statement without rows to its end and resets it.
func (s *Stmt) Run() error {
	_, err := s.Step()
	s.Reset()
	return err
}

// Reset ends the run of a statement, so that it can be bound and stepped anew.
// Bindings stay.
func (s *Stmt) Reset() {
	sqlite3.Xsqlite3_reset(s.c.tls, s.handle)
	s.rc = sqlite3.SQLITE_OK
}

// Columns returns the number of columns of the rows.
func (s *Stmt) Columns() int {
	return int(sqlite3.Xsqlite3_column_count(s.c.tls, s.handle))
}

// IsNull tells whether column i is NULL.
func (s *Stmt) IsNull(i int) bool {
	return sqlite3.Xsqlite3_column_type(s.c.tls, s.handle, int32(i)) == sqlite3.SQLITE_NULL
}

// Int returns column i as an integer.
func (s *Stmt) Int(i int) int64 {
	return sqlite3.Xsqlite3_column_int64(s.c.tls, s.handle, int32(i))
}

// Float returns column i as a float.
func (s *Stmt) Float(i int) float64 {
	return sqlite3.Xsqlite3_column_double(s.c.tls, s.handle, int32(i))
}

// Text returns column i as a string.
func (s *Stmt) Text(i int) string { return string(s.View(i)) }

// View returns the bytes of column i, text or blob. They belong to the library
// and last until the next Step or Reset.
func (s *Stmt) View(i int) []byte {
	p := sqlite3.Xsqlite3_column_blob(s.c.tls, s.handle, int32(i))
	n := sqlite3.Xsqlite3_column_bytes(s.c.tls, s.handle, int32(i))
	if p == 0 || n == 0 {
		return nil
	}
	return libc.GoBytes(p, int(n))
}
