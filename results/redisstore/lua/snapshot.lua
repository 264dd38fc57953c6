-- snapshot.lua reads a plan and its ledger at one moment, at once after a change
-- of the plan where one is asked for. A transaction would do, but a server at its
-- maxmemory refuses those, even to read.
-- KEYS: 1 plan, 2 parts, then segments
-- ARGV: 1 number of fields, fields of the plan to read, then, for a change,
--       incarnation, revision it was read at, its next revision, fields and
--       values
-- Returns the values of the fields, the number of parts, the segments. Whether
-- the change was made, the revision tells.
local n = tonumber(ARGV[1])
if #ARGV > n + 1 then
  local at = redis.call('HMGET', KEYS[1], 'inc', 'rev')
  if at[1] == ARGV[n + 2] and at[2] == ARGV[n + 3] then
    redis.call('HSET', KEYS[1], 'rev', ARGV[n + 4], unpack(ARGV, n + 5))
  end
end
local segments = {}
for i = 3, #KEYS do segments[i - 2] = redis.call('GET', KEYS[i]) or '' end
return {redis.call('HMGET', KEYS[1], unpack(ARGV, 2, n + 1)), redis.call('SCARD', KEYS[2]), segments}
