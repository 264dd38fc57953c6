package web

import (
	"context"
	"net/http"
)

// order handles an order for the study in the path.
func (a *api) order(give func(ctx context.Context, study string) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := query(r); err != nil {
			return err
		}
		name := r.PathValue("name")
		if err := give(r.Context(), name); err != nil {
			return err
		}
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return a.study(w, r)
	}
}

func (a *api) retry(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	name := r.PathValue("name")
	n, err := a.Orders.Retry(r.Context(), name)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, struct {
		Study  string `json:"study"`
		Trials uint64 `json:"trials"` // that will run again
	}{name, n})
	return nil
}
