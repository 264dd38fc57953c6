package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"overnight/results/report"
)

// maxWord bounds a word in a query, in bytes.
const maxWord = 200

// form is a request's query.
type form map[string]string

// query reads the query and refuses what is not among the names, or there twice.
func query(r *http.Request, names ...string) (form, error) {
	f := form{}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &problem{status: http.StatusBadRequest, text: "the query can't be read"}
	}
	for k, v := range values {
		if !slices.Contains(names, k) || len(v) != 1 {
			return nil, &problem{status: http.StatusBadRequest, text: fmt.Sprintf("the query may hold, each once: %q", names)}
		}
		f[k] = v[0]
	}
	return f, nil
}

// number reads an integer between least and most.
func (f form) number(name string, otherwise, least, most uint64) (uint64, error) {
	v, ok := f[name]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n < least || n > most {
		return 0, &problem{status: http.StatusBadRequest, text: fmt.Sprintf("%s is a number from %d to %d", name, least, most)}
	}
	return n, nil
}

// choice reads one of some words.
func (f form) choice(name, otherwise string, words ...string) (string, error) {
	v, ok := f[name]
	if !ok {
		return otherwise, nil
	}
	if !slices.Contains(words, v) {
		return "", &problem{status: http.StatusBadRequest, text: fmt.Sprintf("%s is one of %q", name, words)}
	}
	return v, nil
}

// format reads in which form a table is wanted, and returns its content type.
func (f form) format() (report.Format, string, error) {
	v, err := f.choice("format", string(report.JSON), string(report.JSON), string(report.CSV))
	if v == string(report.CSV) {
		return report.CSV, "text/csv; charset=utf-8", err
	}
	return report.JSON, "application/json", err
}
