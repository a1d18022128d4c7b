"""durabletask on its in-memory backend, over loopback: milliseconds a step, around the 100th and the 800th."""

import json
import logging
import os
import sys
import time

from durabletask.client import TaskHubGrpcClient
from durabletask.testing import create_test_backend
from durabletask.worker import TaskHubGrpcWorker

logging.disable()
address, times = sys.argv[1], []


def tick(context, number):
    times.append(time.perf_counter())
    return number


def sequential(context, steps):
    for number in range(steps):
        yield context.call_activity(tick, input=number)
    return steps


backend = create_test_backend(port=int(address.rpartition(":")[2]), max_history_size=100_000)
worker = TaskHubGrpcWorker(host_address=address)
worker.add_orchestrator(sequential)
worker.add_activity(tick)
worker.start()
client = TaskHubGrpcClient(host_address=address)
client.wait_for_orchestration_completion(client.schedule_new_orchestration(sequential, input=850), timeout=300)
early, late = ((times[at + 49] - times[at - 50]) * 1000 / 99 for at in (100, 800))
print(json.dumps({"early": early, "late": late}), flush=True)
os._exit(0)
