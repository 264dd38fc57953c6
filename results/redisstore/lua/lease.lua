-- lease.lua takes, renews or gives up a lease.
-- KEYS: 1 lease
-- ARGV: 1 holder, 2 milliseconds, "0" to give it up
-- Returns who has it.
local by = redis.call('GET', KEYS[1])
if ARGV[2] == '0' then
  if by == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return ''
end
if by and by ~= ARGV[1] then return by end
-- To renew it a server at its maxmemory allows, which refuses SET.
if by then redis.call('PEXPIRE', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return ARGV[1]
