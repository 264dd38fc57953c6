-- Buries held tasks that asynq can neither run nor end.
--
-- KEYS[1]  asynq:{NAME}:active
-- KEYS[2]  asynq:{NAME}:lease
-- KEYS[3]  asynq:{NAME}:t:ID
-- KEYS[4]  asynq:{NAME}:overnight:dead
-- ARGV[1]  ID
-- ARGV[2]  "1" if the task has a message, "0" if it has none
-- ARGV[3]  the message that was found to be damaged
-- ARGV[4]  the dead letter
-- ARGV[5]  how many letters to keep
--
-- Returns 1 if it was buried, 0 if it has changed or was ended since.
if not redis.call("ZSCORE", KEYS[2], ARGV[1]) then
  return 0
end
local msg = redis.call("HGET", KEYS[3], "msg")
if ARGV[2] == "1" and msg ~= ARGV[3] or ARGV[2] == "0" and msg then
  return 0
end
redis.call("LREM", KEYS[1], 0, ARGV[1])
redis.call("ZREM", KEYS[2], ARGV[1])
redis.call("DEL", KEYS[3])
redis.call("LPUSH", KEYS[4], ARGV[4])
redis.call("LTRIM", KEYS[4], 0, ARGV[5] - 1)
return 1
