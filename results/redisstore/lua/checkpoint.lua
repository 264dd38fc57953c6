-- checkpoint.lua keeps the state of a trial that has no record.
-- KEYS: 1 plan, 2 checkpoints, 3 the ledger's segment
-- ARGV: 1 incarnation, 2 generation, 3 number of the trial's bit in the segment,
--       4 field, 5 state
-- Returns 1; 0 where it is not kept; -1 where the plan is another or none.
local at = redis.call('HMGET', KEYS[1], 'inc', 'gen')
if at[1] ~= ARGV[1] then return -1 end
if at[2] ~= ARGV[2] or redis.call('GETBIT', KEYS[3], ARGV[3]) == 1 then return 0 end
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
return 1
