-- Apply commits, each by itself: compare the stamp, then rows, records, tasks and summaries change together.
-- KEYS: reply, rows, tasks, work, runs, found, groups, number, then the lists of records.
-- ARGV: for each commit the field and start of its stamp; rows; lists of records, each with the place of its key; the
-- fields of tasks to remove; fields and values of tasks to add; summaries (pack.py). The reply has a 1 for each that was
-- applied, else a 0.
local answered = redis.call('GET', KEYS[1])
if answered then
  redis.call('EXPIRE', KEYS[1], REMEMBERED) -- A write, for WAIT: what came before it is confirmed with it.
  return answered
end

local function take_commit()
  local commit = {field = take(), base = take(), rows = take_list(), records = {}, filed = {}}
  for index = 1, take_number() do
    commit.records[index] = {take_number(), take_list()}
  end
  commit.removed, commit.added = take_list(), take_list()
  for index = 1, take_number() do
    commit.filed[index] = {take(), take(), take_list()}
  end
  return commit
end

local function take_commits()
  local commits, fields = {}, {}
  while at < #ARGV do
    local commit = take_commit()
    push(commits, commit)
    push(fields, commit.field)
  end
  return commits, fields
end

-- What is to be done for all of them together.
local rows, records, gone, added, filed, done = {}, {}, {}, {}, {}, {}

local function extend(list, values)
  for _, value in ipairs(values) do
    list[#list + 1] = value
  end
end

local function collect(commit)
  extend(rows, commit.rows)
  extend(records, commit.records)
  extend(gone, commit.removed)
  for index = 1, #commit.added, 2 do
    push(gone, commit.added[index])
  end
  extend(added, commit.added)
  extend(filed, commit.filed)
end

local function compare(commits, fields)
  for index, stored in ipairs(fetch(KEYS[2], fields)) do
    local commit = commits[index]
    local same = stored and commit.base ~= '' and stored:sub(1, #commit.base) == commit.base
    same = same or not stored and commit.base == ''
    done[index] = same and '1' or '0'
    if same then
      collect(commit)
    end
  end
end

local function take_away(fields)
  local places_, fields_ = {}, {}
  for index, value in ipairs(fetch(KEYS[3], fields)) do
    if value then
      push(fields_, fields[index])
      push(places_, 'n' .. fields[index], places(fields[index], value))
    end
  end
  call('ZREM', KEYS[4], places_)
  call('HDEL', KEYS[3], fields_)
end

-- Numbers grow with the server's clock, so that they tell who came first over the shards, too.
local function draw_numbers(count)
  local time = redis.call('TIME')
  local number = math.max(tonumber(redis.call('GET', KEYS[8]) or '0'), time[1] * 1e6 + time[2])
  redis.call('SET', KEYS[8], string.format('%.0f', number + count))
  return number
end

local function put(tasks)
  local values, places_ = {}, {}
  local number = draw_numbers(#tasks)
  for index = 1, #tasks, 2 do
    local field, value = tasks[index], struct.pack('>I8', number + index) .. tasks[index + 1]
    local order, due = places(field, value)
    push(values, field, value)
    push(places_, 0, order, 0, due, 0, 'n' .. field)
  end
  call('HSET', KEYS[3], values)
  call('ZADD', KEYS[4], places_)
end

local function file(summaries)
  local keys, values, old, new, groups = {}, {}, {}, {}, {}
  for index, summary in ipairs(summaries) do
    keys[index] = summary[1]
    push(values, summary[1], summary[2])
    push(groups, sized(summary[2], 1):sub(3))
    for _, place in ipairs(summary[3]) do
      push(new, 0, place)
    end
  end
  for index, stored in ipairs(fetch(KEYS[5], keys)) do
    if stored then
      push(old, 'g' .. sized(stored, 1):sub(3) .. keys[index])
    end
  end
  call('ZREM', KEYS[6], old)
  call('ZADD', KEYS[6], new)
  call('HSET', KEYS[5], values)
  call('SADD', KEYS[7], groups)
end

compare(take_commits())
-- The first write is one that a server without memory refuses: from then on it goes through with all of them.
call('HSET', KEYS[2], rows)
for _, run in ipairs(records) do
  call('RPUSH', KEYS[8 + run[1]], run[2])
end
if #gone > 0 then
  take_away(gone)
end
if #added > 0 then
  put(added)
end
if #filed > 0 then
  file(filed)
end
local reply = table.concat(done)
redis.call('SET', KEYS[1], reply, 'EX', REMEMBERED)
return reply
