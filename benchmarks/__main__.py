"""`python3 run bench [--peers] [--quick]`: runs the workloads, prints them beside their goals, keeps them as JSON."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sqlite3
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import calibrate, footprint, workloads
from .code import measure_code
from .postgres import measure_postgres
from .redis_server import measure_redis
from .swf import measure_swf
from .swf_server import measure_swf_server

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(prog="run bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once each instead of the median of three")
    parser.add_argument("--peers", action="store_true", help="also run DBOS and Huey in an environment of their own")
    options = parser.parse_args()
    rows = measure(1 if options.quick else 3)
    if options.peers:
        from .peers import measure_peers

        rows += measure_peers()
    report = {"machine": machine(), "date": datetime.date.today().isoformat(), "rows": rows}
    show(report)
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{report['date']}.json"
    target.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {target}")


def machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "million_calls_per_second": round(calibrate.python_calls(), 1),
    }


def measure(runs: int) -> list[dict[str, Any]]:
    """Every figure with its goal; ratios are of figures taken in this run."""
    rows: list[dict[str, Any]] = []

    def row(name: str, value: float, unit: str, goal: str, met: bool | None = None) -> None:
        rows.append({"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "met": met})

    def median(call: Callable[[], float]) -> float:
        return statistics.median(call() for _ in range(runs))

    s1 = median(lambda: calibrate.sqlite_transitions(1, 2_000))
    s50 = median(lambda: calibrate.sqlite_transitions(50, 20_000))
    row("S1: bare SQLite, one a transaction", s1, "transitions/s", "calibration")
    row("S50: bare SQLite, 50 a transaction", s50, "transitions/s", "calibration")

    memory = median(lambda: workloads.w1("memory://", 50))
    row("W1 memory, 500 processes", memory, "steps/s", ">= 25,000", memory >= 25_000)
    few, many = (median(lambda n=n: workloads.w1("memory://", 50, n)) for n in (100, 5_000))  # type: ignore[misc]
    row("W1 memory, 100 processes over 5,000", few / many, "x", "<= 1.5", few / many <= 1.5)
    value = median(lambda: workloads.w2("memory://"))
    row("W2 memory", value, "ms", "<= 20", value <= 20)
    value = median(lambda: workloads.w3("memory://")[1])
    row("W3 memory, last 200 over first 200", value, "x", "<= 1.2", value <= 1.2)
    value = median(lambda: workloads.latency("memory://"))
    row("L memory", value, "ms/step", "<= 0.2", value <= 0.2)

    value = median(lambda: on_file(lambda url: workloads.w1(url, 50)))
    row("W1 SQLite FULL, concurrency 50", value, "steps/s", "see ratio")
    row("  over S50", value / s50, "x", ">= 0.25", value >= 0.25 * s50)
    value = median(lambda: on_file(lambda url: workloads.w1(url, 1, 100)))
    row("W1 SQLite FULL, concurrency 1", value, "steps/s", "see ratio")
    row("  over S1", value / s1, "x", ">= 0.3", value >= 0.3 * s1)
    value = median(lambda: on_file(workloads.w2))
    row("W2 SQLite FULL", value, "ms", "<= 60", value <= 60)
    seconds, growth = on_file(workloads.w3)
    row("W3 SQLite FULL", seconds, "s", "<= 1.2", seconds <= 1.2)
    row("W3 SQLite FULL, last 200 over first 200", growth, "x", "<= 1.2", growth <= 1.2)
    value = median(lambda: on_file(workloads.latency_between_processes))
    row("L SQLite FULL, from other processes", value, "ms/step", "<= 4", value <= 4)

    measure_code(runs, row)
    measure_postgres(runs, row)
    measure_redis(runs, row)
    measure_swf(runs, row)
    on_file(lambda url: measure_swf_server(url, row))

    milliseconds, mib = footprint.importing()
    row("import pyworkflow", milliseconds, "ms", "<= 100", milliseconds <= 100)
    row("import pyworkflow, over bare Python", mib, "MiB", "<= 25", mib <= 25)
    value = on_file(footprint.idle_percent)
    row("idle worker, SQLite", value, "% of a core", "<= 0.5", value <= 0.5)
    value = on_file(footprint.worker_mib)
    row("worker in W1, SQLite", value, "MiB", "<= 40", value <= 40)
    value = on_file(lambda url: workloads.w1(url, 50), lambda path: footprint.bytes_per_step(path, 2_500))
    row("SQLite on disk", value, "bytes/step", "<= 1,000", value <= 1_000)
    return rows


def on_file(call: Callable[[str], Any], after: Callable[[str], Any] | None = None) -> Any:
    """Call with the URL of a fresh SQLite file; what `after` says of the file where it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bench.db")
        result = call(f"sqlite:///{path}")
        return result if after is None else after(path)


def show(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=" · ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for column in ("", "measured", "unit", "goal", ""):
        table.add_column(column, justify="right" if column == "measured" else "left")
    for row in report["rows"]:
        mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row["met"]]
        value = row["value"]
        shown = f"{value:,.3g}" if value < 100 else f"{value:,.0f}"
        table.add_row(row["name"], shown, row["unit"], row["goal"], mark)
    Console().print(table)


if __name__ == "__main__":
    main()
