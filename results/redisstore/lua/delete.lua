-- delete.lua removes a plan and notes that the rest of it is to be swept.
-- KEYS: 1 plan, 2 gone
-- ARGV: 1 incarnation ("" where the plan has none), 2 what sweeping needs
-- Returns 1; 0 where the plan is another or none.
local inc = redis.call('HGET', KEYS[1], 'inc') or ''
if redis.call('EXISTS', KEYS[1]) == 0 or inc ~= ARGV[1] then
  return redis.call('HEXISTS', KEYS[2], ARGV[1])
end
redis.call('UNLINK', KEYS[1]) -- first: a server at its maxmemory lets a script go on that has begun to write
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
