package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"overnight/coordinator"
	"overnight/internal/clock"
	"overnight/internal/natsconn"
	"overnight/internal/redisconn"
	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/sqlitestore"
)

// storeURL is where plans and results are: a folder, or a URL.
func (a *app) storeURL() (url string, folder bool, err error) {
	if a.cluster != "" && (a.storeGiven || a.queue != "") {
		return "", false, usage("--cluster %s together with --store or --queue: --cluster means both at one address; write either it or the two", redisconn.Redact(a.cluster))
	}
	at := a.store
	if a.cluster != "" {
		at = a.cluster
	}
	scheme, _, ok := strings.Cut(at, "://")
	switch {
	case !ok && a.cluster != "":
		return "", false, usage("--cluster %s: write a URL such as redis://host:6379", a.cluster)
	case !ok:
		return at, true, nil
	case isRedis(at):
		return at, false, nil
	case scheme == "nats" || scheme == "tls":
		return "", false, usage("results can't be kept in NATS: write --queue %s --store redis://host:6379", natsconn.Redact(at))
	}
	return "", false, usage("%s: results are kept in a folder, such as --store .overnight, or in Redis, such as --store redis://host:6379", redisconn.Redact(at))
}

// isRedis tells whether a URL is of one of redisconn's forms, or means to be.
func isRedis(url string) bool {
	return strings.HasPrefix(url, "redis") || strings.HasPrefix(url, "unix://")
}

// openRedis connects to a store in Redis.
func (a *app) openRedis(ctx context.Context, url string) (results.Store, error) {
	rdb, err := a.redis(url)
	if err != nil {
		return nil, err
	}
	s, err := redisstore.New(ctx, rdb, redisstore.Options{Log: a.log})
	if err != nil {
		return nil, engine(errors.Join(fmt.Errorf("open %s: %w", redisconn.Redact(url), err), rdb.Close()))
	}
	return closing{s, rdb.Close}, nil
}

// open opens the store that is there; it makes no folder.
func (a *app) open(ctx context.Context) (results.Store, error) {
	at, folder, err := a.storeURL()
	if err != nil {
		return nil, err
	}
	if !folder {
		return a.openRedis(ctx, at)
	}
	if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
		return nil, engine(fmt.Errorf("no data folder %s here: run a study first, or name its folder with --store", at))
	}
	s, err := sqlitestore.Open(ctx, at, sqlitestore.Options{MustExist: true, Now: clock.FromEnv()})
	if err != nil {
		return nil, engine(err)
	}
	return s, nil
}

// with opens the store for one command.
func (a *app) with(ctx context.Context, fn func(s results.Store) error) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), closed(s))
}

// locked is with for commands that must be the only writer of a folder.
func (a *app) locked(ctx context.Context, fn func(s results.Store) error) error {
	at, folder, err := a.storeURL()
	if err != nil {
		return err
	}
	if _, err := os.Stat(at); !folder || err != nil {
		return a.with(ctx, fn) // says where there is none
	}
	release, err := sqlitestore.Lock(at)
	if err != nil {
		return engine(err)
	}
	defer release()
	return a.with(ctx, fn)
}

// creating opens the store for a command that writes studies, and makes a folder
// where there is none.
func (a *app) creating(ctx context.Context, fn func(s results.Store) error) error {
	at, folder, err := a.storeURL()
	if err != nil {
		return err
	}
	if !folder {
		return a.with(ctx, fn)
	}
	if err := os.MkdirAll(at, 0o755); err != nil {
		return engine(err)
	}
	release, err := sqlitestore.Lock(at)
	if err != nil {
		return engine(err)
	}
	defer release()
	s, err := sqlitestore.Open(ctx, at, sqlitestore.Options{Now: clock.FromEnv()})
	if err != nil {
		return engine(err)
	}
	return errors.Join(fn(s), closed(s))
}

// alone calls fn while nobody else coordinates the study; stores that are shared
// have a lease for it.
func (a *app) alone(ctx context.Context, s results.Store, study string, fn func() error) error {
	me := holder()
	name := coordinator.LeaseName(study)
	by, err := s.Lease(ctx, name, me, time.Minute)
	if err != nil {
		return engine(err)
	}
	if by != me {
		return engine(fmt.Errorf("%s is being run by %s: wait for it, or cancel it first: overnight cancel %s", study, by, study))
	}
	defer func() { _, _ = s.Lease(context.WithoutCancel(ctx), name, me, 0) }() // it runs out by itself
	return fn()
}

// holder names this process in leases.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// findPlan returns the plan of the study that a word means.
func (a *app) findPlan(ctx context.Context, s results.Store, word string) (results.Plan, error) {
	head, err := a.findHead(ctx, s, word)
	if err != nil {
		return results.Plan{}, err
	}
	p, err := s.Plan(ctx, head.Study)
	if err != nil {
		return results.Plan{}, engine(err)
	}
	return p, nil
}

// findHead is findPlan without body and source: it works on a damaged plan too.
func (a *app) findHead(ctx context.Context, s results.Store, word string) (results.Plan, error) {
	all, err := s.Studies(ctx)
	if err != nil {
		return results.Plan{}, engine(err)
	}
	head, err := coordinator.Find(all, word)
	var amb *coordinator.AmbiguousError
	switch {
	case errors.As(err, &amb):
		var b strings.Builder
		fmt.Fprintf(&b, "%q means several studies; say which:", word)
		for _, p := range amb.Hits {
			name := p.Study
			if !strings.Contains(name, "@") {
				name += "@1"
			}
			fmt.Fprintf(&b, "\n  %-24s %.12s  %d trials, %s", name, p.Identity, p.Trials, p.State)
		}
		return results.Plan{}, usage("%s", b.String())
	case errors.Is(err, results.ErrNotFound):
		names := make([]string, len(all))
		for i, p := range all {
			names[i] = p.Study
		}
		if len(names) == 0 {
			return results.Plan{}, usage("no study %q: there is none in %s yet", word, a.where())
		}
		return results.Plan{}, usage("no study %q in %s: there is %s", word, a.where(), strings.Join(names[:min(len(names), 20)], ", "))
	case err != nil:
		return results.Plan{}, engine(err)
	}
	return head, nil
}

// where names the store in messages.
func (a *app) where() string {
	if a.cluster != "" {
		return redisconn.Redact(a.cluster)
	}
	return redisconn.Redact(a.store)
}

// closing is a store that closes its connection too. Its optional roles are
// those of a store in Redis.
type closing struct {
	*redisstore.Store
	then func() error
}

func (c closing) Close() error { return errors.Join(c.Store.Close(), c.then()) }
