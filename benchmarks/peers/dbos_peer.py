"""DBOS on the database of a URL, in one process: W1 in steps/s, W3 in seconds."""

import json
import os
import sys
import time

from dbos import DBOS

DBOS(config={"name": "bench", "system_database_url": sys.argv[1], "log_level": "ERROR"})


@DBOS.step()
def step(number):
    return number


@DBOS.workflow()
def sequential(steps):
    for number in range(steps):
        step(number)
    return steps


DBOS.launch()
sequential(1)
begun = time.perf_counter()
handles = [DBOS.start_workflow(sequential, 5) for _ in range(500)]
assert all(handle.get_result() == 5 for handle in handles)
w1 = 2500 / (time.perf_counter() - begun)
begun = time.perf_counter()
sequential(2000)
print(json.dumps({"w1": w1, "w3": time.perf_counter() - begun}), flush=True)
os._exit(0)
