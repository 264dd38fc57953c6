package natsstore

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"overnight/results"
)

// Scan implements results.Records. The served store reads in one iteration, page
// by page as they are asked for, one ahead. A scan does not survive a restart of
// the coordinator: it ends with ErrLost.
func (s *Store) Scan(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return s.records(ctx, pageRequest{form: scanStream, study: study, from: from, to: to})
}

// Skim implements results.Skimmer.
func (s *Store) Skim(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return s.records(ctx, pageRequest{form: skimStream, study: study, from: from, to: to})
}

func (s *Store) records(ctx context.Context, q pageRequest) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		s.stream(ctx, q, func(e *entry) bool { return yield(e.record, e.err) })
	}
}

// Check implements results.Checker; errors.ErrUnsupported where the served store
// can't look for damage.
func (s *Store) Check(ctx context.Context, study string) iter.Seq2[results.Damage, error] {
	return func(yield func(results.Damage, error) bool) {
		s.stream(ctx, pageRequest{form: checkStream, study: study}, func(e *entry) bool { return yield(e.damage, e.err) })
	}
}

// fetched is a page, or the error in its place, which ends the stream.
type fetched struct {
	page page
	err  error
}

// stream yields the entries of a stream, and an error that ends it last.
func (s *Store) stream(ctx context.Context, q pageRequest, yield func(*entry) bool) {
	q.stream = newID()
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan fetched)
	var ahead sync.WaitGroup
	ahead.Go(func() { s.pages(ctx, q, pages) })
	defer func() {
		cancel()
		ahead.Wait()
		s.closeStream(q.stream)
	}()
	for {
		var f fetched
		select {
		case f = <-pages:
		case <-ctx.Done():
			f.err = ctx.Err()
		}
		if f.err != nil {
			yield(&entry{err: f.err})
			return
		}
		for rest := &f.page.rest; len(rest.b) > 0; {
			e := rest.entry()
			if rest.err != nil {
				yield(&entry{err: unreadable("page of records", rest.err)})
				return
			}
			if re := (*remoteError)(nil); errors.As(e.err, &re) && re.kind == kindClosing {
				e.err = ErrLost
			}
			if !yield(&e) {
				return
			}
		}
		if f.page.last {
			return
		}
	}
}

// pages fetches pages up to the last, or an error, one ahead of who reads them,
// until ctx ends. While the reader takes its time it keeps the stream open.
func (s *Store) pages(ctx context.Context, q pageRequest, pages chan<- fetched) {
	for ; ; q.page++ {
		var f fetched
		b, err := s.call(ctx, opStream, q.encode(), maxBody)
		if err == nil {
			f.page, err = decodePage(b)
		}
		f.err = err
		if !s.hand(ctx, f, q.stream, pages) || f.err != nil || f.page.last {
			return
		}
	}
}

// hand gives the reader a page; false where ctx ended.
func (s *Store) hand(ctx context.Context, f fetched, stream id, pages chan<- fetched) bool {
	keep := time.NewTicker(s.o.silence / 4)
	defer keep.Stop()
	for {
		select {
		case pages <- f:
			return true
		case <-ctx.Done():
			return false
		case <-keep.C:
			// Whether it is lost, the next page will say.
			short, cancel := context.WithTimeout(ctx, s.o.silence/4)
			_, _ = s.call(short, opStreamKeep, stream[:], 0)
			cancel()
		}
	}
}

// closeStream tells the server that nobody reads on. Should it not hear it, the
// stream ends by its silence.
func (s *Store) closeStream(stream id) {
	q := request{id: newID(), body: stream[:]}
	_ = s.nc.Publish(s.o.subject(opStreamClose), q.encode())
}
