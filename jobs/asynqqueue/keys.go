package asynqqueue

import "fmt"

// What stands in Redis for the queue NAME, which is "<namespace>.e<engine>":
//
//	asynq:{NAME}:pending                IDs that wait
//	asynq:{NAME}:active, :lease         IDs that are held, and until when
//	asynq:{NAME}:retry                  IDs that come back later
//	asynq:{NAME}:t:ID                   a job: its message and its state
//	asynq:{NAME}:processed..., :failed... counters of asynq's, by day and in all
//	asynq:{NAME}:overnight:dead         dead letters
//	asynq:queues, asynq:servers..., asynq:workers...  what asynq's tools show
//
// A Redis user of a queue needs the keys asynq:* and the commands that Commands
// lists, and those with which clients connect (+@connection); DeleteAll also SCAN.
//
// All keys of a queue are in one slot of a Redis Cluster. asynq publishes these
// names in no document; TestKeys holds them against asynq's Inspector.
const taskType = "overnight:job"

func queueName(namespace string, engine int) string { return fmt.Sprintf("%s.e%d", namespace, engine) }

// key returns the name of a key of queue name.
func key(name, what string) string { return "asynq:{" + name + "}:" + what }

func taskKey(name, id string) string { return key(name, "t:"+id) }

// Commands are the Redis commands that a Queue uses, in scripts and outside, as
// rules of an access control list.
const Commands = "+ping +eval +evalsha +sadd +zadd +zrem +zcard +zscore +zrange +zrangebyscore +zremrangebyscore " +
	"+exists +get +set +setex +incr +expire +expireat +del +unlink +hset +hget +hdel " +
	"+lpush +rpush +rpoplpush +lrem +llen +lrange +ltrim"
