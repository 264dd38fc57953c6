package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// reportPolicy lets a report do what it needs, in an origin of its own: its
// scripts are part of the page, and reach nothing of this service.
const reportPolicy = "sandbox allow-scripts allow-downloads allow-modals allow-popups; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// report answers with the study's report.
func (a *api) report(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "download")
	if err != nil {
		return err
	}
	download, err := q.choice("download", "false", "false", "true")
	if err != nil {
		return err
	}
	if a.Report == nil {
		return &problem{status: http.StatusNotImplemented, text: "this service makes no reports"}
	}
	head := answerWith{w, func(h http.Header) {
		h.Set("Content-Security-Policy", reportPolicy)
		if download == "true" {
			h.Set("Content-Disposition", attachment(r, "html"))
		}
	}}
	return a.analyse(head, r, "report", "text/html; charset=utf-8", "report", func(ctx context.Context, x *analysis, w io.Writer) error {
		again, err := x.replay(ctx)
		if err != nil {
			return err
		}
		return x.Report(ctx, x.plan.Study, again, w)
	})
}

// answerWith sets headers of an answer that is no problem.
type answerWith struct {
	http.ResponseWriter
	set func(http.Header)
}

func (w answerWith) Write(b []byte) (int, error) {
	w.set(w.Header())
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w answerWith) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// attachment names the file that a browser saves.
func attachment(r *http.Request, ending string) string {
	return fmt.Sprintf("attachment; filename=%q", r.PathValue("name")+"."+ending) // a name holds no quotes
}

// export streams trials or curves as a file.
func (a *api) export(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "what", "format")
	if err != nil {
		return err
	}
	what, err := q.choice("what", "trials", "trials", "curves")
	if err != nil {
		return err
	}
	format, err := q.choice("format", "csv", "csv", "jsonl", "parquet")
	if err != nil {
		return err
	}
	if a.Export == nil {
		return &problem{status: http.StatusNotImplemented, text: "this service exports nothing"}
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
	w.Header().Set("Content-Type", map[string]string{
		"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet",
	}[format])
	w.Header().Set("Content-Disposition", attachment(r, what+"."+format))
	out := &patient{api: a, r: r, w: w, control: http.NewResponseController(w)}
	err = a.Export(r.Context(), p.Study, what, format, out)
	if err != nil && out.sent > 0 {
		panic(http.ErrAbortHandler) // so that nobody takes it for whole
	}
	if err != nil {
		w.Header().Del("Content-Disposition")
	}
	return err
}

// patient gives the asker streamTimeout for each piece that is written, as long as
// they may read it.
type patient struct {
	*api
	r       *http.Request
	w       http.ResponseWriter
	control *http.ResponseController
	sent    int
	looked  time.Time
}

func (p *patient) Write(b []byte) (int, error) {
	if now := time.Now(); now.Sub(p.looked) >= stillEvery {
		p.looked = now
		select {
		case <-closing(p.r):
			return 0, http.ErrServerClosed
		default:
		}
		if !p.still(asker(p.r), View) {
			return 0, http.ErrAbortHandler
		}
		if err := p.control.SetWriteDeadline(now.Add(streamTimeout)); err != nil {
			return 0, fmt.Errorf("answer: %w", err)
		}
	}
	n, err := p.w.Write(b)
	p.sent += n
	return n, err
}

// source answers with the study file as it was handed in.
func (a *api) source(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	p, err := a.Store.Plan(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	_, _ = w.Write(p.Source) // the asker may be gone
	return nil
}
