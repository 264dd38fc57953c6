package results

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrDamaged  = errors.New("damaged")
)

// State is where a study stands.
type State string

// The states of a study.
const (
	Planning  State = "planning" // records of equal trials are being taken over from other studies
	Running   State = "running"  // planned; somebody is at work on it, or it was interrupted
	Finished  State = "finished"
	Stopped   State = "stopped" // by stop_after_failures
	Cancelled State = "cancelled"
	Paused    State = "paused"
	Damaged   State = "damaged" // its plan can't be read; only Studies returns it, and Delete removes it
)

// Plan is what a store keeps of a study. Stores look at the head only; Body is
// the study's stored form (jobs.Study.Encode), which names its data by their hex
// SHA-256 in plain text (see DataRefs), Source the file as the user wrote it.
type Plan struct {
	Study      string // its name, "name@2" for a changed one
	Identity   string // hex SHA-256 of what identifies results
	Engine     int
	Points     uint64
	Trials     uint64 // that are numbered
	Wanted     uint64 // of these, how many results ask for, as far as is known; 0: all of them
	Metrics    []string
	Objective  int // index of Metrics
	Generation uint32
	State      State
	Digest     string // once all trials have a record
	Created    time.Time
	Ended      time.Time     // when State became Finished, Stopped or Cancelled; zero before
	Epoch      uint32        // raised by each coordinator that takes the study over
	Submitted  bool          // for the coordinator service to run, not for `run` alone
	Priority   int           // its share of the fleet beside other studies, 1 to 100; 0 means 1
	MaxSlots   int           // trials that it may run at once; 0: no limit
	Keep       time.Duration // after Ended, gc removes the study; 0: only when asked to
	Body       []byte
	Source     []byte
}

// Expected returns how many trials the study wants, as far as is known.
func (p *Plan) Expected() uint64 {
	if p.Wanted > 0 {
		return p.Wanted
	}
	return p.Trials
}

// Plans keeps plans and the data that they name.
type Plans interface {
	// Create adds a plan; ErrExists where the name is taken.
	Create(ctx context.Context, p Plan) error
	// Plan returns a plan; ErrNotFound.
	Plan(ctx context.Context, study string) (Plan, error)
	// Studies returns all plans without Body and Source, oldest first. Of one that
	// is damaged it returns the name, with State Damaged.
	Studies(ctx context.Context) ([]Plan, error)
	// Update changes a plan: change is called with the current one, and nothing
	// comes between. An error of change is returned and nothing is written. Name
	// and Created stay, Trials and Points don't shrink, Generation and Epoch don't
	// fall, and Metrics are only added to. change must not call the store.
	Update(ctx context.Context, study string, change func(*Plan) error) (Plan, error)
	// Delete removes a plan with all its records and checkpoints, and the blobs
	// that it alone named; ErrNotFound.
	Delete(ctx context.Context, study string) error
}

// Blobs keeps data files by the hex SHA-256 of their content, which PutBlob and
// Blob verify (ErrDamaged); ErrNotFound where there is none.
type Blobs interface {
	PutBlob(ctx context.Context, sha256 string, data []byte) error
	Blob(ctx context.Context, sha256 string) ([]byte, error)
}

// Records keeps the records of studies.
type Records interface {
	// Commit stores records durably and answers each. generation is the one the
	// caller works under; the records get it, whatever their field says. A record
	// that is not Valid is an error, and nothing of its call is stored; so is a
	// study that is not there (ErrNotFound). Concurrent calls are committed in
	// groups.
	Commit(ctx context.Context, study string, generation uint32, rs []Record) ([]Verdict, error)
	// Scan yields the records of trials from <= i < to in trial order, as they were
	// when it began. A damaged one yields its Trial with ErrDamaged, and Scan goes
	// on. The yielded slices are the caller's.
	Scan(ctx context.Context, study string, from, to uint64) iter.Seq2[Record, error]
	// Ledger returns which trials have a record.
	Ledger(ctx context.Context, study string) (*Ledger, error)
	// Tally returns the counts by status, in time that does not grow with them.
	Tally(ctx context.Context, study string) (Tally, error)
	// Discard removes the records of trials and raises the study's generation, so
	// that late records of the old one are refused. Where it removed any, the
	// plan's Digest is cleared.
	Discard(ctx context.Context, study string, trials []uint64) (generation uint32, err error)
}

// Tally counts a study's records.
type Tally struct {
	Done, Failed, Dead, Overrun uint64
	Duplicates, Differs, Stale  uint64 // commits answered so

	Used   time.Duration // sum of Elapsed of the commits answered Committed: core time
	Wasted time.Duration // of all others
}

// Total returns the number of records.
func (t Tally) Total() uint64 { return t.Done + t.Failed + t.Dead + t.Overrun }

// Follower is implemented by stores that can tell of commits. Follow calls fn
// with the records just committed (without Curves) until ctx ends. It may miss
// some: the ledger is the truth.
type Follower interface {
	Follow(ctx context.Context, study string, fn func([]Record)) error
}

// Worker is what a worker says of itself once a second.
type Worker struct {
	ID      string
	Host    string
	Slots   int // 0: it has ended
	Free    int // slots without work
	Version string
	Engine  int
	Held    []Held  // the jobs it holds
	Done    uint64  // trials committed since it began
	Rate    float64 // trials committed a second, lately
	Started time.Time
	Seen    time.Time // when it beat last, by the store's clock; filled by the store
}

// Held is a job that a worker holds, with those of its trials that it has not
// committed: what another coordinator needs to know before it issues any.
type Held struct {
	Job        string
	Study      string
	Generation uint32
	Trials     []Span
}

// Span is the trials From <= i < To.
type Span struct{ From, To uint64 }

// OrderKind is what an order asks for.
type OrderKind string

// The kinds of orders.
const (
	Cancel OrderKind = "cancel"
	Pause  OrderKind = "pause"
	Resume OrderKind = "resume"
	Drain  OrderKind = "drain"
)

// Order asks running workers and coordinators for something.
type Order struct {
	ID    int64 // filled by the store; ascending
	Kind  OrderKind
	Study string // "" for Drain
	Made  time.Time
}

// Fleet keeps the workers' beats and the orders for them, and leases.
type Fleet interface {
	// Beat records w and returns the orders with an ID above after, oldest first.
	// Orders of more than a day ago may be gone.
	Beat(ctx context.Context, w Worker, after int64) ([]Order, error)
	Workers(ctx context.Context) ([]Worker, error)
	// Give adds an order.
	Give(ctx context.Context, o Order) error
	// Lease takes or renews the lease name for holder, until ttl from now by the
	// store's clock, and returns who has it: holder, or somebody else whose lease
	// has not run out. With ttl 0 holder gives it up, and the result is "".
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (by string, err error)
}

// Checkpoints keeps the state of long trials.
type Checkpoints interface {
	// SaveCheckpoint replaces a trial's state. Of an older generation than the
	// study's, or of a trial that has a record, nothing is kept.
	SaveCheckpoint(ctx context.Context, study string, generation uint32, trial uint64, state []byte) error
	// Checkpoint returns a trial's state; ErrNotFound where there is none of this
	// generation. The store drops it when the trial's record is committed.
	Checkpoint(ctx context.Context, study string, generation uint32, trial uint64) ([]byte, error)
}

// Store is all roles.
type Store interface {
	Plans
	Blobs
	Records
	Fleet
	Checkpoints
	Close() error
}
