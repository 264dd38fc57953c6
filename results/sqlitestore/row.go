package sqlitestore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// The columns of records_ID, as the statements insert and range name them.
const (
	colTrial = iota
	colGeneration
	colStatus
	colPoint
	colReplication
	colAttempts
	colWorker
	colFinished
	colElapsed
	colError
	colCurves
	colCRC
	firstMetric
)

// castagnoli is the table of CRC-32C, which processors compute.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// row is a record as the table holds it.
type row struct {
	results.Record
	finished    int64 // 0: none
	hasFinished bool
	hasCurves   bool
	curves      int64 // tag of the curves' stored form, see tag
	crc         int64
}

// tag is what a record's row says of its curves: their length and CRC.
func tag(curves []byte) int64 {
	return int64(len(curves))<<32 | int64(crc32.Checksum(curves, castagnoli))
}

// rowOf returns the row of a record whose curves were stored as given.
func rowOf(r *results.Record, curves []byte) row {
	w := row{Record: *r}
	if !r.Finished.IsZero() {
		w.finished, w.hasFinished = r.Finished.UnixNano(), true
	}
	if len(r.Curves) > 0 {
		w.curves, w.hasCurves = tag(curves), true
	}
	return w
}

// checksum returns the CRC of everything in the row and of the study's number.
// It covers metrics up to the last that is not NaN, so that a study may add some.
func (w *row) checksum(study int64, b *[]byte) int64 {
	p := (*b)[:0]
	flags := byte(w.Status)
	if w.hasFinished {
		flags |= 0x40
	}
	if w.hasCurves {
		flags |= 0x80
	}
	p = append(p, flags)
	for _, v := range [...]uint64{uint64(study), w.Trial, w.Point, w.Replication, uint64(w.Generation)<<32 | uint64(w.Attempts),
		uint64(w.finished), uint64(w.Elapsed), uint64(w.curves), uint64(len(w.Worker))<<32 | uint64(len(w.Error))} {
		p = binary.LittleEndian.AppendUint64(p, v)
	}
	p = append(p, w.Worker...)
	p = append(p, w.Error...)
	last := len(w.Metrics)
	for last > 0 && w.Metrics[last-1] != w.Metrics[last-1] {
		last--
	}
	for _, x := range w.Metrics[:last] {
		if x != x {
			x = math.NaN()
		}
		p = binary.LittleEndian.AppendUint64(p, math.Float64bits(x))
	}
	*b = p
	return int64(int32(crc32.Checksum(p, castagnoli))) // signed: four bytes in the file
}

// bind binds the row to the statement insert, whose metrics are as many.
func (w *row) bind(st *engine.Stmt, metrics int) {
	st.BindInt(colTrial+1, int64(w.Trial))
	st.BindInt(colGeneration+1, int64(w.Generation))
	st.BindInt(colStatus+1, int64(w.Status))
	st.BindInt(colPoint+1, int64(w.Point))
	st.BindInt(colReplication+1, int64(w.Replication))
	st.BindInt(colAttempts+1, int64(w.Attempts))
	bindText(st, colWorker+1, w.Worker)
	if w.hasFinished {
		st.BindInt(colFinished+1, w.finished)
	} else {
		st.BindNull(colFinished + 1)
	}
	st.BindInt(colElapsed+1, int64(w.Elapsed))
	bindText(st, colError+1, w.Error)
	if w.hasCurves {
		st.BindInt(colCurves+1, w.curves)
	} else {
		st.BindNull(colCurves + 1)
	}
	st.BindInt(colCRC+1, w.crc)
	for i := range metrics {
		if i < len(w.Metrics) && w.Metrics[i] == w.Metrics[i] {
			st.BindFloat(firstMetric+1+i, w.Metrics[i])
		} else {
			st.BindNull(firstMetric + 1 + i)
		}
	}
}

func bindText(st *engine.Stmt, i int, text string) {
	if text == "" {
		st.BindNull(i)
	} else {
		st.BindText(i, text)
	}
}

// reader makes records of rows. It keeps what neighbouring rows share.
type reader struct {
	h      *head
	worker string
	floats []float64 // unused rest of a block that metrics are cut from
	b      []byte
}

// read returns the record in the current row of the statement range, without
// curves, and what is wrong with it.
func (rd *reader) read(st *engine.Stmt) (row, error) {
	w := row{Record: results.Record{
		Trial:       uint64(st.Int(colTrial)),
		Generation:  uint32(st.Int(colGeneration)),
		Status:      results.Status(st.Int(colStatus)),
		Point:       uint64(st.Int(colPoint)),
		Replication: uint64(st.Int(colReplication)),
		Attempts:    uint32(st.Int(colAttempts)),
		Elapsed:     time.Duration(st.Int(colElapsed)),
	}}
	if worker := st.View(colWorker); string(worker) != rd.worker {
		rd.worker = string(worker)
	}
	w.Worker = rd.worker
	if !st.IsNull(colFinished) {
		w.finished, w.hasFinished = st.Int(colFinished), true
		w.Finished = time.Unix(0, w.finished).UTC()
	}
	if !st.IsNull(colError) {
		w.Error = st.Text(colError)
	}
	if !st.IsNull(colCurves) {
		w.curves, w.hasCurves = st.Int(colCurves), true
	}
	if n := len(rd.h.plan.Metrics); n > 0 && w.Status == results.Done {
		if len(rd.floats) < n {
			rd.floats = make([]float64, 64*n)
		}
		w.Metrics, rd.floats = rd.floats[:n:n], rd.floats[n:]
		for i := range w.Metrics {
			if st.IsNull(firstMetric + i) {
				w.Metrics[i] = math.NaN()
			} else {
				w.Metrics[i] = st.Float(firstMetric + i)
			}
		}
	}
	w.crc = st.Int(colCRC)
	switch {
	case w.checksum(rd.h.id, &rd.b) != w.crc:
		return w, fmt.Errorf("%w: its row and the row's CRC differ", results.ErrDamaged)
	case w.Trial >= rd.h.plan.Trials:
		return w, fmt.Errorf("%w: the study has %d trials", results.ErrDamaged, rd.h.plan.Trials)
	}
	return w, nil
}

// readCurves reads and checks the curves of a row.
func (rd *reader) readCurves(c *engine.Conn, w *row) error {
	if !w.hasCurves {
		return nil
	}
	found := false
	err := each(c, rd.h.sql.curves, func(st *engine.Stmt) (err error) {
		found = true
		data := st.View(0)
		if tag(data) != w.curves {
			return fmt.Errorf("%w: its curves and their CRC differ", results.ErrDamaged)
		}
		if w.Curves, err = results.DecodeCurves(data); err != nil {
			return fmt.Errorf("%w: %w", results.ErrDamaged, err)
		}
		return nil
	}, w.Trial)
	switch {
	case engine.IsCorrupt(err):
		return fmt.Errorf("%w: %w", results.ErrDamaged, err)
	case err == nil && !found:
		return fmt.Errorf("%w: its curves are gone", results.ErrDamaged)
	}
	return err
}

// quote returns an SQL identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
