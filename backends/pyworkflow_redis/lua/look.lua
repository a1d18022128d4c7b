-- The places of the first tasks that are due, as one string.
-- KEYS: work. ARGV: now (8 bytes), limit, how many queues, these.
local places_ = {}
for index, task in ipairs(choose(take(), take_number(), take_list())) do
  places_[index] = task[2]
end
return table.concat(places_)
