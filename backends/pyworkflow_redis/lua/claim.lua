-- Take tasks that are due, in their order, and hold them; they come with the rows of their processes.
-- KEYS: work, reply, rows, tasks. ARGV: now (8 bytes), limit, how many queues, these, until (8 bytes).
local till = ARGV[#ARGV]

local function hold(fields)
  local values, old, new = {}, {}, {}
  for index, value in ipairs(fetch(KEYS[4], fields)) do
    local field, held, size = fields[index], value:sub(1, 12) .. till .. value:sub(21), 2 * index - 2
    values[size + 1], values[size + 2] = field, held
    old[size + 1], old[size + 2] = places(field, value)
    new[2 * size + 1], new[2 * size + 3] = 0, 0
    new[2 * size + 2], new[2 * size + 4] = places(field, held)
  end
  call('HSET', KEYS[4], values)
  call('ZREM', KEYS[1], old)
  call('ZADD', KEYS[1], new)
  redis.call('SET', KEYS[2], cmsgpack.pack(fields), 'EX', REMEMBERED)
end

-- The tasks that are held, and the row of each of their processes once.
local function bring(fields)
  local tasks, processes, wanted, seen = {}, {}, {}, {}
  for index, value in ipairs(fetch(KEYS[4], fields)) do
    if value and value:sub(13, 20) == till then
      local process = sized(fields[index], 1):sub(3)
      tasks[#tasks + 1] = fields[index]
      tasks[#tasks + 1] = value
      if not seen[process] then
        seen[process] = true
        processes[#processes + 1] = process
        wanted[#wanted + 1] = 's' .. process
        wanted[#wanted + 1] = 'h' .. process
      end
    end
  end
  return {tasks, processes, fetch(KEYS[3], wanted)}
end

local answered = redis.call('GET', KEYS[2])
if answered then
  return bring(cmsgpack.unpack(answered))
end
local fields = {}
for index, task in ipairs(choose(take(), take_number(), take_list())) do
  fields[index] = task[1]
end
if #fields > 0 then
  hold(fields)
end
return bring(fields)
