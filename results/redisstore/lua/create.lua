-- create.lua makes a plan where there is none.
-- KEYS: 1 plan
-- ARGV: 1 revision, then fields and values
-- Returns 1, or 0 where there is one that this call did not make.
if redis.call('EXISTS', KEYS[1]) == 1 then
  if redis.call('HGET', KEYS[1], 'rev') == ARGV[1] then return 1 end -- sent again
  return 0
end
redis.call('HSET', KEYS[1], 'rev', unpack(ARGV))
return 1
