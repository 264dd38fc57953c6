package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
)

// problem is an error with its answer.
type problem struct {
	status   int
	text     string
	problems jobs.Problems // of a study file
}

func (p *problem) Error() string { return p.text }

// fault is one problem of a study file, as validate prints it.
type fault struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	What    string `json:"what"`
	Instead string `json:"instead,omitempty"`
}

// failure is the body of every answer that is not one.
type failure struct {
	Error    string  `json:"error"`
	Problems []fault `json:"problems,omitempty"`
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	reply(w, status, failure{Error: fmt.Sprintf(format, args...)})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the asker may be gone
}

// answer answers with err, if any, and returns what the audit line says. What is
// the fault of the engine is told to the log, not to the asker.
func (a *api) answer(w http.ResponseWriter, r *http.Request, err error) (result string) {
	var p *problem
	var long *http.MaxBytesError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &p):
	case errors.As(err, &long):
		p = &problem{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("more than %d bytes", maxBody)}
	case errors.Is(err, results.ErrNotFound):
		p = &problem{status: http.StatusNotFound, text: "there is no study of this name"}
	case errors.Is(err, ErrConflict):
		p = &problem{status: http.StatusConflict, text: err.Error()}
	case errors.Is(err, ErrRefused):
		p = &problem{status: http.StatusUnprocessableEntity, text: err.Error()}
	case r.Context().Err() != nil || errors.Is(err, context.Canceled):
		return "broken off"
	default:
		a.Log.Error("request failed", zap.String("route", r.Pattern), zap.Error(err))
		p = &problem{status: http.StatusServiceUnavailable, text: "the engine does not answer; the log of the service says more"}
	}
	f := failure{Error: p.text}
	for _, x := range p.problems {
		f.Problems = append(f.Problems, fault(x))
	}
	reply(w, p.status, f)
	return fmt.Sprintf("refused: %d", p.status)
}

// quote appends s as a JSON string.
func quote(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil { // there is no string that it refuses
		return append(b, `""`...)
	}
	return append(b, q...)
}
