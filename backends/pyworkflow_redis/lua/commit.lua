-- Apply commits, each by itself: compare the stamp, then rows, records, tasks and summaries change together.
-- KEYS: reply, rows, tasks, work, runs, found, groups, number, then the lists of records.
-- ARGV: how many commits; the field and the beginning of the stamp of each; then for each how many words it has, and of
-- which kind, as six numbers of four bytes, and the words: rows; records by run, each with the place of its list and how
-- many there are in front; the fields of tasks to remove; fields and values of tasks to add; summaries (pack.py).
-- The reply has a 1 for each commit that was applied, else a 0.
local answered = redis.call('GET', KEYS[1])
if answered then
  redis.call('EXPIRE', KEYS[1], REMEMBERED) -- A write, for WAIT: what came before it is confirmed with it.
  return answered
end

-- What is to be done for all of them together.
local rows, gone, added, filed = {}, {}, {}, {}

local function append_records(lists)
  for _ = 1, lists do
    local place, size = struct.unpack('>I4I4', take())
    for first = at + 1, at + size, PIECE do
      redis.call('RPUSH', KEYS[8 + place], unpack(ARGV, first, math.min(first + PIECE - 1, at + size)))
    end
    at = at + size
  end
end

local function apply(in_rows, lists, removed, in_added, summaries)
  take_some(rows, in_rows)
  append_records(lists)
  take_some(gone, removed)
  for index = at + 1, at + in_added, 2 do
    gone[#gone + 1] = ARGV[index]
  end
  take_some(added, in_added)
  for _ = 1, summaries do
    filed[#filed + 1] = {take(), take(), take_list()}
  end
end

local function compare_and_apply()
  local count, fields, done = take_number(), {}, {}
  for index = 1, count do
    fields[index] = ARGV[2 * index]
  end
  at = 1 + 2 * count
  for index, stored in ipairs(fetch(KEYS[2], fields)) do
    local base, header = ARGV[1 + 2 * index], take()
    if stored and base ~= '' and stored:sub(1, #base) == base or not stored and base == '' then
      done[index] = '1'
      apply(select(2, struct.unpack('>I4I4I4I4I4I4', header)))
    else
      done[index] = '0'
      at = at + struct.unpack('>I4', header)
    end
  end
  return table.concat(done)
end

local function take_away(fields)
  local old, there = {}, {}
  for index, value in ipairs(fetch(KEYS[3], fields)) do
    if value then
      local field, size = fields[index], #old
      there[#there + 1] = field
      old[size + 1], old[size + 2] = places(field, value)
      old[size + 3] = 'n' .. field
    end
  end
  call('ZREM', KEYS[4], old)
  call('HDEL', KEYS[3], there)
end

-- Numbers grow with the server's clock, so that they tell who came first over the shards, too.
local function draw_numbers(count)
  local time = redis.call('TIME')
  local number = math.max(tonumber(redis.call('GET', KEYS[8]) or '0'), time[1] * 1e6 + time[2])
  redis.call('SET', KEYS[8], string.format('%.0f', number + count))
  return number
end

local function put(tasks)
  local new = {}
  local number = draw_numbers(#tasks)
  for index = 1, #tasks, 2 do
    local field, value, size = tasks[index], struct.pack('>I8', number + index) .. tasks[index + 1], #new
    tasks[index + 1] = value
    new[size + 1], new[size + 3], new[size + 5] = 0, 0, 0
    new[size + 2], new[size + 4] = places(field, value)
    new[size + 6] = 'n' .. field
  end
  call('HSET', KEYS[3], tasks)
  call('ZADD', KEYS[4], new)
end

local function file(summaries)
  local keys, values, old, new, groups = {}, {}, {}, {}, {}
  for index, summary in ipairs(summaries) do
    keys[index] = summary[1]
    values[2 * index - 1], values[2 * index] = summary[1], summary[2]
    groups[index] = sized(summary[2], 1):sub(3)
    for _, place in ipairs(summary[3]) do
      new[#new + 1] = 0
      new[#new + 1] = place
    end
  end
  for index, stored in ipairs(fetch(KEYS[5], keys)) do
    if stored then
      old[#old + 1] = 'g' .. sized(stored, 1):sub(3) .. keys[index]
    end
  end
  call('ZREM', KEYS[6], old)
  call('ZADD', KEYS[6], new)
  call('HSET', KEYS[5], values)
  call('SADD', KEYS[7], groups)
end

-- Their first write is one that a server without memory refuses; once it is done, the server takes the rest of them.
local reply = compare_and_apply()
call('HSET', KEYS[2], rows)
if #gone > 0 then
  take_away(gone)
end
if #added > 0 then
  put(added)
end
if #filed > 0 then
  file(filed)
end
redis.call('SET', KEYS[1], reply, 'EX', REMEMBERED)
return reply
