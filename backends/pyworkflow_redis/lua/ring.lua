-- Leave a token for whoever waits for a topic: a blocking pop takes it, one waiter each. Old ones vanish.
-- KEYS: the topics' lists. ARGV: how many of them are kept, for how many milliseconds.
for _, topic in ipairs(KEYS) do
  redis.call('RPUSH', topic, '1')
  redis.call('LTRIM', topic, 0, ARGV[1] - 1)
  redis.call('PEXPIRE', topic, ARGV[2])
end
return 0
