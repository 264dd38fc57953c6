package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"overnight/results"
)

// Read adds the study in an archive to a store, under the name rename, or its
// own where that is "", and returns its name. Where the name is taken the error
// is results.ErrExists, where the archive is truncated or changed
// results.ErrDamaged; then, and after every other error, the study is not in the
// store.
//
// A file (an io.Seeker) is read through and verified before anything is stored.
// Other readers are read once, and what was stored is deleted when something
// turns out to be wrong. Should the process be killed in between, the study stays
// with the records it has, paused.
func Read(ctx context.Context, r io.Reader, s results.Store, rename string) (name string, err error) {
	if seeker, ok := r.(io.Seeker); ok {
		if err := verifyFirst(r, seeker); err != nil {
			return "", fmt.Errorf("import: %w", err)
		}
	}
	m := importer{ctx: ctx, s: s, rename: rename}
	err = parse(r, visitor{plan: m.plan, data: m.data, records: m.records, end: m.end})
	if err == nil {
		return m.p.Study, nil
	}
	if m.created {
		err = errors.Join(err, s.Delete(context.WithoutCancel(ctx), m.p.Study))
	}
	return "", fmt.Errorf("import: %w", err)
}

// verifyFirst reads the archive to its end and goes back to where it began.
func verifyFirst(r io.Reader, seeker io.Seeker) error {
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil // a pipe: it has the method and can't
	}
	err = parse(r, visitor{
		plan:    func(results.Plan) error { return nil },
		data:    func(string, []byte) error { return nil },
		records: func([]results.Record) error { return nil },
		end:     func(ending) error { return nil },
	})
	if err != nil {
		return err
	}
	_, err = seeker.Seek(start, io.SeekStart)
	return err
}

// importer stores the parts of an archive.
type importer struct {
	ctx     context.Context
	s       results.Store
	rename  string
	p       results.Plan
	created bool
}

func (m *importer) plan(p results.Plan) error {
	m.p = p
	if m.rename != "" {
		m.p.Study = m.rename
	}
	// Refused now, before data are stored; create makes sure.
	switch _, err := m.s.Plan(m.ctx, m.p.Study); {
	case err == nil:
		return taken(m.p.Study)
	case !errors.Is(err, results.ErrNotFound):
		return err
	}
	return nil
}

func taken(study string) error {
	return fmt.Errorf("study %q %w: import it under another name (--as)", study, results.ErrExists)
}

func (m *importer) data(sum string, data []byte) error { return m.s.PutBlob(m.ctx, sum, data) }

// create adds the plan once its data are there: paused, so that nobody takes what
// an import has left behind for a study that runs.
func (m *importer) create() error {
	if m.created {
		return nil
	}
	p := m.p
	p.State = results.Paused
	err := m.s.Create(m.ctx, p)
	if errors.Is(err, results.ErrExists) {
		return taken(p.Study)
	}
	m.created = err == nil
	return err
}

func (m *importer) records(rs []results.Record) error {
	if err := m.create(); err != nil {
		return err
	}
	verdicts, err := m.s.Commit(m.ctx, m.p.Study, m.p.Generation, rs)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		if v != results.Committed {
			return fmt.Errorf("study %q was changed by somebody else while it was imported (trial %d)", m.p.Study, rs[i].Trial)
		}
	}
	return nil
}

func (m *importer) end(e ending) error {
	if err := m.create(); err != nil {
		return err
	}
	if e.Digest != "" {
		digest, missing, err := results.Digest(m.ctx, m.s, m.p)
		switch {
		case errors.Is(err, results.ErrSurplus): // fsck decodes the study, and tells
		case err != nil:
			return err
		case missing != 0 || digest != e.Digest:
			return damaged("its digest is %s, and its records, of which %d are missing, give %q", e.Digest, missing, digest)
		}
	}
	_, err := m.s.Update(m.ctx, m.p.Study, func(p *results.Plan) error {
		p.State, p.Digest = e.State, e.Digest
		if e.State == results.Finished || e.State == results.Stopped || e.State == results.Cancelled {
			p.Ended = time.Now() // here: how long it is kept counts from its import
		}
		return nil
	})
	return err
}
