-- The tasks of a process: field and value in turns.
-- KEYS: tasks, work. ARGV: the process, with its size.
local prefix, found, fields = 'n' .. ARGV[1], {}, {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], '[' .. prefix, '(' .. prefix .. HIGH)) do
  fields[#fields + 1] = member:sub(2)
end
for index, value in ipairs(fetch(KEYS[1], fields)) do
  found[2 * index - 1], found[2 * index] = fields[index], value
end
return found
