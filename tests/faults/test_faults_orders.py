"""Workers of the order example on Redis and Postgres: cut off, killed, asleep, with wrong clocks, replies lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..servers import redis
from ..servers.proxy import LosingProxy
from .business import Business
from .conftest import port_of

Open = Callable[..., Business]
ASLEEP = 5.5  # seconds: longer than any lease or timeout that a step has
FAILOVER = 4.0  # seconds: twice the time after which a node counts as dead


class Later:
    """Does something once there were so many steps, and something else some seconds after that."""

    def __init__(self, steps: int, first: Callable[[], None], seconds: float, then: Callable[[], None]) -> None:
        self._steps = steps
        self._first = first
        self._then = then
        self._seconds = seconds
        self._at: float | None = None
        self._over = False

    def __call__(self, steps: int) -> bool:
        if self._at is None and steps >= self._steps:
            self._first()
            self._at = time.monotonic() + self._seconds
        if self._at is not None and not self._over and time.monotonic() >= self._at:
            self._then()
            self._over = True
        return self._over


def through(proxy: LosingProxy, url: str) -> str:
    return url.replace(f":{port_of(url)}/", f":{proxy.port}/")


def test_workers_that_are_killed(url: str, open_business: Open) -> None:
    business = open_business(url, workers=2, chaos=7)
    business.run()
    business.check()
    assert business.kills > 3


def test_workers_that_are_cut_off_and_come_back(url: str, proxy: LosingProxy, open_business: Open) -> None:
    """Half of the workers cannot be reached any more, nor reach anything; what they hold is done by others."""
    business = open_business(url, url, through(proxy, url))
    business.run(Later(6, proxy.cut, ASLEEP, proxy.heal))
    business.check()


def test_replies_that_are_lost_on_the_way(url: str, proxy: LosingProxy, open_business: Open) -> None:
    business = open_business(url, through(proxy, url), through(proxy, url))
    business.run(Later(3, lambda: setattr(proxy, "every", 60), 0, lambda: None))
    business.check()
    assert proxy.lost > 3


def test_workers_that_sleep_past_their_leases_and_wake_up(url: str, open_business: Open) -> None:
    """Both of one pair of workers are stopped with whatever they hold, and go on when others have done it."""
    business = open_business(url, url, url)
    sleepers = business.staffs[1]

    def send(what: signal.Signals) -> Callable[[], None]:
        return lambda: [os.kill(worker.pid, what) for worker in sleepers._workers] and None

    business.run(Later(6, send(signal.SIGSTOP), ASLEEP, send(signal.SIGCONT)))
    business.check()


CLOCKS = """
import sys, time
_behind = {"decisions": -3 * 3600.0, "activities": 2 * 3600.0}.get(sys.orig_argv[-1], 0.0)
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() - _behind
time.time_ns = lambda: _time_ns() - int(_behind * 1e9)
"""


def test_clocks_that_are_hours_wrong(
    url: str, open_business: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deciders are three hours ahead, executors two behind: timers and timeouts go by the server, and so do events."""
    (tmp_path / "sitecustomize.py").write_text(CLOCKS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    begun = time.time()
    business = open_business(url, url)
    business.run()
    business.check()
    for process in business.manager.processes(status="all"):
        for event in business.manager.history(process):
            assert begun - 60 < event.datetime.timestamp() < time.time() + 60
    (told,) = business.ledger.row("SELECT max(at) FROM payments")
    assert told < begun - 3600  # The executors' clocks were wrong indeed.


def test_a_node_that_dies_and_whose_slots_fail_over(open_business: Open) -> None:
    """Its replica takes over. When it comes back it is a replica, and commits are confirmed by one again."""
    with redis.cluster_nodes(3, replicas=3) as nodes:
        business = open_business(f"{redis.url_of(nodes)}?shards=16&wait_replicas=1", workers=2)
        business.run(Later(10, nodes[0].kill, FAILOVER, nodes[0].start))
        business.check()
        replica, primary = (node.client().info("replication") for node in (nodes[0], nodes[3]))
        assert (replica["role"], primary["role"]) == ("slave", "master")
