-- adjust.lua corrects counters.
-- KEYS: 1 plan
-- ARGV: 1 incarnation, 2 generation, then fields and what to add to them
-- Returns 1; 0 where the plan has another generation; -1 where it is gone.
local at = redis.call('HMGET', KEYS[1], 'inc', 'gen')
if at[1] ~= ARGV[1] then return -1 end
if at[2] ~= ARGV[2] then return 0 end
for a = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[a], ARGV[a + 1]) end
return 1
