-- How many members some ranges have.
-- KEYS: found. ARGV: the bounds of each range.
local counts = {}
for index = 1, #ARGV, 2 do
  counts[#counts + 1] = redis.call('ZLEXCOUNT', KEYS[1], ARGV[index], ARGV[index + 1])
end
return counts
