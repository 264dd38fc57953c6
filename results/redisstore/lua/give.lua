-- give.lua adds an order. Its number is the server's time in microseconds, so
-- that numbers ascend even where the last orders were lost with the server.
-- KEYS: 1 orders
-- ARGV: 1 order, 2 microseconds after which orders are forgotten
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end -- sent again
local time = redis.call('TIME')
local id = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', id - tonumber(ARGV[2])))
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] and tonumber(last[2]) >= id then id = tonumber(last[2]) + 1 end
redis.call('ZADD', KEYS[1], string.format('%.0f', id), ARGV[1])
return 1
