-- putblob.lua keeps data, or notes that they were named anew.
-- KEYS: 1 data, 2 when they were named last
-- ARGV: 1 data
local now = redis.call('TIME')
if redis.call('STRLEN', KEYS[1]) ~= #ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 or redis.call('GET', KEYS[1]) ~= ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('SET', KEYS[2], now[1])
return 1
