package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"overnight/coordinator"
	"overnight/results"
	"overnight/results/sqlitestore"
)

// folder checks that the store is one that this build can open.
func (a *app) folder() (string, error) {
	if scheme, _, ok := strings.Cut(a.store, "://"); ok {
		return "", usage("--store %s: this build keeps results in a folder and knows no %s stores; write a folder, such as --store .overnight", a.store, scheme)
	}
	return a.store, nil
}

// open opens the store that is there; it makes none.
func (a *app) open(ctx context.Context) (*sqlitestore.Store, error) {
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, engine(fmt.Errorf("no data folder %s here: run a study first, or name its folder with --store", dir))
	}
	s, err := sqlitestore.Open(ctx, dir, sqlitestore.Options{MustExist: true})
	if err != nil {
		return nil, engine(err)
	}
	return s, nil
}

// with opens the store for one command.
func (a *app) with(ctx context.Context, fn func(s *sqlitestore.Store) error) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), closed(s))
}

// locked is with for commands that must be the only writer.
func (a *app) locked(ctx context.Context, fn func(s *sqlitestore.Store) error) error {
	dir, err := a.folder()
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err != nil {
		return a.with(ctx, fn) // says that there is none
	}
	release, err := sqlitestore.Lock(dir)
	if err != nil {
		return engine(err)
	}
	defer release()
	return a.with(ctx, fn)
}

// creating opens the store for the only command that writes, and makes it where
// there is none.
func (a *app) creating(ctx context.Context, fn func(s *sqlitestore.Store) error) error {
	dir, err := a.folder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return engine(err)
	}
	release, err := sqlitestore.Lock(dir)
	if err != nil {
		return engine(err)
	}
	defer release()
	s, err := sqlitestore.Open(ctx, dir, sqlitestore.Options{})
	if err != nil {
		return engine(err)
	}
	return errors.Join(fn(s), closed(s))
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
			return results.Plan{}, usage("no study %q: there is none in %s yet", word, a.store)
		}
		return results.Plan{}, usage("no study %q in %s: there is %s", word, a.store, strings.Join(names[:min(len(names), 20)], ", "))
	case err != nil:
		return results.Plan{}, engine(err)
	}
	return head, nil
}
