-- remove.lua removes records that are as the caller saw them, and keeps them for
-- a while for scans that began before. It changes the plan in the same step.
-- KEYS: 1 plan, 2 checkpoints, then those that ARGV names by their place: a
--       bucket's records, errors, curves and removed ones, four in a row
-- ARGV: 1 incarnation, 2 revision it was read at, 3 its next revision, 4 "1"
--       where the checkpoints go, 5 generation that the records had,
--       6 milliseconds that they are kept, 7 number of arguments in pairs, pairs
--       (field, value) of the plan, done, failed, dead, overrun that are removed,
--       then for each record
--         place of the first of four keys, place of the ledger's segment, number
--         of its bit there, offset, the record, "" where there is none
-- Returns 1; 0 where plan or records have changed; -1 where the plan is gone.
local at = redis.call('HMGET', KEYS[1], 'inc', 'rev')
if at[1] ~= ARGV[1] then return -1 end
if at[2] == ARGV[3] then return 1 end -- sent again
if at[2] ~= ARGV[2] then return 0 end
local pairs_ = tonumber(ARGV[7])
local first = 12 + pairs_
for a = first, #ARGV, 5 do
  local there = redis.call('HGET', KEYS[tonumber(ARGV[a])], ARGV[a + 3]) or ''
  if there ~= ARGV[a + 4] then return 0 end
end
for a = first, #ARGV, 5 do
  local k = tonumber(ARGV[a])
  for i, kind in ipairs({'r', 'e', 'c'}) do
    local there = redis.call('HGET', KEYS[k + i - 1], ARGV[a + 3])
    if there then
      redis.call('HSET', KEYS[k + 3], ARGV[a + 3] .. ':' .. ARGV[5] .. ':' .. kind, there)
      redis.call('HDEL', KEYS[k + i - 1], ARGV[a + 3])
    end
  end
  redis.call('PEXPIRE', KEYS[k + 3], ARGV[6])
  if redis.call('EXISTS', KEYS[tonumber(ARGV[a + 1])]) == 1 then
    redis.call('SETBIT', KEYS[tonumber(ARGV[a + 1])], ARGV[a + 2], 0)
  end
end
for i, name in ipairs({'done', 'failed', 'dead', 'overrun'}) do
  local n = tonumber(ARGV[7 + pairs_ + i])
  if n ~= 0 then redis.call('HINCRBY', KEYS[1], name, -n) end
end
redis.call('HSET', KEYS[1], 'rev', ARGV[3], unpack(ARGV, 8, 7 + pairs_))
if ARGV[4] == '1' then redis.call('UNLINK', KEYS[2]) end
return 1
