-- What the scripts share. Python encodes and decodes (layout.py); here bytes are only cut and put together.
--
-- The keys of a shard:
--   rows    hash     's' process -> stamp, run · 'h' process -> head · the same with 'S', 'H' for earlier runs
--   tasks   hash     field (process, key) -> number (8 bytes), priority (4), due (8), queue (2 + n), body
--   work    zset     in byte order: 'o' queue priority due number field · 'd' queue due field · 'n' field
--   runs    hash     (started, id, run) -> group (2 + n), summary
--   found   zset     in byte order, each before (started, id, run): 'g' status workflow · 't' tag · 'p' parent ·
--                    'i' id · 'c' closed
--   groups  set      the pairs of status and workflow that there have been
--   number  string   the highest number of a task
--   reply   string   what a script answered, for a while, in case the driver sends it again
--   h:…     list     the records of a run
local PIECE = 3000
local REMEMBERED = 30
local HIGH = string.rep('\255', 9)

local function call(command, key, arguments)
  for first = 1, #arguments, PIECE do
    redis.call(command, key, unpack(arguments, first, math.min(first + PIECE - 1, #arguments)))
  end
end

local function fetch(key, fields)
  if #fields <= PIECE then
    return #fields > 0 and redis.call('HMGET', key, unpack(fields)) or {}
  end
  local values = {}
  for first = 1, #fields, PIECE do
    for _, value in ipairs(redis.call('HMGET', key, unpack(fields, first, math.min(first + PIECE - 1, #fields)))) do
      values[#values + 1] = value
    end
  end
  return values
end

-- A text with its length in front, from `at`.
local function sized(value, at)
  return value:sub(at, at + 1 + struct.unpack('>H', value, at))
end

-- Where a task stands in the order of its queue, and by time alone.
local function places(field, value)
  local queue, due = sized(value, 21), value:sub(13, 20)
  return 'o' .. queue .. value:sub(9, 12) .. due .. value:sub(1, 8) .. field, 'd' .. queue .. due .. field
end

-- Reading ARGV from front to back: a value, a number, a list with its length in front.
local at = 0

local function take()
  at = at + 1
  return ARGV[at]
end

local function take_number()
  return tonumber(take())
end

local function take_some(list, size)
  local have = #list
  for index = 1, size do
    list[have + index] = ARGV[at + index]
  end
  at = at + size
  return list
end

local function take_list()
  return take_some({}, take_number())
end
