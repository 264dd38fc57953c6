package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// blobGrace is how long a blob is kept without a plan that names it: a plan is
// created after its data.
const blobGrace = time.Hour

// Delete implements results.Plans. It works on studies with damaged plans too.
// The room in the file is used again; Compact gives it back to the file system.
func (s *Store) Delete(ctx context.Context, study string) error {
	err := s.change(ctx, func(c *engine.Conn) error {
		id, view, err := s.number(c, study)
		if err != nil {
			return err
		}
		var refs []string
		err = each(c, s.queries["body"], func(st *engine.Stmt) error {
			refs = results.DataRefs(st.View(0))
			return nil
		}, id)
		if err != nil && !engine.IsCorrupt(err) {
			return s.failure("read the plan", err)
		}
		tables := fmt.Sprintf(`DROP VIEW IF EXISTS %s; DROP TABLE IF EXISTS records_%d;
			DROP TABLE IF EXISTS curves_%[2]d; DROP TABLE IF EXISTS points_%[2]d`, quote(view), id)
		err = errors.Join(c.Exec(tables),
			run(c, s.queries["delete-study"], id),
			run(c, s.queries["delete-body"], id),
			run(c, s.queries["delete-checkpoints"], id, int64(math.MaxInt64)))
		if err != nil {
			return s.failure("drop what is kept of it", err)
		}
		return s.dropBlobs(c, refs)
	})
	if err != nil {
		return fmt.Errorf("delete study %q: %w", study, err)
	}
	s.heads.Delete(study)
	return nil
}

// dropBlobs removes the blobs among refs that no plan names.
func (s *Store) dropBlobs(c *engine.Conn, refs []string) error {
	if len(refs) == 0 {
		return nil
	}
	err := each(c, s.queries["bodies"], func(st *engine.Stmt) error {
		body := string(st.View(0))
		refs = slices.DeleteFunc(refs, func(ref string) bool { return strings.Contains(body, ref) })
		return nil
	})
	if err != nil {
		return s.failure("look for data in use", err)
	}
	before := s.options.Now().Add(-blobGrace).UnixNano()
	for _, ref := range refs {
		if err := run(c, s.queries["delete-blob"], ref, before); err != nil {
			return s.failure("drop data", err)
		}
	}
	return nil
}

// Compact gives the room of deleted studies back to the file system. It writes
// the whole database anew; commits wait for it.
func (s *Store) Compact(ctx context.Context) error {
	return s.outside(ctx, func(c *engine.Conn) error {
		return s.failure("compact the store", c.Exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"))
	})
}
