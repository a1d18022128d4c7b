-- Move or remove a task, unless it is not as it was claimed. Sent again, it finds it changed and does nothing.
-- KEYS: tasks, work. ARGV: field, the task as it was claimed without its number, the same as it shall be or ''.
local field, new = ARGV[1], ARGV[3]
local value = redis.call('HGET', KEYS[1], field)
if not value or value:sub(9) ~= ARGV[2] then
  return 0
end
local order, by_time = places(field, value)
if new == '' then
  redis.call('HDEL', KEYS[1], field)
  redis.call('ZREM', KEYS[2], order, by_time, 'n' .. field)
  return 1
end
new = value:sub(1, 8) .. new
redis.call('HSET', KEYS[1], field, new)
redis.call('ZREM', KEYS[2], order, by_time)
order, by_time = places(field, new)
redis.call('ZADD', KEYS[2], 0, order, 0, by_time)
return 1
