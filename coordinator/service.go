package coordinator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// Service runs all submitted studies of a store, several at once with fair
// shares. Of replicas with one store, the holder of the lease "serve" leads and
// the others stand by.
type Service struct {
	o Options

	mu      sync.Mutex
	leads   bool
	studies map[string]*served
	shares  map[int]*shares // by engine version
}

// served is a study that the service runs, is about to run again, or ran lately.
type served struct {
	progress Progress
	cancel   context.CancelFunc // of its run; nil: it does not run
	wait     time.Duration      // before the next attempt
	next     time.Time
	ended    time.Time // when its run ended and none is due
}

const (
	remember   = time.Minute // how long State tells of a study that has ended
	lastRetry  = 30 * time.Second
	sweepEvery = time.Hour
)

// NewService returns a service; Run lets it work. With an empty Options.Holder
// it takes no lease and always leads.
func NewService(o Options) *Service {
	o.setDefaults()
	return &Service{o: o, studies: map[string]*served{}}
}

// Serve runs a service until ctx ends.
func Serve(ctx context.Context, o Options) error { return NewService(o).Run(ctx) }

// Leader tells whether this replica leads.
func (s *Service) Leader() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leads
}

// State returns where the studies stand that run, or are due, or have ended
// within the last minute, by name. Only the leader knows.
func (s *Service) State() []Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Progress
	for _, st := range s.studies {
		out = append(out, st.progress)
	}
	slices.SortFunc(out, func(a, b Progress) int { return strings.Compare(a.Study, b.Study) })
	return out
}

// Run leads, or stands by until it can, until ctx ends; it returns ctx's error.
func (s *Service) Run(ctx context.Context) error {
	told := ""
	for ctx.Err() == nil {
		by, err := s.o.Holder, error(nil)
		if s.o.Holder != "" {
			call, cancel := context.WithTimeout(ctx, s.o.LeaseTTL)
			by, err = s.o.Store.Lease(call, ServeLease, s.o.Holder, s.o.LeaseTTL)
			cancel()
		}
		switch {
		case err != nil && ctx.Err() == nil:
			s.o.Log.Warn("take lease", zap.String("lease", ServeLease), zap.Error(err))
		case err == nil && by == s.o.Holder:
			told = ""
			s.lead(ctx)
			continue
		case err == nil && by != told:
			s.o.Log.Info("standing by", zap.String("leader", by))
			told = by
		}
		sleep(ctx, s.o.LeaseTTL/10)
	}
	return ctx.Err()
}

// lead runs studies until ctx ends or the lease is lost.
func (s *Service) lead(ctx context.Context) {
	led, resign := context.WithCancel(ctx)
	var kept sync.WaitGroup
	if s.o.Holder != "" {
		kept.Go(func() {
			defer resign()
			keepLease(led, s.o, ServeLease, func(by string) {
				s.o.Log.Warn("lease lost", zap.String("lease", ServeLease), zap.String("to", by))
			}, func() {
				s.o.Log.Warn("lease expired", zap.String("lease", ServeLease))
			})
		})
	}
	s.mu.Lock()
	s.leads = true
	s.shares = map[int]*shares{}
	s.mu.Unlock()
	s.o.Log.Info("leading", zap.String("holder", s.o.Holder))

	var runs sync.WaitGroup
	fleet := newFleet(s.o.Store, s.o.Lost, s.o.Poll, s.o.Alone)
	swept := time.Now()
	for first := true; first || sleep(led, s.o.Poll); first = false {
		heads, err := s.o.Store.Studies(led)
		if err != nil {
			if led.Err() == nil {
				s.o.Log.Warn("read studies", zap.Error(err))
			}
			continue
		}
		s.startAll(led, &runs, fleet, heads)
		if time.Since(swept) >= sweepEvery {
			swept = time.Now()
			if _, err := Sweep(led, s.o, time.Now(), 0); err != nil && led.Err() == nil {
				s.o.Log.Warn("remove studies", zap.Error(err))
			}
		}
	}
	runs.Wait()
	resign()
	kept.Wait()
	if s.o.Holder != "" {
		giveUp(ctx, s.o, ServeLease)
	}
	s.mu.Lock()
	s.leads = false
	clear(s.studies)
	s.mu.Unlock()
}

// runnable tells whether a study is the service's to run.
func runnable(p *results.Plan) bool {
	switch p.State {
	case results.Running, results.Paused:
		return p.Submitted
	case results.Finished:
		return p.Submitted && p.Digest == "" // some of its records were discarded
	}
	return false
}

// startAll starts the studies that are due and do not run.
func (s *Service) startAll(ctx context.Context, runs *sync.WaitGroup, f *fleet, heads []results.Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	there := map[string]bool{}
	for i := range heads {
		p := &heads[i]
		there[p.Study] = true
		st := s.studies[p.Study]
		switch {
		case st != nil && st.cancel != nil:
		case runnable(p):
			if st == nil {
				st = &served{progress: Progress{Study: p.Study}}
				s.studies[p.Study] = st
			}
			st.ended = time.Time{}
			pr := &st.progress
			pr.Total, pr.Engine, pr.Epoch, pr.State = p.Expected(), p.Engine, p.Epoch, p.State
			if !now.Before(st.next) {
				s.start(ctx, runs, f, st, p)
			}
		case st != nil:
			st.progress.State = p.State
			if st.ended.IsZero() {
				st.ended = now
			}
		}
	}
	for name, st := range s.studies {
		if st.cancel == nil && (!there[name] || !st.ended.IsZero() && now.Sub(st.ended) > remember) {
			delete(s.studies, name)
		}
	}
}

// start runs a study beside the others. The caller holds the lock.
func (s *Service) start(ctx context.Context, runs *sync.WaitGroup, f *fleet, st *served, p *results.Plan) {
	name := p.Study
	if s.shares[p.Engine] == nil {
		s.shares[p.Engine] = &shares{}
		s.shares[p.Engine].size(s.o.Slots, false)
	}
	o := s.o
	o.fleet, o.shares = f, s.shares[p.Engine]
	o.Progress = func(p Progress) {
		s.mu.Lock()
		st.progress = p
		s.mu.Unlock()
		if s.o.Progress != nil {
			s.o.Progress(p)
		}
	}
	ctx, st.cancel = context.WithCancel(ctx)
	runs.Go(func() {
		began := time.Now()
		err := Run(ctx, name, o)
		s.ended(ctx, name, st, err, time.Since(began))
	})
}

// ended notes how a study's run ended, and when the next one may begin: what
// fails is tried again, ever more seldom, and stops nobody else.
func (s *Service) ended(ctx context.Context, name string, st *served, err error, ran time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.cancel()
	st.cancel = nil
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	var leased *LeasedError
	st.progress.Jobs, st.progress.Running, st.progress.Rate = 0, 0, 0
	switch {
	case err == nil, errors.Is(err, ErrStopped), errors.Is(err, ErrPlanLost):
		s.o.Log.Info("study ended", zap.String("study", name), zap.Error(err))
		st.wait, st.next, st.ended = 0, time.Time{}, time.Now()
		st.progress.Trouble = ""
		return
	case errors.As(err, &leased), errors.Is(err, ErrSuperseded):
		st.wait = time.Second
		s.o.Log.Info("study is coordinated elsewhere", zap.String("study", name), zap.Error(err))
	default:
		if ran > lastRetry {
			st.wait = 0
		}
		st.wait = min(max(2*st.wait, time.Second), lastRetry)
		s.o.Log.Warn("study failed, it is tried again", zap.String("study", name), zap.Duration("after", st.wait), zap.Error(err))
	}
	st.next = time.Now().Add(st.wait)
	st.progress.Trouble = err.Error()
}
