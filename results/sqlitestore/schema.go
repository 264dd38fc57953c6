package sqlitestore

import (
	"embed"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

//go:embed sql
var files embed.FS

const (
	schemaVersion = 2
	applicationID = 0x4f56524e // "OVRN", what file(1) can know a store by
)

// queries are the statements of sql/queries.sql by name.
type queries map[string]string

func loadQueries() queries {
	q := make(queries)
	for _, part := range strings.Split(sqlFile("queries.sql"), "-- name: ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		var lines []string
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "--") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		q[strings.TrimSpace(name)] = strings.TrimSpace(strings.Join(lines, " "))
	}
	return q
}

func sqlFile(name string) string {
	b, err := files.ReadFile("sql/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(b)
}

// of returns a statement about the tables of one study with that many metrics.
func (q queries) of(name string, id int64, metrics int) string {
	text, ok := q[name]
	if !ok {
		panic("no statement " + name)
	}
	return fill(text, id, metrics)
}

// fill puts a study's number and columns into a text.
func fill(text string, id int64, metrics int) string {
	var columns, values strings.Builder
	for i := range metrics {
		fmt.Fprintf(&columns, ", m%d", i)
		fmt.Fprintf(&values, ", ?%d", firstMetric+1+i)
	}
	return strings.NewReplacer("{id}", strconv.FormatInt(id, 10), "{metrics}", columns.String(), "{values}", values.String()).Replace(text)
}

// createSchema fills an empty database and checks the version of another.
func (s *Store) createSchema(c *engine.Conn) error {
	version, err := queryInt(c, "PRAGMA user_version")
	if err != nil {
		return s.failure("read the store's version", err)
	}
	if version != 0 {
		if err := s.checkVersion(c); err != nil || version == schemaVersion {
			return err
		}
		return s.migrate(c)
	}
	return s.transact(c, func(c *engine.Conn) error {
		// It may be another's database, or another process may have been first.
		if err := s.checkVersion(c); !errors.Is(err, results.ErrNotFound) {
			return err
		}
		return c.Exec(sqlFile("schema.sql"))
	})
}

func (s *Store) foreign() error {
	return fmt.Errorf("%s is a database of something else; name another folder with --store", filepath.Join(s.dir, fileName))
}

func (s *Store) checkVersion(c *engine.Conn) error {
	version, err := queryInt(c, "PRAGMA user_version")
	if err != nil {
		return s.failure("read the store's version", err)
	}
	application, err := queryInt(c, "PRAGMA application_id")
	if err != nil {
		return s.failure("read the store's version", err)
	}
	objects, err := queryInt(c, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return s.failure("read the store's schema", err)
	}
	switch {
	case version == 0 && objects == 0:
		return fmt.Errorf("no store in %s yet (%w): `overnight run` makes one", s.dir, results.ErrNotFound)
	case application != applicationID:
		return s.foreign()
	case version > schemaVersion:
		return fmt.Errorf("the store in %s has format %d, and this overnight reads up to %d: use the newer overnight that wrote it, or another folder (--store)", s.dir, version, schemaVersion)
	}
	return nil
}

// transact runs fn in a transaction that holds the write lock.
func (s *Store) transact(c *engine.Conn, fn func(*engine.Conn) error) (err error) {
	if err := c.Exec("BEGIN IMMEDIATE"); err != nil {
		return s.failure("begin a transaction", err)
	}
	defer func() {
		if err == nil {
			err = s.failure("commit a transaction", c.Exec("COMMIT"))
		}
		if err != nil && c.InTransaction() {
			_ = c.Exec("ROLLBACK") // nothing is committed either way
		}
	}()
	return fn(c)
}

// queryInt returns the only value of a query; 0 without one.
func queryInt(c *engine.Conn, query string, args ...any) (int64, error) {
	var v int64
	err := each(c, query, func(st *engine.Stmt) error { v = st.Int(0); return nil }, args...)
	return v, err
}

func queryText(c *engine.Conn, query string, args ...any) (string, error) {
	var v string
	err := each(c, query, func(st *engine.Stmt) error { v = st.Text(0); return nil }, args...)
	return v, err
}

// run runs a statement without rows.
func run(c *engine.Conn, query string, args ...any) error {
	return each(c, query, func(*engine.Stmt) error { return nil }, args...)
}

// each calls fn for each row of a query.
func each(c *engine.Conn, query string, fn func(*engine.Stmt) error, args ...any) error {
	st, err := c.Prepare(query)
	if err != nil {
		return err
	}
	defer st.Reset()
	bind(st, args)
	for {
		row, err := st.Step()
		if err != nil || !row {
			return err
		}
		if err := fn(st); err != nil {
			return err
		}
	}
}

func bind(st *engine.Stmt, args []any) {
	for i, arg := range args {
		switch v := arg.(type) {
		case nil:
			st.BindNull(i + 1)
		case int64:
			st.BindInt(i+1, v)
		case int:
			st.BindInt(i+1, int64(v))
		case uint64:
			st.BindInt(i+1, int64(v))
		case float64:
			st.BindFloat(i+1, v)
		case string:
			st.BindText(i+1, v)
		case []byte:
			st.BindBytes(i+1, v)
		default:
			panic(fmt.Sprintf("bind a %T", arg))
		}
	}
}
