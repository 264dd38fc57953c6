-- adjust.lua corrects counters.
-- KEYS: 1 plan, 2 this call: it is there when the call is sent again
-- ARGV: 1 incarnation, 2 generation, 3 milliseconds in which a call may be sent
--       again, then fields and what to add to them
-- Returns 1; 0 where the plan has another generation; -1 where it is gone.
local at = redis.call('HMGET', KEYS[1], 'inc', 'gen')
if at[1] ~= ARGV[1] then return -1 end
if at[2] ~= ARGV[2] then return 0 end
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[3]) then return 1 end
for a = 4, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[a], ARGV[a + 1]) end
return 1
