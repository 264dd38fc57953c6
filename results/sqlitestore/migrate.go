package sqlitestore

import (
	"encoding/json"
	"time"

	"overnight/results/sqlitestore/internal/engine"
)

// migrate makes a store of version 1 one of this version, in one transaction.
func (s *Store) migrate(c *engine.Conn) error {
	return s.transact(c, func(c *engine.Conn) error {
		version, err := queryInt(c, "PRAGMA user_version")
		if err == nil && version < schemaVersion { // or else another process was first
			err = c.Exec(sqlFile("migrate_2.sql"))
		}
		return s.failure("bring the store to this format", err)
	})
}

// versioned returns the name of the statement that reads a store of the version
// that the transaction of c sees: one that is open for reading may be brought to
// this version by another process at any time.
func (s *Store) versioned(c *engine.Conn, name string) (string, error) {
	if !s.old.Load() {
		return name, nil
	}
	version, err := queryInt(c, "PRAGMA user_version")
	if err != nil {
		return "", s.failure("read the store's version", err)
	}
	if version < schemaVersion {
		return name + "-1", nil
	}
	return name, nil
}

// more is what version 1 did not know of plans.
type more struct {
	Ended     int64         `json:"ended,omitempty"` // nanoseconds since 1970
	Epoch     uint32        `json:"epoch,omitempty"`
	Submitted bool          `json:"submitted,omitempty"`
	Priority  int           `json:"priority,omitempty"`
	MaxSlots  int           `json:"max_slots,omitempty"`
	Keep      time.Duration `json:"keep,omitempty"` // nanoseconds
	Wanted    uint64        `json:"wanted,omitempty"`
}

// setMore encodes the plan's newer fields: "" where all are zero.
func (h *head) setMore() error {
	p := &h.plan
	m := more{Ended: nanos(p.Ended), Epoch: p.Epoch, Submitted: p.Submitted, Priority: p.Priority, MaxSlots: p.MaxSlots, Keep: p.Keep, Wanted: p.Wanted}
	h.more = ""
	if m == (more{}) {
		return nil
	}
	b, err := json.Marshal(m)
	h.more = string(b)
	return err
}

// readMore sets the plan's newer fields as they are stored.
func (h *head) readMore() error {
	if h.more == "" {
		return nil
	}
	var m more
	if err := json.Unmarshal([]byte(h.more), &m); err != nil {
		return err
	}
	p := &h.plan
	p.Ended, p.Epoch, p.Submitted = timeOf(m.Ended), m.Epoch, m.Submitted
	p.Priority, p.MaxSlots, p.Keep, p.Wanted = m.Priority, m.MaxSlots, m.Keep, m.Wanted
	return nil
}
