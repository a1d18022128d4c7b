-- The server's clock: seconds and microseconds.
-- KEYS: one, for the way to the server.
return redis.call('TIME')
