"""`python3 run bench [--peers] [--quick]`: runs the workloads, prints them beside their goals, keeps them as JSON."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from datetime import date
from typing import Any

from . import calibrate, footprint, workloads
from .code import measure_code
from .postgres import measure_postgres
from .redis_server import measure_redis
from .report import PACE, RESULTS, Report, Row
from .swf import measure_swf
from .swf_server import measure_swf_server

GOALS_S1, GOALS_S50 = 4_700, 33_000
"""What S1 and S50 were at least on the machine that goals were set on."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="run bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once each instead of the median of three")
    parser.add_argument("--peers", action="store_true", help="also run others in an environment of their own")
    options = parser.parse_args()
    report = measure(1 if options.quick else 3, options.peers)
    report.show()
    target = RESULTS / f"{date.today().isoformat()}.json"
    report.write(target)
    print(f"written to {target}")


def measure(runs: int, peers: bool) -> Report:
    """Every figure with its goal; ratios are of figures taken in this run."""
    s1, s50 = (
        statistics.median(calibrate.sqlite_transitions(*size) for _ in range(runs))
        for size in ((1, 2_000), (50, 20_000))
    )
    report = Report(slower=calibrate.json_microseconds() / PACE)
    row = report.row
    row("S1: bare SQLite, one a transaction", s1, "transitions/s", "calibration")
    row("S50: bare SQLite, 50 a transaction", s50, "transitions/s", "calibration")
    measure_memory(runs, row)
    measure_sqlite(runs, row, s1, s50)
    if peers:
        from .peers import measure_files, measure_growth

        measure_files(row)
        measure_growth(row)
    measure_code(runs, row)
    measure_postgres(runs, row, peers)
    measure_redis(runs, row, peers)
    measure_swf(runs, row)
    on_file(lambda url: measure_swf_server(url, row))
    measure_footprint(row)
    return report


def measure_memory(runs: int, row: Row) -> None:
    def median(call: Callable[[str], float]) -> float:
        return statistics.median(call("memory://") for _ in range(runs))

    row("W1 memory, 500 processes", median(lambda url: workloads.w1(url, 50)), "steps/s", ">= 25,000")
    few, many = (median(lambda url, n=n: workloads.w1(url, 50, n)) for n in (100, 5_000))  # type: ignore[misc]
    row("W1 memory, 100 processes over 5,000", few / many, "x", "<= 1.5")
    row("W2 memory", median(workloads.w2), "ms", "<= 20")
    row("W3 memory, last 200 over first 200", median(lambda url: workloads.w3(url)[1]), "x", "<= 1.2")
    row("L memory", median(workloads.latency), "ms/step", "<= 0.2")


def measure_sqlite(runs: int, row: Row, s1: float, s50: float) -> None:
    def median(call: Callable[[str], float]) -> float:
        return statistics.median(on_file(call) for _ in range(runs))

    value = median(lambda url: workloads.w1(url, 50))
    row("W1 SQLite FULL, concurrency 50", value, "steps/s", "see ratio")
    row("  over S50", value / s50, "x", ">= 0.25")
    value = median(lambda url: workloads.w1(url, 1, 100))
    row("W1 SQLite FULL, concurrency 1", value, "steps/s", "see ratio")
    row("  over S1", value / s1, "x", ">= 0.3")
    row("W2 SQLite FULL", median(workloads.w2), "ms", "<= 60", GOALS_S50 / s50)
    seconds, growth = on_file(workloads.w3)
    row("W3 SQLite FULL", seconds, "s", "<= 1.2", GOALS_S1 / s1)
    row("W3 SQLite FULL, last 200 over first 200", growth, "x", "<= 1.2")
    value = median(workloads.latency_between_processes)
    row("L SQLite FULL, from other processes", value, "ms/step", "<= 4", GOALS_S1 / s1)


def measure_footprint(row: Row) -> None:
    milliseconds, mib = footprint.importing("Activity, Workflow, Manager, Worker")
    row("import of what a worker of deciders needs", milliseconds, "ms", "<= 100")
    row("  over bare Python", mib, "MiB", "<= 25")
    milliseconds, mib = footprint.importing("*")
    row("import of every public name, asyncio with them", milliseconds, "ms")
    row("  over bare Python", mib, "MiB")
    row("idle worker, SQLite", on_file(footprint.idle_percent), "% of a core", "<= 0.5")
    row("worker in W1, SQLite", on_file(footprint.worker_mib), "MiB", "<= 40")
    value = on_file(lambda url: workloads.w1(url, 50), lambda path: footprint.bytes_per_step(path, 2_500))
    row("SQLite on disk", value, "bytes/step", "<= 1,000")


def on_file(call: Callable[[str], Any], after: Callable[[str], Any] | None = None) -> Any:
    """Call with the URL of a fresh SQLite file; what `after` says of the file where it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bench.db")
        result = call(f"sqlite:///{path}")
        return result if after is None else after(path)


if __name__ == "__main__":
    main()
