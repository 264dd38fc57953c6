-- stale.lua counts records of another generation.
-- KEYS: 1 plan, 2 this call: it is there when the call is sent again
-- ARGV: 1 incarnation, 2 their generation, 3 how many, 4 seconds, 5 nanoseconds,
--       6 milliseconds in which a call may be sent again
-- Returns 1; 0 where the plan has their generation; -1 where it is another or
-- none.
local at = redis.call('HMGET', KEYS[1], 'inc', 'gen')
if at[1] ~= ARGV[1] then return -1 end
if at[2] == ARGV[2] then return 0 end
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[6]) then return 1 end
redis.call('HINCRBY', KEYS[1], 'stale', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'ws', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'wn', ARGV[5])
return 1
