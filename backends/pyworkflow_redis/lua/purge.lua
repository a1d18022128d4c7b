-- Delete closed runs, each unless its summary has changed meanwhile. Sent again, it finds nothing more to do.
-- KEYS: rows, runs, found, then each run's records. ARGV: for each run its key, its summary, its id, the fields of its
-- row, and its places (pack.py).
local function forget(records)
  local key, summary, run, current, earlier, places_ = take(), take(), take(), take_list(), take_list(), take_list()
  if redis.call('HGET', KEYS[2], key) ~= summary then
    return
  end
  redis.call('HDEL', KEYS[2], key)
  call('ZREM', KEYS[3], places_)
  redis.call('DEL', records)
  call('HDEL', KEYS[1], earlier)
  local stored = redis.call('HGET', KEYS[1], current[1])
  if stored and stored:sub(1 + #sized(stored, 1)) == run then
    call('HDEL', KEYS[1], current)
  end
end

for index = 4, #KEYS do
  forget(KEYS[index])
end
return 0
