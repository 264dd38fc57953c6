package natsstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"overnight/results"
)

// op is an operation: body in, answer out.
type op struct {
	name     string
	limit    uint64 // bytes of its request
	gate     *gate
	remember bool // it changes something: a repeated request gets the first answer
	named    bool // its request is the hex SHA-256 of its answer
	run      func(ctx context.Context, body []byte) ([]byte, error)
}

// table returns the operations by name. How bodies look stands in the files
// named *wire.go.
func (s *Server) table() map[string]*op {
	g := &s.gates
	const small = 1 << 20
	ops := []op{
		{opHello, small, g.live, false, false, s.hello},
		{opPush, 2 * chunkSize, g.chunk, false, false, s.push(maxCheckpoint + 1<<12)},
		{opFetch, small, g.chunk, false, false, s.fetch},
		{opPlan, small, g.read, false, false, s.plan},
		{opBlob, small, g.heavy, false, true, s.blob},
		{opCommit, maxBody, g.commit, true, false, s.commit},
		{opBeat, small, g.live, true, false, s.beat},
		{opSaveCheckpoint, maxCheckpoint + 1<<12, g.heavy, true, false, s.saveCheckpoint},
		{opCheckpoint, small, g.heavy, false, false, s.checkpoint},

		{opPushLong, 2 * chunkSize, g.chunk, false, false, s.push(maxLong)},
		{opCreate, maxPlan, g.write, true, false, s.create},
		{opStudies, small, g.read, false, false, s.studies},
		{opUpdate, maxPlan, g.write, true, false, s.update},
		{opDelete, small, g.write, true, false, s.delete},
		{opPutBlob, maxLong, g.heavy, true, false, s.putBlob},
		{opStream, small, g.stream, false, false, s.page},
		{opStreamKeep, small, g.live, false, false, s.keepStream},
		{opStreamClose, small, g.live, false, false, s.closeStream},
		{opLedger, small, g.read, false, false, s.ledger},
		{opTally, small, g.read, false, false, s.tally},
		{opDiscard, maxBody, g.write, true, false, s.discard},
		{opWorkers, small, g.read, false, false, s.workers},
		{opGive, small, g.write, true, false, s.give},
		{opLease, small, g.live, true, false, s.lease},
		{opLeaders, small, g.read, false, false, s.leaders},
		{opDescribe, maxPoints + small, g.write, true, false, s.describe},
		{opFollow, small, g.read, false, false, s.follow},
	}
	table := make(map[string]*op, len(ops))
	for i := range ops {
		table[ops[i].name] = &ops[i]
	}
	return table
}

// studyName reads a body that is nothing but a study's name.
func studyName(body []byte) (string, error) {
	if len(body) > results.MaxName {
		return "", refused("a study's name of %d bytes", len(body))
	}
	return string(body), nil
}

// decoded makes an error of a decoder one that refuses the request.
func decoded[T any](v T, err error) (T, error) {
	if err != nil {
		return v, refused("%w", err)
	}
	return v, nil
}

// hello answers that somebody is there who speaks this version.
func (s *Server) hello(context.Context, []byte) ([]byte, error) { return nil, nil }

func (s *Server) push(most uint64) func(context.Context, []byte) ([]byte, error) {
	return func(_ context.Context, body []byte) ([]byte, error) {
		c, err := decoded(decodeChunk(body))
		if err != nil {
			return nil, err
		}
		return nil, s.depot.put(&c, most)
	}
}

func (s *Server) fetch(_ context.Context, body []byte) ([]byte, error) {
	f, err := decoded(decodeFetch(body))
	if err != nil {
		return nil, err
	}
	data, ok := s.depot.find(f.sum)
	if !ok {
		return nil, errExpired
	}
	if f.size == 0 || f.size > chunkSize || f.offset >= uint64(len(data)) || f.size > uint64(len(data))-f.offset {
		return nil, refused("bytes %d to %d of %d", f.offset, f.offset+f.size, len(data))
	}
	return data[f.offset : f.offset+f.size], nil
}

func (s *Server) plan(ctx context.Context, body []byte) ([]byte, error) {
	study, err := studyName(body)
	if err != nil {
		return nil, err
	}
	p, err := s.store.Plan(ctx, study)
	if err != nil {
		return nil, err
	}
	return appendPlan(nil, &p), nil
}

func (s *Server) studies(ctx context.Context, _ []byte) ([]byte, error) {
	plans, err := s.store.Studies(ctx)
	return encodePlans(plans), err
}

func (s *Server) create(ctx context.Context, body []byte) ([]byte, error) {
	p, err := decoded(decodePlan(body))
	if err != nil {
		return nil, err
	}
	return nil, s.store.Create(ctx, p)
}

// update puts a plan in place of the one that its client has seen.
func (s *Server) update(ctx context.Context, body []byte) ([]byte, error) {
	c, err := decoded(decodeReplacement(body))
	if err != nil {
		return nil, err
	}
	_, err = s.store.Update(ctx, c.study, func(p *results.Plan) error {
		if planDigest(p) != c.old {
			return errConflict
		}
		*p = c.plan
		return nil
	})
	return nil, err
}

func (s *Server) delete(ctx context.Context, body []byte) ([]byte, error) {
	study, err := studyName(body)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Delete(ctx, study)
}

// putBlob's body is the name of the data, 64 bytes, and the data.
func (s *Server) putBlob(ctx context.Context, body []byte) ([]byte, error) {
	if len(body) < 2*sha256.Size {
		return nil, refused("data without a name")
	}
	return nil, s.store.PutBlob(ctx, string(body[:2*sha256.Size]), body[2*sha256.Size:])
}

// blob shares what many workers ask for at the same time.
func (s *Server) blob(ctx context.Context, body []byte) ([]byte, error) {
	name := string(body)
	if len(name) > 2*sha256.Size {
		return nil, refused("a name of data of %d bytes", len(name))
	}
	v, err, _ := s.blobs.Do(name, func() (any, error) { return s.store.Blob(ctx, name) })
	if err != nil {
		return nil, err
	}
	return v.([]byte), nil
}

func (s *Server) commit(ctx context.Context, body []byte) ([]byte, error) {
	c, err := decoded(decodeCommit(body))
	if err != nil {
		return nil, err
	}
	vs, err := s.store.Commit(ctx, c.study, c.generation, c.records)
	return encodeVerdicts(vs), err
}

func (s *Server) ledger(ctx context.Context, body []byte) ([]byte, error) {
	study, err := studyName(body)
	if err != nil {
		return nil, err
	}
	l, err := s.store.Ledger(ctx, study)
	if err != nil {
		return nil, err
	}
	return encodeLedger(l), nil
}

func (s *Server) tally(ctx context.Context, body []byte) ([]byte, error) {
	study, err := studyName(body)
	if err != nil {
		return nil, err
	}
	t, err := s.store.Tally(ctx, study)
	return encodeTally(t), err
}

func (s *Server) discard(ctx context.Context, body []byte) ([]byte, error) {
	d, err := decoded(decodeDiscard(body))
	if err != nil {
		return nil, err
	}
	generation, err := s.store.Discard(ctx, d.study, d.trials)
	return binary.AppendUvarint(nil, uint64(generation)), err
}

func (s *Server) beat(ctx context.Context, body []byte) ([]byte, error) {
	t, err := decoded(decodeBeat(body))
	if err != nil {
		return nil, err
	}
	orders, err := s.store.Beat(ctx, t.worker, t.after)
	return encodeOrders(orders), err
}

func (s *Server) workers(ctx context.Context, _ []byte) ([]byte, error) {
	ws, err := s.store.Workers(ctx)
	return encodeWorkers(ws), err
}

func (s *Server) give(ctx context.Context, body []byte) ([]byte, error) {
	r := reader{b: body}
	o := r.order()
	if err := r.end(); err != nil {
		return nil, refused("%w", err)
	}
	return nil, s.store.Give(ctx, o)
}

func (s *Server) lease(ctx context.Context, body []byte) ([]byte, error) {
	l, err := decoded(decodeLease(body))
	if err != nil {
		return nil, err
	}
	by, err := s.store.Lease(ctx, l.name, l.holder, l.ttl)
	return []byte(by), err
}

func (s *Server) saveCheckpoint(ctx context.Context, body []byte) ([]byte, error) {
	c, err := decoded(decodeCheckpoint(body))
	if err != nil {
		return nil, err
	}
	return nil, s.store.SaveCheckpoint(ctx, c.study, c.generation, c.trial, c.state)
}

func (s *Server) checkpoint(ctx context.Context, body []byte) ([]byte, error) {
	c, err := decoded(decodeCheckpoint(body))
	if err != nil {
		return nil, err
	}
	return s.store.Checkpoint(ctx, c.study, c.generation, c.trial)
}

func (s *Server) leaders(ctx context.Context, body []byte) ([]byte, error) {
	q, err := decoded(decodeBoard(body))
	if err != nil {
		return nil, err
	}
	b, ok := s.store.(results.Leaderboard)
	if !ok {
		return nil, fmt.Errorf("the coordinator's store keeps no leaderboard: %w", errors.ErrUnsupported)
	}
	ls, err := b.Leaders(ctx, q.study, q.n, q.least)
	return encodeLeaders(ls), err
}

// describe does nothing where the served store has no use for descriptions.
func (s *Server) describe(ctx context.Context, body []byte) ([]byte, error) {
	d, err := decoded(decodePoints(body))
	if err != nil {
		return nil, err
	}
	if k, ok := s.store.(results.Describer); ok {
		return nil, k.Describe(ctx, d.study, d.columns, d.points())
	}
	return nil, nil
}
