-- Members of some ranges, up to `limit` of each.
-- KEYS: found. ARGV: limit, then the bounds of each range.
local pages = {}
for index = 2, #ARGV, 2 do
  pages[#pages + 1] = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[index], ARGV[index + 1], 'LIMIT', 0, ARGV[1])
end
return pages
