"""`python3 -m benchmarks.postgres URL`: the workloads on a Postgres server, beside the least that it must write."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg

from . import workloads

SCHEMA = "pyworkflow_bench"
PROCESSES = 500
TABLES = """
DROP SCHEMA IF EXISTS pyworkflow_bench CASCADE;
CREATE SCHEMA pyworkflow_bench;
SET search_path = pyworkflow_bench;
CREATE TABLE head (id integer PRIMARY KEY, version integer, body bytea) WITH (fillfactor = 50);
CREATE TABLE event (process integer, seq integer, body bytea, PRIMARY KEY (process, seq));
CREATE TABLE task (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, process integer, queue text,
    due double precision, body bytea);
CREATE INDEX task_queue ON task (queue, due);
CREATE FUNCTION transitions(ids integer[], versions integer[], at double precision, head bytea, event bytea, task bytea)
RETURNS void LANGUAGE sql AS $$
    UPDATE head SET version = version + 1, body = $4 FROM unnest($1, $2) AS new (id, was)
    WHERE head.id = new.id AND head.version = new.was;
    INSERT INTO event SELECT id, 2 * was + n, $5 FROM unnest($1, $2) AS new (id, was), generate_series(0, 1) AS n;
    DELETE FROM task WHERE number IN (
        SELECT number FROM task WHERE queue = 'q' ORDER BY due LIMIT cardinality($1) FOR UPDATE SKIP LOCKED
    );
    INSERT INTO task (process, queue, due, body) SELECT id, 'q', $3, $6 FROM unnest($1) AS id;
$$;
"""


def transitions(url: str, batch: int, total: int) -> float:
    """Transitions per second by one SQL function over arrays, `batch` in a transaction: two events, a compare-and-set
    of the head, one task out and one in."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(TABLES.encode())
        everybody = list(range(PROCESSES))
        db.execute("INSERT INTO head SELECT id, 0, %s FROM unnest(%s::int[]) AS id", (b"h" * 200, everybody))
        db.execute(
            "INSERT INTO task (process, queue, due, body) SELECT id, 'q', 0, %s FROM unnest(%s::int[]) AS id",
            (b"t" * 80, everybody),
        )
        call = b"SELECT transitions(%b::int[], %b::int[], %b, %b, %b, %b)"
        begun = time.perf_counter()
        for first in range(0, total, batch):
            numbers = range(first, first + batch)
            ids, versions = [n % PROCESSES for n in numbers], [n // PROCESSES for n in numbers]
            values = (ids, versions, float(first), b"h" * 200, b"e" * 120, b"t" * 80)
            db.execute(call, values, prepare=True)
        return total / (time.perf_counter() - begun)


def emptied(url: str) -> str:
    """The URL of a backend without processes."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
    return f"{url}{'&' if '?' in url else '?'}schema={SCHEMA}"


def measure(url: str, runs: int = 3) -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure: medians, of runs that take turns."""
    calls: dict[str, tuple[Callable[[], Any], str]] = {
        "P1: one a transaction": (lambda: transitions(url, 1, 2_000), "transitions/s"),
        "P50: 50 a transaction": (lambda: transitions(url, 50, 20_000), "transitions/s"),
        "W1, concurrency 50": (lambda: workloads.w1(emptied(url), 50), "steps/s"),
        "W1, concurrency 1": (lambda: workloads.w1(emptied(url), 1, 100), "steps/s"),
        "W2": (lambda: workloads.w2(emptied(url)), "ms"),
        "W3": (lambda: workloads.w3(emptied(url)), "s"),
        "L, workers in other processes": (lambda: workloads.latency_between_processes(emptied(url)), "ms/step"),
    }
    found: dict[str, list[Any]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, (call, _) in calls.items():
            found[name].append(call())
    growth = statistics.median(last for _, last in found["W3"])
    found["W3"] = [seconds for seconds, _ in found["W3"]]
    medians = {name: statistics.median(values) for name, values in found.items()}
    rows = [(name, value, calls[name][1]) for name, value in medians.items()]
    rows.append(("W1, concurrency 50, over P50", medians["W1, concurrency 50"] / medians["P50: 50 a transaction"], "x"))
    rows.append(("W1, concurrency 1, over P1", medians["W1, concurrency 1"] / medians["P1: one a transaction"], "x"))
    return [*rows, ("W3, last 200 over first 200", growth, "x")]


if __name__ == "__main__":
    for name, value, unit in measure(sys.argv[1]):
        print(f"{name:32} {value:10,.3g} {unit}" if value < 100 else f"{name:32} {value:10,.0f} {unit}")
