package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// within returns what fn returns, or ctx's error as soon as ctx ends: go-redis
// reads on until a time of its own where a context is cancelled, and outlasts the
// deadline where a server accepts connections and says nothing. Then fn ends by
// itself, and its result is dropped; so fn changes nothing that others see.
func within[T any](ctx context.Context, fn func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	if ctx.Done() == nil {
		return fn()
	}
	done := make(chan result, 1)
	go func() {
		value, err := fn()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// pipelined sends what add adds in one round trip, within ctx. The replies may be
// read where the error is nil or redis.Nil.
func (s *Store) pipelined(ctx context.Context, add func(redis.Pipeliner) error) error {
	_, err := within(ctx, func() ([]redis.Cmder, error) { return s.rdb.Pipelined(ctx, add) })
	return err
}
