package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// Submission is how a study is to be run.
type Submission struct {
	Priority int           // 1 to results.MaxPriority; 0: 1, or as it was
	MaxSlots int           // 0: no limit, or as it was
	Keep     time.Duration // 0: until it is removed, or as it was
}

// fileName stands in problems for the body of a request.
const fileName = "study.yaml"

// errDataFiles refuses data files of studies that come over the API: their paths
// would be read on the service's machine, with its rights.
var errDataFiles = errors.New("data files are not read over the API, since they are on the machine of whoever submits: use overnight submit there")

// submit takes a study file.
func (a *api) submit(w http.ResponseWriter, r *http.Request) error {
	s, err := submission(r)
	if err != nil {
		return err
	}
	source, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	study, err := a.parse(source)
	if err != nil {
		return err
	}
	about(r, study.Name)
	p, err := a.Submit(r.Context(), study, source, s)
	if err != nil {
		return err
	}
	about(r, p.Name)
	status := http.StatusOK
	if p.New {
		status = http.StatusCreated
	}
	w.Header().Set("Location", "/api/v1/studies/"+p.Name)
	reply(w, status, struct {
		Study     string `json:"study"`
		New       bool   `json:"new"`
		Extended  bool   `json:"extended"`
		State     string `json:"state"`
		Points    uint64 `json:"points"`
		Trials    uint64 `json:"trials"`
		Reused    uint64 `json:"reused"`
		Committed uint64 `json:"committed"`
	}{p.Name, p.New, p.Extended, string(p.Plan.State), p.Plan.Points, p.Plan.Trials, p.Reused, p.Committed})
	return nil
}

// parse reads and checks a study file; its problems are those that validate
// prints.
func (a *api) parse(source []byte) (*jobs.Study, error) {
	select {
	case a.parsing <- struct{}{}:
		defer func() { <-a.parsing }()
	default:
		return nil, &problem{status: http.StatusTooManyRequests, text: "other study files are being checked: try again in a second"}
	}
	study, err := jobs.Parse(fileName, source, a.Catalog, jobs.ParseOptions{
		ReadFile: func(string) ([]byte, error) { return nil, errDataFiles },
	})
	var ps jobs.Problems
	if errors.As(err, &ps) {
		return nil, &problem{status: http.StatusUnprocessableEntity, kind: kindStudy, text: fmt.Sprintf("%d problems, nothing was run", len(ps)), problems: ps}
	}
	return study, err
}

func submission(r *http.Request) (Submission, error) {
	q, err := query(r, "priority", "max_slots", "keep")
	if err != nil {
		return Submission{}, err
	}
	priority, err := q.number("priority", 0, 1, results.MaxPriority)
	if err != nil {
		return Submission{}, err
	}
	slots, err := q.number("max_slots", 0, 1, 1<<31-1)
	if err != nil {
		return Submission{}, err
	}
	s := Submission{Priority: int(priority), MaxSlots: int(slots)}
	if v, ok := q["keep"]; ok {
		if s.Keep, err = time.ParseDuration(v); err != nil || s.Keep < 0 {
			return Submission{}, &problem{status: http.StatusBadRequest, text: "keep is a time such as 720h, or 0s to keep the study"}
		}
	}
	return s, nil
}
