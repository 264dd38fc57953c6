package sqlitestore

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"overnight/results/sqlitestore/internal/engine"
)

// Describe implements results.Describer: the columns appear in the study's view,
// between a trial's numbers and its metrics.
func (s *Store) Describe(ctx context.Context, study string, columns []string, points iter.Seq2[uint64, []any]) error {
	for _, name := range columns {
		if name == "" || strings.ContainsRune(name, 0) {
			return fmt.Errorf("describe the points of study %q: %q can't name a column", study, name)
		}
	}
	err := s.change(ctx, func(c *engine.Conn) error {
		h, err := s.head(c, study)
		if err != nil {
			return err
		}
		list, err := json.Marshal(columns)
		if err != nil {
			return err
		}
		described := string(list)
		changed := *h // a head that is shared doesn't change
		h = &changed
		h.described = &described
		if err := s.writeHead(c, h); err != nil {
			return err
		}
		table := fmt.Sprintf("DROP TABLE IF EXISTS points_%d; CREATE TABLE points_%[1]d (point INTEGER PRIMARY KEY", h.id)
		insert := fmt.Sprintf("INSERT INTO points_%d VALUES (?1", h.id)
		for i := range columns {
			table += fmt.Sprintf(", c%d", i)
			insert += fmt.Sprintf(", ?%d", i+2)
		}
		// The view goes first: a table that a view reads can't be dropped unseen.
		if err := c.Exec("DROP VIEW IF EXISTS " + quote(h.view) + "; " + table + ")"); err != nil {
			return err
		}
		st, err := c.Prepare(insert + ")")
		if err != nil {
			return err
		}
		for point, values := range points {
			if err := ctx.Err(); err != nil {
				return err
			}
			if len(values) != len(columns) {
				return fmt.Errorf("point %d has %d values for %d columns", point, len(values), len(columns))
			}
			args := []any{point}
			for i, v := range values {
				if b, ok := v.(bool); ok {
					v = map[bool]int64{true: 1}[b]
				}
				switch v.(type) {
				case nil, int, int64, uint64, float64, string:
					args = append(args, v)
				default:
					return fmt.Errorf("point %d: column %q holds a %T, where numbers, texts and bools can be described", point, columns[i], v)
				}
			}
			bind(st, args)
			if err := st.Run(); err != nil {
				return err
			}
		}
		return s.makeView(c, h)
	})
	if err != nil {
		return s.failure(fmt.Sprintf("describe the points of study %q", study), err)
	}
	s.heads.Delete(study)
	return nil
}

// tableNames are the names of tables that other studies will need.
var tableNames = regexp.MustCompile(`(?i)^(sqlite_.*|(records|curves|points)_[0-9]+)$`)

// viewName returns the name of a study's view: the study's own unless it is
// taken, since names of views differ in more than case.
func (s *Store) viewName(c *engine.Conn, study string, id int64) (string, error) {
	name := study
	for {
		taken, err := queryInt(c, s.queries["name-taken"], name)
		if err != nil {
			return "", s.failure("name a view", err)
		}
		if taken == 0 && !tableNames.MatchString(name) {
			return name, nil
		}
		name = fmt.Sprintf("%d %s", id, name)
	}
}

// makeView makes the view of a study anew.
func (s *Store) makeView(c *engine.Conn, h *head) error {
	used := make(map[string]bool)
	column := func(name string) string { // names of columns differ in more than case
		free := name
		for n := 2; used[strings.ToLower(free)]; n++ {
			free = name + "_" + strconv.Itoa(n)
		}
		used[strings.ToLower(free)] = true
		return quote(free)
	}
	for _, fixed := range []string{"trial", "point", "replication", "status"} {
		column(fixed)
	}
	var points, join string
	if h.described != nil {
		var columns []string
		if err := json.Unmarshal([]byte(*h.described), &columns); err != nil {
			return fmt.Errorf("columns of points: %w", err)
		}
		for i, name := range columns {
			points += fmt.Sprintf(", p.c%d AS %s", i, column(name))
		}
		join = fmt.Sprintf("LEFT JOIN points_%d AS p ON p.point = r.point", h.id)
	}
	var metrics string
	for i, name := range h.plan.Metrics {
		metrics += fmt.Sprintf(", r.m%d AS %s", i, column(name))
	}
	text := strings.NewReplacer(
		"{view}", quote(h.view), "{id}", strconv.FormatInt(h.id, 10), "{points}", points, "{join}", join, "{metrics}", metrics,
		"{attempts}", column("attempts"), "{elapsed_ms}", column("elapsed_ms"), "{worker}", column("worker"),
		"{finished}", column("finished"), "{error}", column("error"),
	).Replace(viewBody())
	if err := c.Exec("DROP VIEW IF EXISTS " + quote(h.view) + ";\n" + text); err != nil {
		return s.failure(fmt.Sprintf("make the view of study %q", h.plan.Study), err)
	}
	return nil
}

// viewBody is sql/view.sql without its comment, which names the places to fill.
func viewBody() string {
	_, body, _ := strings.Cut(sqlFile("view.sql"), "CREATE VIEW")
	return "CREATE VIEW" + body
}
