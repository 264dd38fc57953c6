-- dropblob.lua removes data that were not named lately.
-- KEYS: 1 data, 2 when they were named last
-- ARGV: 1 seconds
local named, now = redis.call('GET', KEYS[2]) or '0', redis.call('TIME')
if tonumber(now[1]) - tonumber(named) < tonumber(ARGV[1]) then return 0 end
return redis.call('UNLINK', KEYS[1], KEYS[2])
