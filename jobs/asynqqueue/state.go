package asynqqueue

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Pending returns how many jobs of the queue's engine version wait, and how many
// are taken or come back later.
func (q *Queue) Pending(ctx context.Context) (waiting, held int, err error) {
	var counts [4]*redis.IntCmd
	_, err = q.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		counts[0] = p.LLen(ctx, key(q.name, "pending"))
		counts[1] = p.LLen(ctx, key(q.name, "active"))
		counts[2] = p.ZCard(ctx, key(q.name, "retry"))
		counts[3] = p.ZCard(ctx, key(q.name, "scheduled"))
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("look at queue %s: %w", q.name, err)
	}
	return int(counts[0].Val()), int(counts[1].Val() + counts[2].Val() + counts[3].Val()), nil
}

// DeleteAll deletes what the queues of all engine versions of the namespace
// store. Queues that are open go on.
func (q *Queue) DeleteAll(ctx context.Context) error {
	del := func(ctx context.Context, rdb redis.UniversalClient) error {
		for cursor := uint64(0); ; {
			keys, next, err := rdb.Scan(ctx, cursor, key(q.o.Namespace+".e[0-9]*", "*"), 1000).Result()
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				_, err = rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
					for _, k := range keys { // one by one: they may be in several slots
						p.Unlink(ctx, k)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	var err error
	if c, ok := q.rdb.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, func(ctx context.Context, rdb *redis.Client) error { return del(ctx, rdb) })
	} else {
		err = del(ctx, q.rdb)
	}
	if err != nil {
		return fmt.Errorf("delete the queues of namespace %s: %w", q.o.Namespace, err)
	}
	return nil
}
