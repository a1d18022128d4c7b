-- Take tasks that are due, by priority, then time, then number, and hold them; they come with the rows of their
-- processes.
-- KEYS: reply, rows, tasks, work. ARGV: now, until (8 bytes each), limit, the queues.
local now, till, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- The due tasks of a queue, level by level of priority.
local function due(queue)
  local found, first, last = {}, '[o' .. queue, '(o' .. queue .. HIGH
  local by_time = 'd' .. queue
  if #redis.call('ZRANGEBYLEX', KEYS[4], '[' .. by_time, '(' .. by_time .. now .. HIGH, 'LIMIT', 0, 1) == 0 then
    return found
  end
  while #found < limit do
    local next = redis.call('ZRANGEBYLEX', KEYS[4], first, last, 'LIMIT', 0, 1)[1]
    if not next then
      break
    end
    local level = next:sub(1, 1 + #queue + 4)
    local more = redis.call(
      'ZRANGEBYLEX', KEYS[4], '[' .. level, '(' .. level .. now .. HIGH, 'LIMIT', 0, limit - #found)
    for _, member in ipairs(more) do
      push(found, {member:sub(2 + #queue + 20), struct.unpack('>I4I4I4I4I4', member, 2 + #queue)})
    end
    first = '(' .. level .. HIGH
  end
  return found
end

local function before(one, other)
  for index = 2, 6 do
    if one[index] ~= other[index] then
      return one[index] < other[index]
    end
  end
  return false
end

local function choose()
  local found, fields = {}, {}
  for index = 4, #ARGV do
    for _, task in ipairs(due(ARGV[index])) do
      push(found, task)
    end
  end
  if #ARGV > 4 then
    table.sort(found, before)
  end
  for index = 1, math.min(limit, #found) do
    fields[index] = found[index][1]
  end
  return fields
end

local function hold(fields)
  local values, old, new = {}, {}, {}
  for index, value in ipairs(fetch(KEYS[3], fields)) do
    local field = fields[index]
    local held = value:sub(1, 12) .. till .. value:sub(21)
    local order, by_time = places(field, held)
    push(old, places(field, value))
    push(new, 0, order, 0, by_time)
    push(values, field, held)
  end
  call('HSET', KEYS[3], values)
  call('ZREM', KEYS[4], old)
  call('ZADD', KEYS[4], new)
  redis.call('SET', KEYS[1], cmsgpack.pack(fields), 'EX', REMEMBERED)
end

-- The tasks that are held, and the row of each of their processes once.
local function bring(fields)
  local tasks, processes, wanted, seen = {}, {}, {}, {}
  for index, value in ipairs(fetch(KEYS[3], fields)) do
    if value and value:sub(13, 20) == till then
      local process = sized(fields[index], 1):sub(3)
      push(tasks, fields[index], value)
      if not seen[process] then
        seen[process] = true
        push(processes, process)
        push(wanted, 's' .. process, 'h' .. process)
      end
    end
  end
  return {tasks, processes, fetch(KEYS[2], wanted)}
end

local answered = redis.call('GET', KEYS[1])
if answered then
  return bring(cmsgpack.unpack(answered))
end
local fields = choose()
if #fields > 0 then
  hold(fields)
end
return bring(fields)
