package web

import (
	"bufio"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"overnight/results"
	"overnight/results/stopping"
)

// streamTimeout is how long an asker may take to read what was sent.
const streamTimeout = 30 * time.Second

// trials streams the records of trials from <= i < to as JSON lines in trial
// order, without curves. Of a study of which results decide what it wants, each
// says whether it confirms a point and whether it is surplus, so far. What can't be encoded in JSON is null (not a number) or
// a string (infinities). An answer that ends early is broken off, so that nobody
// takes it for whole.
func (a *api) trials(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "from", "to")
	if err != nil {
		return err
	}
	from, err := q.number("from", 0, 0, results.MaxTrials)
	if err != nil {
		return err
	}
	to, err := q.number("to", results.MaxTrials, 0, results.MaxTrials)
	if err != nil {
		return err
	}
	done, err := a.stream(r.Context())
	if err != nil {
		return err
	}
	defer done()
	p, err := a.Store.Plan(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	var wanted *stopping.Outcome // nil: all are wanted, and none confirms
	first, selected := from, uint64(math.MaxUint64)
	if p.Wanted > 0 {
		study, err := a.decode(&p)
		if err != nil {
			return err
		}
		if wanted, err = stopping.New(study); err != nil {
			return err
		}
		first, selected = 0, study.Replications // what is before has a say
	}
	names := make([][]byte, len(p.Metrics))
	for i, m := range p.Metrics {
		names[i] = append(quote(nil, m), ':')
	}
	w.Header().Set("Content-Type", "application/jsonl")
	control := http.NewResponseController(w)
	out := bufio.NewWriterSize(w, 64<<10)
	who := asker(r)
	var b []byte
	n := 0
	for rec, err := range results.Skim(r.Context(), a.Store, p.Study, first, min(to, p.Trials)) {
		switch {
		case errors.Is(err, results.ErrDamaged):
			b = strconv.AppendUint(append(b[:0], `{"trial":`...), rec.Trial, 10)
			b = append(b, `,"status":"damaged"}`...)
		case err != nil:
			panic(http.ErrAbortHandler)
		default:
			b = appendRecord(b[:0], &rec, names)
			if rec.Replication >= selected {
				b = append(b[:len(b)-1], `,"confirms":true}`...)
			}
			if wanted != nil && !wanted.Take(&rec) {
				b = append(b[:len(b)-1], `,"surplus":true}`...)
			}
		}
		if n%1024 == 0 {
			select {
			case <-closing(r):
				panic(http.ErrAbortHandler)
			default:
			}
			if !a.still(who, View) || control.SetWriteDeadline(time.Now().Add(streamTimeout)) != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if n++; rec.Trial < from {
			continue
		}
		if _, err := out.Write(append(b, '\n')); err != nil {
			return nil // the asker is gone
		}
	}
	_ = out.Flush() // so is it here
	return nil
}

// appendRecord appends r as a JSON object; names are the metrics' with quotes and
// colon.
func appendRecord(b []byte, r *results.Record, names [][]byte) []byte {
	b = strconv.AppendUint(append(b, `{"trial":`...), r.Trial, 10)
	b = strconv.AppendUint(append(b, `,"point":`...), r.Point, 10)
	b = strconv.AppendUint(append(b, `,"replication":`...), r.Replication, 10)
	b = quote(append(b, `,"status":`...), r.Status.String())
	b = strconv.AppendUint(append(b, `,"attempts":`...), uint64(r.Attempts), 10)
	b = strconv.AppendFloat(append(b, `,"elapsed_ms":`...), float64(r.Elapsed)/1e6, 'f', -1, 64)
	if r.Error != "" {
		b = quote(append(b, `,"error":`...), r.Error)
	}
	if len(r.Metrics) > 0 {
		b = append(b, `,"metrics":{`...)
		for i, v := range r.Metrics {
			if i >= len(names) {
				break // the plan was read before these were added
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = appendNumber(append(b, names[i]...), v)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

func appendNumber(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "null"...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}
