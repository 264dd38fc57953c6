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
	kind     string // what Problem.Type says; "" for what its status says all about
	text     string
	problems jobs.Problems // of a study file
}

func (p *problem) Error() string { return p.text }

// Kinds of problems that programs tell apart.
const (
	kindStudy    = "urn:overnight:problem:study-file" // with member problems
	kindTooLarge = "urn:overnight:problem:too-large"  // the detail names a command to use instead
)

// fault is one problem of a study file, as validate prints it.
type fault struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	What    string `json:"what"`
	Instead string `json:"instead,omitempty"`
}

// failure is the body of every answer that is not one: problem details after RFC
// 9457, as application/problem+json.
type failure struct {
	Type     string  `json:"type"`
	Title    string  `json:"title"` // what the status means
	Status   int     `json:"status"`
	Detail   string  `json:"detail"`             // what was wrong here, and what to do instead
	Instance string  `json:"instance,omitempty"` // the path that was asked
	Problems []fault `json:"problems,omitempty"`
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, r *http.Request, status int, format string, args ...any) {
	fail(w, r, &problem{status: status, text: fmt.Sprintf(format, args...)})
}

// fail answers with problem details.
func fail(w http.ResponseWriter, r *http.Request, p *problem) {
	f := failure{Type: p.kind, Title: http.StatusText(p.status), Status: p.status, Detail: p.text, Instance: r.URL.EscapedPath()}
	if f.Type == "" {
		f.Type = "about:blank"
	}
	for _, x := range p.problems {
		f.Problems = append(f.Problems, fault(x))
	}
	write(w, p.status, "application/problem+json", f)
}

func reply(w http.ResponseWriter, status int, v any) { write(w, status, "application/json", v) }

func write(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
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
	fail(w, r, p)
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
