-- The earliest member of each queue, '' for none.
-- KEYS: work. ARGV: the queues.
local found = {}
for _, queue in ipairs(ARGV) do
  local prefix = 'd' .. queue
  found[#found + 1] = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. prefix, '(' .. prefix .. HIGH, 'LIMIT', 0, 1)[1] or ''
end
return found
