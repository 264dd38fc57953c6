-- intern.lua numbers the names of workers, from 1 on.
-- KEYS: 1 plan, 2 workers
-- ARGV: 1 incarnation, then names
-- Returns their numbers; false where the plan is another or none.
if redis.call('HGET', KEYS[1], 'inc') ~= ARGV[1] then return false end
local numbers = {}
for i = 2, #ARGV do
  local n = redis.call('HGET', KEYS[2], ARGV[i])
  if not n then
    n = redis.call('HLEN', KEYS[2]) + 1
    redis.call('HSET', KEYS[2], ARGV[i], n)
  end
  numbers[#numbers + 1] = tonumber(n)
end
return numbers
