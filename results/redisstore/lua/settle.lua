-- settle.lua counts late records of trials that have the record that the caller
-- saw.
-- KEYS: 1 plan, 2 this call: it is there when the call is sent again, then the
--       buckets that ARGV names by their place
-- ARGV: 1 incarnation, 2 generation, 3 milliseconds in which a call may be sent
--       again, then for each
--         place of the key, offset, the record there, "dup" or "differs",
--         seconds, nanoseconds
-- Returns 1 or, where the trial has another record now, 0 for each; false where
-- the plan has another incarnation or generation.
local at = redis.call('HMGET', KEYS[1], 'inc', 'gen')
if at[1] ~= ARGV[1] or at[2] ~= ARGV[2] then return false end
local done, counts = {}, {dup = 0, differs = 0, ws = 0, wn = 0}
for a = 4, #ARGV, 6 do
  local same = redis.call('HGET', KEYS[tonumber(ARGV[a])], ARGV[a + 1]) == ARGV[a + 2]
  done[#done + 1] = same and 1 or 0
  if same then
    counts[ARGV[a + 3]] = counts[ARGV[a + 3]] + 1
    counts.ws = counts.ws + tonumber(ARGV[a + 4])
    counts.wn = counts.wn + tonumber(ARGV[a + 5])
  end
end
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[3]) then return done end
for _, name in ipairs({'dup', 'differs', 'ws', 'wn'}) do
  if counts[name] ~= 0 then redis.call('HINCRBY', KEYS[1], name, counts[name]) end
end
return done
