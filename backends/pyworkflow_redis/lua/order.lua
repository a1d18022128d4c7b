-- What is due in some queues, in its order. KEYS[1]: work.

-- The tasks of a queue that are due, level by level of priority.
local function due(queue, now, limit)
  local found, first, last = {}, '[o' .. queue, '(o' .. queue .. HIGH
  local by_time = 'd' .. queue
  if #redis.call('ZRANGEBYLEX', KEYS[1], '[' .. by_time, '(' .. by_time .. now .. HIGH, 'LIMIT', 0, 1) == 0 then
    return found
  end
  while #found < limit do
    local next = redis.call('ZRANGEBYLEX', KEYS[1], first, last, 'LIMIT', 0, 1)[1]
    if not next then
      break
    end
    local level = next:sub(1, 1 + #queue + 4)
    local more = redis.call(
      'ZRANGEBYLEX', KEYS[1], '[' .. level, '(' .. level .. now .. HIGH, 'LIMIT', 0, limit - #found)
    for _, member in ipairs(more) do
      local field, place = member:sub(22 + #queue), member:sub(2 + #queue, 21 + #queue)
      found[#found + 1] = {field, place}
    end
    first = '(' .. level .. HIGH
  end
  return found
end

-- Strings are compared by the server's locale, hence numbers.
local function before(one, other)
  for index = 1, 5 do
    if one.rank[index] ~= other.rank[index] then
      return one.rank[index] < other.rank[index]
    end
  end
  return false
end

local function choose(now, limit, queues)
  if #queues == 1 then
    return due(queues[1], now, limit)
  end
  local found = {}
  for _, queue in ipairs(queues) do
    for _, task in ipairs(due(queue, now, limit)) do
      task.rank = {struct.unpack('>I4I4I4I4I4', task[2])}
      found[#found + 1] = task
    end
  end
  table.sort(found, before)
  for index = #found, limit + 1, -1 do
    found[index] = nil
  end
  return found
end
