-- addpoints.lua adds sums of points to a leaderboard that is being built.
-- KEYS: 1 plan, 2 parts, 3 this call: it is there when the call is sent again,
--       then blocks
-- ARGV: 1 incarnation, 2 leaderboard, 3 "1" where it is complete after this,
--       4 milliseconds in which a call may be sent again, then for each run place of the key, block, place of the first point, for each
--       point its number of records, 4 bytes, and their sum, 8 bytes
-- Returns 1; 0 where another leaderboard has taken its place.
local at = redis.call('HMGET', KEYS[1], 'inc', 'board')
if at[1] ~= ARGV[1] or at[2] ~= ARGV[2] then return 0 end
if not redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[4]) then return 1 end
for a = 5, #ARGV, 4 do
  local key, from, run = KEYS[tonumber(ARGV[a])], tonumber(ARGV[a + 2]), ARGV[a + 3]
  local old = redis.call('GETRANGE', key, from, from + #run - 1)
  if #old < #run then old = old .. string.rep('\0', #run - #old) end
  local out = {}
  for i = 1, #run, 12 do
    local n1, s1 = struct.unpack('<I4d', old, i)
    local n2, s2 = struct.unpack('<I4d', run, i)
    out[#out + 1] = struct.pack('<I4d', n1 + n2, s1 + s2)
  end
  redis.call('SADD', KEYS[2], 'b' .. ARGV[a + 1])
  redis.call('SETRANGE', key, from, table.concat(out))
end
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'ready', ARGV[2]) end
return 1
