-- commit.lua stores the records of a batch whose trials have none, with all that
-- is counted of them. What it finds records of, it leaves to the caller.
--
-- The batch comes in chunks: trials of one bucket of 128, ascending, each once.
-- A chunk is stored whole or not at all.
--
-- KEYS: 1 plan, 2 parts, 3 events, 4 checkpoints, 5 workers, then those that ARGV
--       names by their place
-- ARGV: 1 stamp, 2 most events, 3 milliseconds that events are kept,
--       4 number of arguments in pairs, pairs (name, number) of the records'
--       workers, number of chunks, then for each
--         bucket, place of its key, place of the ledger's segment, segment,
--         place of the bucket's 16 bytes in it, those bytes with the chunk's
--         bits set, number of arguments in pairs, pairs (offset, record),
--         done, failed, dead, overrun, seconds, nanoseconds,
--         number of arguments in pairs of errors, [place of the key, pairs],
--         number of arguments in pairs of curves, [place of the key, pairs],
--         number of runs of points, for each
--           place of the key, block, place of the first point, for each point
--           its number of records, 4 bytes, and their sum, 8 bytes
-- Returns {chunk, bucket's 16 bytes, records there} for each chunk that was not
-- stored, a record that is not there being false; false where the stamp is
-- another; 0 where a worker has another number: the server has lost what it had
-- answered, by a failover or a restored backup.
if redis.call('HGET', KEYS[1], 'stamp') ~= ARGV[1] then return false end
local a = 5 + tonumber(ARGV[4])
for w = 5, a - 1, 2 do
  if redis.call('HGET', KEYS[5], ARGV[w]) ~= ARGV[w + 1] then return 0 end
end

local zero = string.rep('\0', 16)

-- join adds the bits of mask to slice; nil where one is set in both.
local function join(slice, mask)
  if slice == '' or slice == zero then return mask end
  local out = {}
  for i = 1, 16 do
    local s, m = string.byte(slice, i) or 0, string.byte(mask, i)
    if s ~= 0 and m ~= 0 then
      local a, b = s, m
      while a > 0 and b > 0 do
        if a % 2 == 1 and b % 2 == 1 then return nil end
        a, b = math.floor(a / 2), math.floor(b / 2)
      end
    end
    out[i] = string.char(s + m)
  end
  return table.concat(out)
end

local forms = {} -- of a number of points, to read them at once

-- add adds the sums of a run of points to those that are kept.
local function add(key, block, at, run)
  local old = redis.call('GETRANGE', key, at, at + #run - 1)
  if old == '' then
    redis.call('SADD', KEYS[2], 'b' .. block)
  else
    if #old < #run then old = old .. string.rep('\0', #run - #old) end
    local out, i = {}, 1
    while i <= #run do
      local n = math.min(16, (#run - i + 1) / 12)
      local form = forms[n]
      if not form then
        form = '<' .. string.rep('I4d', n)
        forms[n] = form
      end
      local sums, more = {struct.unpack(form, old, i)}, {struct.unpack(form, run, i)}
      for k = 1, 2 * n do sums[k] = sums[k] + more[k] end
      out[#out + 1] = struct.pack(form, unpack(sums, 1, 2 * n))
      i = i + 12 * n
    end
    run = table.concat(out)
  end
  redis.call('SETRANGE', key, at, run)
end

-- pairs_ stores pairs under a key, where there are any.
local function pairs_(keep)
  local n = tonumber(ARGV[a])
  a = a + 1
  if n == 0 then return end
  if keep then redis.call('HSET', KEYS[tonumber(ARGV[a])], unpack(ARGV, a + 1, a + n)) end
  a = a + 1 + n
end

local saved = redis.call('EXISTS', KEYS[4]) == 1
local names = {'done', 'failed', 'dead', 'overrun', 'us', 'un'}
local counts = {0, 0, 0, 0, 0, 0}
local conflicts, events = {}, {}
local chunks = tonumber(ARGV[a])
a = a + 1
for c = 1, chunks do
  local bucket, key, seg = ARGV[a], KEYS[tonumber(ARGV[a + 1])], KEYS[tonumber(ARGV[a + 2])]
  local at, mask, first = tonumber(ARGV[a + 4]), ARGV[a + 5], a + 7
  local last = a + 6 + tonumber(ARGV[a + 6])
  local slice = redis.call('GETRANGE', seg, at, at + 15)
  local joined = join(slice, mask)
  if joined then
    redis.call('HSET', key, unpack(ARGV, first, last))
    if slice == '' then redis.call('SADD', KEYS[2], ARGV[a + 3]) end
    redis.call('SETRANGE', seg, at, joined)
    for i = 1, 6 do counts[i] = counts[i] + tonumber(ARGV[last + i]) end
    events[#events + 1] = bucket .. ':' .. mask
    if saved then
      for i = first, last, 2 do redis.call('HDEL', KEYS[4], bucket .. ':' .. ARGV[i]) end
    end
  else
    local fields = {}
    for i = first, last, 2 do fields[#fields + 1] = ARGV[i] end
    conflicts[#conflicts + 1] = {c, slice, redis.call('HMGET', key, unpack(fields))}
  end
  a = last + 7
  pairs_(joined)
  pairs_(joined)
  local runs = tonumber(ARGV[a])
  a = a + 1
  for _ = 1, runs do
    if joined then add(KEYS[tonumber(ARGV[a])], ARGV[a + 1], tonumber(ARGV[a + 2]), ARGV[a + 3]) end
    a = a + 4
  end
end
if #events > 0 then
  for i = 1, 6 do
    if counts[i] ~= 0 then redis.call('HINCRBY', KEYS[1], names[i], counts[i]) end
  end
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'd', table.concat(events))
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
end
return conflicts
