"""What a Redis server can do: the least that a durable transition must write, many in one script."""

from __future__ import annotations

import time

import redis

SCRIPT = """
local at = 1
for number = 1, ARGV[1] do
  local process, version, due = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if (redis.call('HGET', KEYS[1], process) or '0') == version then
    redis.call('HSET', KEYS[1], process, version + 1)
    redis.call('HSET', KEYS[2], process, ARGV[at + 4])
    redis.call('RPUSH', KEYS[4 + number], ARGV[at + 5], ARGV[at + 6])
    redis.call('ZPOPMIN', KEYS[3])
    redis.call('ZADD', KEYS[3], due, process)
    redis.call('HSET', KEYS[4], process, ARGV[at + 7])
  end
  at = at + 7
end
return 1
"""
PROCESSES = 500


def redis_transitions(url: str, batch: int, total: int) -> float:
    """Transitions per second, `batch` in a script. A transition is two events, a compare-and-set of the head, one task
    out and one task in. What the server held is gone."""
    client = redis.Redis.from_url(url)
    client.flushall()
    run = client.register_script(SCRIPT)
    begun = time.perf_counter()
    for first in range(0, total, batch):
        keys: list[str] = ["version", "head", "queue", "task"]
        words: list[object] = [batch]
        for number in range(first, first + batch):
            process, version = number % PROCESSES, number // PROCESSES
            keys.append(f"events:{process}")
            words += [process, version, number, b"h" * 200, b"e" * 120, b"e" * 120, b"t" * 80]
        run(keys, words)
    seconds = time.perf_counter() - begun
    client.flushall()
    client.close()
    return total / seconds
