-- beat.lua records a worker's beat, by the server's clock.
-- KEYS: 1 workers, 2 when they were seen, 3 orders
-- ARGV: 1 id, 2 worker, 3 highest order that it knows, 4 milliseconds after which
--       silent workers are forgotten
-- Returns orders and their numbers, ascending.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A server at its maxmemory lets a script go on that has begun to write: workers
-- are alive then too, and hear of orders.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(0')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
local silent = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[4]), 'LIMIT', 0, 100)
if #silent > 0 then
  redis.call('HDEL', KEYS[1], unpack(silent))
  redis.call('ZREM', KEYS[2], unpack(silent))
end
return redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[3], '+inf', 'WITHSCORES')
