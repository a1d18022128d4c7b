"""Huey on a SQLite file or a Redis server, one worker, no history: W1 in steps/s."""

import json
import os
import sys
import threading
import time

from huey import RedisHuey, SqliteHuey

where = sys.argv[1]
huey = RedisHuey(url=where) if "://" in where else SqliteHuey(filename=where, fsync=True)
done = threading.Semaphore(0)


@huey.task()
def chain(number):
    if number < 4:
        chain(number + 1)
    else:
        done.release()


consumer = huey.create_consumer(workers=1, worker_type="thread", initial_delay=0.001, max_delay=0.01)
consumer.start()
begun = time.perf_counter()
for _ in range(500):
    chain(0)
for _ in range(500):
    assert done.acquire(timeout=120)
print(json.dumps({"w1": 2500 / (time.perf_counter() - begun)}), flush=True)
os._exit(0)
