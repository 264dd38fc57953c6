-- swap.lua changes a plan that is still as it was read.
-- KEYS: 1 plan, 2 checkpoints
-- ARGV: 1 incarnation, 2 revision it was read at, 3 its next revision,
--       4 "1" where the checkpoints go, then fields and values
-- Returns 1; 0 where it has changed; -1 where it is gone.
local at = redis.call('HMGET', KEYS[1], 'inc', 'rev')
if at[1] ~= ARGV[1] then return -1 end
if at[2] == ARGV[3] then return 1 end -- sent again
if at[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'rev', ARGV[3], unpack(ARGV, 5))
if ARGV[4] == '1' then redis.call('UNLINK', KEYS[2]) end
return 1
