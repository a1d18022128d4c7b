"""The workloads on a Redis or Valkey server of their own, durable (everysec), beside what that server can do."""

from __future__ import annotations

from functools import partial

from tests.servers.redis import RunningServer, running

from .calibrate_redis import redis_transitions
from .report import Row
from .server import Goals, measure_server


def measure_redis(runs: int, row: Row, peers: bool) -> None:
    with running() as server:
        peers_goals = {"huey": 3.5, "celery": 15}
        goals = Goals(share=0.12, wide=60, long=1, alone=2.5, peers=peers_goals, one=8_000, fifty=92_000)
        bare = lambda batch, total: redis_transitions(_emptied(server), batch, total)  # noqa: E731
        measure_server("Redis everysec", bare, partial(_emptied, server), goals, runs, row, peers)


def _emptied(server: RunningServer) -> str:
    with server.client() as client:
        client.flushall()
    return server.url
