-- The queues that hold tasks: name, how many are due, how many are due later. From one to the next by its name.
-- KEYS: work. ARGV: now (8 bytes).
local found, first = {}, '[d'
while true do
  local next = redis.call('ZRANGEBYLEX', KEYS[1], first, '(e', 'LIMIT', 0, 1)[1]
  if not next then
    return found
  end
  local queue = sized(next, 2)
  local prefix = 'd' .. queue
  local ready = redis.call('ZLEXCOUNT', KEYS[1], '[' .. prefix, '(' .. prefix .. ARGV[1] .. HIGH)
  local all = redis.call('ZLEXCOUNT', KEYS[1], '[' .. prefix, '(' .. prefix .. HIGH)
  local size = #found
  found[size + 1], found[size + 2], found[size + 3] = queue, ready, all - ready
  first = '(' .. prefix .. HIGH
end
