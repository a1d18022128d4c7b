"""`python -m benchmarks.crowd`: W1 by several worker processes on one server, beside the cores that the server keeps
busy; and what a worker on a cluster of three nodes does, as a share of what it does on one."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

from pyworkflow import Manager, Process, Worker
from tests.servers import postgres, redis

from .report import Figures
from .workloads import WORKFLOWS, Sequential

PROCESSES, STEPS = 400, 5
"""For each worker."""
CROWDS = (1, 2, 4)
TICKS = os.sysconf("SC_CLK_TCK")


class Running(NamedTuple):
    """A server: the URL of a backend, and the operating-system processes that it consists of."""

    url: str
    pids: Sequence[int]


@contextmanager
def on_redis() -> Iterator[Running]:
    with redis.running(port=redis.free_port()) as server:
        yield Running(server.url, [server.pid])


@contextmanager
def on_cluster() -> Iterator[Running]:
    with redis.cluster_nodes(3) as nodes:
        yield Running(f"{redis.url_of(nodes)}?shards=16", [node.pid for node in nodes])


@contextmanager
def on_postgres() -> Iterator[Running]:
    server = postgres.Server(postgres.binaries(), postgres.DURABLE)
    try:
        server.start()
        yield Running(server.url, [server.pid])
    finally:
        server.remove()


BACKENDS = {"redis": on_redis, "redis-cluster": on_cluster, "postgres": on_postgres}


def w1(server: Running, workers: int) -> tuple[float, float, float]:
    """Steps per second of so many worker processes, and how many cores the server and the workers kept busy."""
    manager = Manager(server.url, WORKFLOWS)
    for number in range(PROCESSES * workers):
        manager.start_process(Process(Sequential, f"p{time.monotonic_ns()}-{number}", input=STEPS))
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Barrier(workers + 1), spawn.Barrier(workers + 1)
    crowd = [spawn.Process(target=work, args=(server.url, ready, done), daemon=True) for _ in range(workers)]
    for worker in crowd:
        worker.start()
    ready.wait()
    begun, busy, used = time.perf_counter(), _seconds(server.pids), _seconds(_pids(crowd))
    while manager.count():
        time.sleep(0.02)
    seconds = time.perf_counter() - begun
    busy, used = _seconds(server.pids) - busy, _seconds(_pids(crowd)) - used
    done.wait()
    for worker in crowd:
        worker.join()
    manager.close()
    return PROCESSES * workers * STEPS / seconds, busy / seconds, used / seconds


def _pids(crowd: Sequence[multiprocessing.process.BaseProcess]) -> list[int]:
    return [worker.pid for worker in crowd if worker.pid is not None]


def work(url: str, ready: Barrier, done: Barrier) -> None:
    """A worker that waits for the others, and is there until all is done."""
    manager = Manager(url, WORKFLOWS)
    manager.count()
    ready.wait()
    Worker(manager, concurrency=50).run(burst=True)
    done.wait()


def _seconds(pids: Sequence[int]) -> float:
    """The processor time of these processes and of those that they have begun."""
    return sum(_ticks(pid) for pid in pids) / TICKS


def _ticks(pid: int) -> int:
    own = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_ticks(int(child)) for child in children)


def measure(name: str, runs: int) -> Iterator[tuple[str, float, str]]:
    """The figures of a backend, each the median of so many runs."""
    one = 0.0
    for workers in CROWDS:
        with BACKENDS[name]() as server:
            figures = [w1(server, workers) for _ in range(runs)]
        steps, busy, used = (statistics.median(each) for each in zip(*figures, strict=True))
        one = one or steps
        yield f"W1, {workers} workers", steps, "steps/s"
        yield "  over one", steps / one, "x"
        yield "  the server's processors", busy, "cores"
        yield "  the workers'", used, "cores"


def measure_shards(runs: int) -> Iterator[tuple[str, float, str]]:
    """W1 of one worker on three nodes over that on one, in turn."""
    shares = []
    for _ in range(runs):
        with on_redis() as one, on_cluster() as three:
            shares.append(w1(three, 1)[0] / w1(one, 1)[0])
    yield "W1 of one worker, 16 shards on 3 nodes over one node", statistics.median(shares), "x"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="only this one; may be repeated")
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts (%(default)s)")
    options = parser.parse_args()
    measures: dict[str, Callable[[], Iterator[tuple[str, float, str]]]] = {
        name: lambda name=name: measure(name, options.runs)  # type: ignore[misc]
        for name in options.backend or BACKENDS
    }
    if not options.backend:
        measures["shards"] = lambda: measure_shards(options.runs)
    figures = Figures()
    for name, measured in measures.items():
        for what, value, unit in measured():
            figures.add(name, what, value, unit)
    figures.write("crowd")


if __name__ == "__main__":
    main()
