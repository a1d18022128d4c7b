"""The workloads on a Redis or Valkey server of their own, durable (everysec), beside what that server can do."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from tests.servers.redis import RunningServer, running

from . import workloads
from .calibrate_redis import redis_transitions

Row = Callable[..., None]


def measure_redis(runs: int, row: Row) -> None:
    """Every figure with its goal; R1 and R50 are taken in the same run."""
    with running() as server:

        def median(call: Callable[[str], float]) -> float:
            return statistics.median(call(_emptied(server)) for _ in range(runs))

        r1 = median(lambda url: redis_transitions(url, 1, 4_000))
        r50 = median(lambda url: redis_transitions(url, 50, 20_000))
        row("R1: bare Redis, one a script", r1, "transitions/s", "calibration")
        row("R50: bare Redis, 50 a script", r50, "transitions/s", "calibration")
        value = median(lambda url: workloads.w1(url, 50))
        row("W1 Redis everysec, concurrency 50", value, "steps/s", "see ratio")
        row("  over R50", value / r50, "x", ">= 0.12", value >= 0.12 * r50)
        value = median(lambda url: workloads.w1(url, 1, 100))
        row("W1 Redis everysec, concurrency 1", value, "steps/s", "")
        row("  over R1", value / r1, "x", "")
        value = median(workloads.w2)
        row("W2 Redis everysec", value, "ms", "<= 60", value <= 60)
        seconds, growth = workloads.w3(_emptied(server))
        row("W3 Redis everysec", seconds, "s", "<= 1", seconds <= 1)
        row("W3 Redis everysec, last 200 over first 200", growth, "x", "<= 1.2", growth <= 1.2)
        value = median(workloads.latency_between_processes)
        row("L Redis everysec, from other processes", value, "ms/step", "<= 2.5", value <= 2.5)


def _emptied(server: RunningServer) -> str:
    with server.client() as client:
        client.flushall()
    return server.url
