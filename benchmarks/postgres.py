"""The workloads on a Postgres server of their own that syncs its commits, beside the least that it must write."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import psycopg

from tests.servers.postgres import DURABLE, Server, binaries

from . import workloads

Row = Callable[..., None]

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


def _emptied(url: str) -> str:
    """The URL of a backend without processes."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
    return f"{url}?schema={SCHEMA}"


def measure_postgres(runs: int, row: Row) -> None:
    """Every figure with its goal; P1 and P50 are taken in the same run."""
    server = Server(binaries(), DURABLE)
    try:
        server.start()
        _measure(server.url, runs, row)
    finally:
        server.remove()


def _measure(url: str, runs: int, row: Row) -> None:
    def median(call: Callable[[str], float]) -> float:
        return statistics.median(call(_emptied(url)) for _ in range(runs))

    p1 = statistics.median(transitions(url, 1, 2_000) for _ in range(runs))
    p50 = statistics.median(transitions(url, 50, 20_000) for _ in range(runs))
    row("P1: bare Postgres, one a transaction", p1, "transitions/s", "calibration")
    row("P50: bare Postgres, 50 a transaction", p50, "transitions/s", "calibration")
    value = median(lambda url: workloads.w1(url, 50))
    row("W1 Postgres, concurrency 50", value, "steps/s", "see ratio")
    row("  over P50", value / p50, "x", ">= 0.25", value >= 0.25 * p50)
    value = median(lambda url: workloads.w1(url, 1, 100))
    row("W1 Postgres, concurrency 1", value, "steps/s", "")
    row("  over P1", value / p1, "x", "")
    value = median(workloads.w2)
    row("W2 Postgres", value, "ms", "<= 150", value <= 150)
    seconds, growth = workloads.w3(_emptied(url))
    row("W3 Postgres", seconds, "s", "<= 2", seconds <= 2)
    row("W3 Postgres, last 200 over first 200", growth, "x", "<= 1.2", growth <= 1.2)
    value = median(workloads.latency_between_processes)
    row("L Postgres, from other processes", value, "ms/step", "<= 8", value <= 8)
