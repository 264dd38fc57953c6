-- forget.lua removes a field of a hash that still has the value that was read.
-- KEYS: 1 hash
-- ARGV: 1 field, 2 value
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
