package sqlitestore

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// head is a row of table studies.
type head struct {
	id        int64
	plan      results.Plan // without Body and Source
	view      string
	described *string // JSON list of the columns of points_ID
	more      string  // the plan's newer fields as they are stored, see more
	tally     results.Tally
	sql       statements
}

// statements are those about one study's tables.
type statements struct {
	metrics                             int
	id                                  int64
	insert, insertCurves, rows, curves  string
	trials, has, deleteRecord, deleteCv string
	recount                             string
}

// sqlOf returns the statements of a study; those of before where they fit.
func (q queries) sqlOf(id int64, metrics int, before *head) statements {
	if before != nil && before.sql.id == id && before.sql.metrics == metrics {
		return before.sql
	}
	of := func(name string) string { return q.of(name, id, metrics) }
	return statements{
		metrics: metrics, id: id,
		insert: of("insert"), insertCurves: of("insert-curves"), rows: of("range"), curves: of("curves"),
		trials: of("trials"), has: of("has"), deleteRecord: of("delete-record"), deleteCv: of("delete-curves"),
		recount: of("recount"),
	}
}

// head returns the plan of a study as the database has it now;
// results.ErrNotFound, results.ErrDamaged.
func (s *Store) head(c *engine.Conn, study string) (*head, error) {
	var h *head
	var damage error
	name, err := s.versioned(c, "head")
	if err != nil {
		return nil, err
	}
	err = each(c, s.queries[name], func(st *engine.Stmt) error {
		h, damage = s.readHead(st)
		return nil
	}, study)
	switch {
	case err != nil:
		return nil, s.failure(fmt.Sprintf("read the plan of study %q", study), err)
	case h == nil:
		return nil, fmt.Errorf("study %q: %w", study, results.ErrNotFound)
	case damage != nil:
		return nil, damage
	}
	s.heads.Store(study, h)
	return h, nil
}

// readHead returns the plan in the current row of the statement head or heads,
// and what is wrong with it.
func (s *Store) readHead(st *engine.Stmt) (*head, error) {
	name := st.Text(6)
	h := &head{id: st.Int(0), view: st.Text(13), plan: results.Plan{
		Study:      name,
		Generation: uint32(st.Int(1)),
		Trials:     uint64(st.Int(2)),
		Points:     uint64(st.Int(3)),
		Identity:   st.Text(7),
		Engine:     int(st.Int(8)),
		Objective:  int(st.Int(9)),
		State:      results.State(st.Text(10)),
		Digest:     st.Text(11),
		Created:    timeOf(st.Int(12)),
	}}
	h.more = st.Text(22)
	h.tally.Used, h.tally.Wasted = time.Duration(st.Int(23)), time.Duration(st.Int(24))
	if !st.IsNull(14) {
		text := st.Text(14)
		h.described = &text
	}
	for i, n := range h.tallies() {
		*n = uint64(st.Int(15 + i))
	}
	metrics := st.Text(4)
	if h.checksum(metrics) != st.Int(5) {
		return h, fmt.Errorf("the plan of study %q is %w: its row and the row's CRC differ; `overnight rm` removes the study", name, results.ErrDamaged)
	}
	if err := json.Unmarshal([]byte(metrics), &h.plan.Metrics); err != nil {
		return h, fmt.Errorf("the plan of study %q is %w: %w", name, results.ErrDamaged, err)
	}
	if err := h.readMore(); err != nil {
		return h, fmt.Errorf("the plan of study %q is %w: %w", name, results.ErrDamaged, err)
	}
	before, _ := s.heads.Load(name)
	known, _ := before.(*head)
	h.sql = s.queries.sqlOf(h.id, len(h.plan.Metrics), known)
	return h, nil
}

// tallies are the counters in the order of the columns.
func (h *head) tallies() [7]*uint64 {
	t := &h.tally
	return [...]*uint64{&t.Done, &t.Failed, &t.Dead, &t.Overrun, &t.Duplicates, &t.Differs, &t.Stale}
}

// checksum returns the CRC of the row but for the tally.
func (h *head) checksum(metrics string) int64 {
	p := h.plan
	described := "-"
	if h.described != nil {
		described = "+" + *h.described
	}
	var b []byte
	for _, v := range [...]int64{h.id, int64(p.Generation), int64(p.Trials), int64(p.Points), int64(p.Engine), int64(p.Objective), nanos(p.Created)} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	for _, text := range [...]string{p.Study, p.Identity, string(p.State), p.Digest, metrics, h.view, described} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	if h.more != "" { // the CRC of a store of version 1 stays
		b = append(b, h.more...)
	}
	return int64(crc32.Checksum(b, castagnoli))
}

// write stores the head; as a new study, which gets its number, where id is 0.
func (s *Store) writeHead(c *engine.Conn, h *head) error {
	metrics, err := json.Marshal(h.plan.Metrics)
	if err != nil {
		return fmt.Errorf("encode the names of metrics: %w", err)
	}
	if err := h.setMore(); err != nil {
		return fmt.Errorf("encode a plan: %w", err)
	}
	p := h.plan
	var described any
	if h.described != nil {
		described = *h.described
	}
	return run(c, s.queries["put-head"], h.id, int64(p.Generation), p.Trials, p.Points, string(metrics), h.checksum(string(metrics)),
		p.Study, p.Identity, p.Engine, p.Objective, string(p.State), p.Digest, nanos(p.Created), h.view, described, h.more)
}

// nanos returns t in nanoseconds since 1970; 0 for the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
