"""`python -m benchmarks.scale`: what 100,000 open processes cost on each backend, and a worker over a million events.

Latencies are told beside those with a hundredth of the processes: how busy the machine was then counts for both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyworkflow import Manager, Process, Timer, Worker, Workflow
from pyworkflow.backend import Wanted
from tests.servers import postgres, redis

from .report import Figures
from .workloads import Sequential

DAY = 86_400.0
SAMPLES = 500
PAGE = 50
STEPS = 20  # of a process whose events are counted; each step is four events, near enough
REST = 0.5


class Sleeper(Workflow):
    """Sleeps for a day: an open process, with a timer."""

    def decide(self, process: Process) -> Any:
        return Timer(DAY)


class Woken(Workflow):
    """What is polled for: its decisions are in a category of their own."""

    category = "woken"

    def decide(self, process: Process) -> Any:
        return None


WORKFLOWS = [Sleeper, Woken]
Bytes = Callable[[], int]


@contextmanager
def on_sqlite() -> Iterator[tuple[str, Bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/scale.db"
        yield f"sqlite:///{path}", lambda: sum(file.stat().st_size for file in Path(folder).iterdir())


@contextmanager
def on_redis() -> Iterator[tuple[str, Bytes]]:
    with redis.running() as server:
        yield server.url, lambda: server.client().info("memory")["used_memory"]


@contextmanager
def on_postgres() -> Iterator[tuple[str, Bytes]]:
    server = postgres.Server(postgres.binaries(), postgres.DURABLE)
    try:
        server.start()
        manager = Manager(server.url)
        yield server.url, lambda: manager.backend.info()["bytes"]
        manager.close()
    finally:
        server.remove()


BACKENDS = {"sqlite": on_sqlite, "redis": on_redis, "postgres": on_postgres}


# -- many open processes ----------


def measure_open(name: str, count: int) -> Iterator[tuple[str, float, str]]:
    """Figures of a backend with `count` open processes; latencies also as multiples of those with a hundredth."""
    with BACKENDS[name]() as (url, size):
        manager = Manager(url, WORKFLOWS)
        before = size()
        _fill(manager, 0, count // 100)
        few = _latencies(manager)
        seconds = _fill(manager, count // 100, count)
        many = _latencies(manager)
        yield "filling", count / seconds, "processes/s"
        yield "server's bytes for an open process", (size() - before) / count, "bytes"
        for what, times in many.items():
            yield f"{what}, median", statistics.median(times) * 1000, "ms"
            yield f"{what}, p99", _p99(times) * 1000, "ms"
            yield f"{what}, median over that with {count // 100:,}", _ratio(times, few[what]), "x"
        manager.close()


def _fill(manager: Manager, first: int, last: int) -> float:
    """Start processes, and let them fall asleep; how many seconds that took."""
    begun = time.perf_counter()

    def start(number: int) -> None:
        manager.start_process(Process(Sleeper, f"sleeper-{number}", number, tags=[f"tag-{number % 100}"]))

    with ThreadPoolExecutor(8) as pool:
        for some in batched(range(first, last)):
            list(pool.map(start, some))
            Worker(manager, concurrency=100, category="default").run(burst=True)
    return time.perf_counter() - begun


def batched(numbers: range, size: int = 5_000) -> Iterator[range]:
    return (numbers[at : at + size] for at in range(0, len(numbers), size))


def _latencies(manager: Manager) -> dict[str, list[float]]:
    backend = manager.backend
    wanted = Wanted(("woken",), 1)
    numbers = iter(range(10**9))

    def wake() -> None:
        id = f"woken-{time.monotonic_ns()}-{next(numbers)}"
        manager.start_process(Process(Woken, id))

    def close() -> None:
        for process in manager.processes(Woken):
            manager.terminate_process(process)

    calls: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "poll that finds nothing": (lambda: None, lambda: backend.exchange(decisions=wanted)),
        "poll that takes a decision": (wake, lambda: backend.exchange(decisions=wanted).decisions[0]),
        f"first {PAGE} of the list": (lambda: None, lambda: manager.page(limit=PAGE).processes),
        f"first {PAGE} with a tag": (lambda: None, lambda: manager.page(tag="tag-7", limit=PAGE).processes),
        "count": (lambda: None, manager.count),
    }
    times = {what: [_timed(*call) for _ in range(SAMPLES)] for what, call in calls.items()}
    close()
    return times


def _timed(prepare: Callable[[], Any], call: Callable[[], Any]) -> float:
    prepare()
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


def _ratio(times: list[float], base: list[float]) -> float:
    return statistics.median(times) / statistics.median(base)


# -- a worker that runs for long ----------


def measure_worker(name: str, events: int) -> Iterator[tuple[str, float, str]]:
    """The resident memory of a worker process along `events` events."""
    with BACKENDS[name]() as (url, _):
        manager = Manager(url, [Sequential])
        command = [sys.executable, "-c", "import sys; from benchmarks.scale import serve; serve(sys.argv[1])", url]
        worker = subprocess.Popen(command)
        try:
            done, batch = 0, 0
            for at in (events // 10, events // 2, events):
                while done < at:
                    done += _batch(manager, batch)
                    batch += 1
                yield f"worker after {at:,} events", _resident_mib(worker.pid), "MiB"
        finally:
            worker.terminate()
            worker.wait()
            manager.close()


def _batch(manager: Manager, batch: int) -> int:
    """A few hundred processes from start to end, which are then deleted; how many events they had."""
    ids = [f"b{batch}-{number}" for number in range(400)]
    for id in ids:
        manager.start_process(Process(Sequential, id, STEPS))
    while manager.count():
        time.sleep(REST)
    events = sum(manager.describe(id).events for id in ids[:10]) // 10 * len(ids)
    manager.purge(time.time() + DAY)
    return events


def serve(url: str) -> None:
    Worker(Manager(url, [Sequential]), concurrency=50).run()


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="only this one; may be repeated")
    parser.add_argument("--processes", type=int, default=100_000, help="how many are open (%(default)s)")
    parser.add_argument("--events", type=int, default=1_000_000, help="of a worker (%(default)s)")
    options = parser.parse_args()
    figures = Figures()
    names = options.backend or list(BACKENDS)
    for name in names:
        for measure, size in ((measure_open, options.processes), (measure_worker, options.events)):
            for what, value, unit in measure(name, size):
                figures.add(name, what, value, unit)
    figures.write(f"scale-{'-'.join(names)}")


if __name__ == "__main__":
    main()
