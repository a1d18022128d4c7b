"""Celery on a Redis server, one worker process of one thread, no history: W1 in steps/s, by chains of five tasks."""

import json
import os
import sys
import threading
import time

from celery import Celery, chain

where = sys.argv[1].replace("unix://", "redis+socket://")
app = Celery("bench", broker=where, backend=where)
app.conf.update(worker_hijack_root_logger=False, worker_redirect_stdouts=False, broker_connection_retry_on_startup=True)


@app.task
def step(number):
    return number + 1


worker = app.Worker(
    quiet=True, pool="solo", loglevel="ERROR", without_gossip=True, without_mingle=True, without_heartbeat=True
)
threading.Thread(target=worker.start, daemon=True).start()
assert step.delay(0).get(timeout=60, disable_sync_subtasks=False) == 1
begun = time.perf_counter()
chains = [chain(step.s(0), *[step.s() for _ in range(4)]).apply_async() for _ in range(500)]
assert all(result.get(timeout=300, disable_sync_subtasks=False) == 5 for result in chains)
print(json.dumps({"w1": 2500 / (time.perf_counter() - begun)}), flush=True)
os._exit(0)
